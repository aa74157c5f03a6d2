"""Weighing rules: readings, jobs, tolerance, units, order of events.

Pure: no ROS, sockets, files or clock.
"""
