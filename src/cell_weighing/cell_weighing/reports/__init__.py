"""Report of a weigh job as HTML and CSV, with statistical process control.

Pure: no ROS, sockets, files or clock.
"""

from cell_weighing.reports.report import POLICY, JobReport, report_csv, report_html

__all__ = ['POLICY', 'JobReport', 'report_csv', 'report_html']
