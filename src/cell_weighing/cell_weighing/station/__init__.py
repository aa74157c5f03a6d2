"""The weigh station: weigh jobs and bag records."""
