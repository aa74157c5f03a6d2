"""Report of a weigh job as HTML and CSV, with statistical process control.

Pure: no ROS, sockets, files or clock.
"""

from cell_weighing.reports.report import POLICY, STYLE, JobReport, report_csv, report_html
from cell_weighing.reports.spc import histogram
from cell_weighing.reports.svg import histogram_figure
from cell_weighing.reports.totals import BagTotals, bag_totals

__all__ = [
    'POLICY',
    'STYLE',
    'BagTotals',
    'JobReport',
    'bag_totals',
    'histogram',
    'histogram_figure',
    'report_csv',
    'report_html',
]
