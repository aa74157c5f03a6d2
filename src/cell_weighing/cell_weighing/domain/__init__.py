"""Weighing rules: readings, jobs, tolerance, units, order of events.

Weights are decimal digits as the indicator sent them, or `Decimal`; never binary floating point.
Times are UTC nanoseconds, and where an order is decided also the monotonic clock.

Pure: no ROS, sockets, files or clock.
"""
