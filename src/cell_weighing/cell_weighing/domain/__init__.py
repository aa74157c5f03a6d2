"""Weighing rules: readings, jobs, tolerance, units, order of events."""
