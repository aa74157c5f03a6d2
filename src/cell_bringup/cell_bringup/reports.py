"""Write reports of weigh jobs from the database; the cell need not be running."""

from __future__ import annotations

import time
from pathlib import Path

from cell_common.database import DatabaseError
from cell_weighing.reader import NoSuchJobError, open_reader, read_job_report
from cell_weighing.reports import report_csv, report_html
from rich.console import Console
from rich.markup import escape
from sqlalchemy.exc import SQLAlchemyError


def write_report(job_id: int, url: str, folder: Path, console: Console) -> int:
    """Write weigh_job_<id>.html and weigh_job_<id>.csv; return the exit code.

    Args:
        job_id: Id of the weigh job.
        url: SQLAlchemy URL of the database.
        folder: Existing folder of the two files.
        console: Output.
    """
    try:
        batch = read_job_report(open_reader(url), job_id)
        page, table = folder / f'weigh_job_{job_id}.html', folder / f'weigh_job_{job_id}.csv'
        page.write_text(report_html(batch, time.time_ns()), encoding='utf-8')
        # The text has the line ends of CSV (RFC 4180) already.
        table.write_text(report_csv(batch), encoding='utf-8', newline='')
    except SQLAlchemyError as error:
        reason = getattr(error, 'orig', None) or error
        console.print(
            f'[red]Cannot read the database {escape(f"{url}: {reason}")}.[/] Give its URL with --database-url.', soft_wrap=True
        )
        return 1
    except NoSuchJobError as error:
        console.print(f'[red]{escape(f"{error} in {url}")}[/]', soft_wrap=True)
        return 1
    except (DatabaseError, OSError) as error:
        console.print(f'[red]{escape(str(error))}[/]', soft_wrap=True)
        return 1
    console.print(escape(f'{page}\n{table}'))
    return 0
