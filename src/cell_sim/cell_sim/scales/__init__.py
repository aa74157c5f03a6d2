"""Simulated weighing indicators, the bag fillers that use them, and a command line to run many."""

__all__ = ['client', 'fleet', 'indicator', 'line_faults']
