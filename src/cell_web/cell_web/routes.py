"""What the gateway serves beside the page: reports of weigh jobs, and the API that bags are posted to."""

from __future__ import annotations

import time
from decimal import Decimal
from pathlib import Path

from cell_common.database import DatabaseError, migrate, open_database
from cell_common.runner import StartError
from cell_weighing.domain.station_map import Stations
from cell_weighing.domain.tolerance import plain_decimal
from cell_weighing.reports.reader import open_reader
from cell_weighing.station.store import WeighStore
from sqlalchemy.exc import SQLAlchemyError

from cell_web.server import Part
from cell_web.server_reports import Reports
from cell_web.server_scan import ScanBag
from cell_web.tokens import TokenError, TokenFile


def reports(database_url: str) -> list[Part]:
    """Return the reports; none without a database.

    Raises:
        StartError: The URL is not one.
    """
    if not database_url:
        return []
    try:
        return [Reports(open_reader(database_url), time.time_ns)]
    except DatabaseError as problem:
        raise StartError(str(problem)) from problem


def api(database_url: str, tokens_file: str, warn_share: str) -> list[Part]:
    """Return the API.

    Raises:
        StartError: A parameter is missing or cannot be used.
    """
    if not database_url or not tokens_file:
        raise StartError(
            'parameter "api_enabled" needs parameters "database_url" and "api_tokens_file". Set them in the parameter file.'
        )
    share = plain_decimal(warn_share)
    if share is None or not 0 < share <= 1:
        raise StartError(
            f'parameter "warn_share" is "{warn_share}"; it must be a share between 0 and 1, such as 0.80. Correct '
            'it in the parameter file.'
        )
    tokens = TokenFile(Path(tokens_file).expanduser())
    try:
        tokens.entries()
        return [ScanBag(_store(database_url, share), tokens, time.time_ns)]
    except (TokenError, DatabaseError, SQLAlchemyError) as problem:
        raise StartError(str(problem)) from problem


def _store(database_url: str, warn_share: Decimal) -> WeighStore:
    engine = open_database(database_url)
    migrate(engine, 'cell_weighing')
    return WeighStore(engine, Stations({}), time.time_ns, warn_share=warn_share)
