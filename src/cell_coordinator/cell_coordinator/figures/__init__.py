"""Figures of the pick jobs: how much of the time they ran, how fast, and with how many rejects.

rules   the computation
shifts  begin and end of the shifts in local time
report  the figures as JSON and CSV

`cell_coordinator.figures_reader` reads the jobs of a time from the database.
Pure: no ROS, sockets, files or clock.
"""

from cell_coordinator.figures.report import Report, make_report, report_csv, report_json
from cell_coordinator.figures.rules import CountedReason, Figures, JobFacts, Window, cycle_times
from cell_coordinator.figures.shifts import ShiftError, parse_starts

__all__ = [
    'CountedReason',
    'Figures',
    'JobFacts',
    'Report',
    'ShiftError',
    'Window',
    'cycle_times',
    'make_report',
    'parse_starts',
    'report_csv',
    'report_json',
]
