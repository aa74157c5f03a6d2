"""Questions about what the nodes have stored: jobs, pieces, bags, alarms, commands and stock. Read-only.

Each package reads its own tables (`history_reader`, `command_history`); this package puts the answers together.

- `service` answers the questions.
- `clip_index` finds the clip of a piece or of an alarm.
- `explanation` says why a piece was rejected, pure.
- `report_reader` and `production_report` make the report of a shift or a job.
- `tables` makes rows, JSON and CSV of the answers, pure.
"""

__all__ = ['clip_index', 'explanation', 'production_report', 'report_reader', 'service', 'tables']
