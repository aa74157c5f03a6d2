"""Optional routes of the gateway: reports of weigh jobs, figures of pick jobs, the history, and the API for posted bags."""

from __future__ import annotations

import time
from pathlib import Path

from cell_common.database import DatabaseError
from cell_common.runner import StartError
from cell_history.queries.service import History, HistoryFolders
from cell_weighing.reader import open_reader
from rclpy.node import Node

from cell_web.parameters import GatewayParameters
from cell_web.server import Routes
from cell_web.server_figures import FiguresRoutes
from cell_web.server_history import HistoryRoutes
from cell_web.server_reports import Reports
from cell_web.server_scan import BagRecorder, ScanBag
from cell_web.tokens import TokenError, TokenFile


def report_routes(parameters: GatewayParameters) -> list[Routes]:
    """Return the routes of reports, figures and history; none without a database.

    Args:
        parameters: Of the gateway.

    Raises:
        StartError: The text is not a URL.
    """
    if not parameters.database_url:
        return []
    folders = [Path(text).expanduser() if text else None for text in (parameters.kept_frames_folder, parameters.clips_folder)]
    try:
        engine = open_reader(parameters.database_url)
        history = HistoryRoutes(
            History(engine, HistoryFolders(*folders)), time.time_ns, parameters.max_viewers, parameters.max_viewers_per_address
        )
        return [Reports(engine, time.time_ns), FiguresRoutes(engine, time.time_ns), history]
    except DatabaseError as error:
        raise StartError(str(error)) from error


def bag_api_routes(node: Node, tokens_file: str) -> list[Routes]:
    """Return the routes of the bag API; weigh_station records the bags.

    Args:
        node: The gateway's node, for the service client.
        tokens_file: File of the tokens of API clients; it may not exist yet, then every request is
            refused.

    Raises:
        StartError: The token file is not named or cannot be read.
    """
    if not tokens_file:
        raise StartError('parameter "api_enabled" needs parameter "api_tokens_file". Set it in the parameter file.')
    tokens = TokenFile(Path(tokens_file).expanduser())
    try:
        # Read once at the start, so that a damaged file is noticed then and not by the first
        # client.
        tokens.entries()
    except TokenError as error:
        raise StartError(str(error)) from error
    return [ScanBag(BagRecorder(node), tokens)]
