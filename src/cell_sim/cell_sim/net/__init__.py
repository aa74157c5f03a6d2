"""TCP client of the simulated devices."""
