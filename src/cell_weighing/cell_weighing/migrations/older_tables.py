"""Names of the tables of weigh jobs and bags in the migrations before 0010.

Up to 0009 the columns of the cell stood in the web application's tables `prepuff_job` and `filler_bag`. A database that holds
tables of the web application already is left as it is: there these migrations make `weigh_job` and `weigh_bag` at once, the
names that 0010 gives them everywhere.
"""

from __future__ import annotations

from alembic import op
from sqlalchemy import inspect

WEB_APPLICATION = ('prepuff_company', 'prepuff_job', 'filler_bag')


def has_web_application() -> bool:
    """Whether the database holds a table of the web application."""
    tables = inspect(op.get_bind()).get_table_names()
    return any(name in tables for name in WEB_APPLICATION)


def job_table() -> str:
    """Return the name of the table of weigh jobs."""
    return _present('weigh_job', 'prepuff_job')


def bag_table() -> str:
    """Return the name of the table of bags."""
    return _present('weigh_bag', 'filler_bag')


def _present(name: str, older: str) -> str:
    return name if inspect(op.get_bind()).has_table(name) else older
