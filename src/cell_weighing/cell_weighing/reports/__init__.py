"""Statistical process control and reports of a weigh job."""
