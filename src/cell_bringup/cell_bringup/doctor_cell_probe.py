"""Gathers the facts that `doctor_cell` judges: from the nodes, the page's server, and the files of this computer."""

from __future__ import annotations

import contextlib
import ctypes
import os
import shutil
import sqlite3
import time
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import requests
from ament_index_python.packages import PackageNotFoundError, get_package_share_directory
from cell_common.catalogue import CatalogueError
from cell_common.catalogue_file import load_catalogue
from cell_common.qos import events, latched
from cell_vision.matching.catalogue_trial import lint
from cell_web.parameters import GatewayParameters
from diagnostic_msgs.msg import DiagnosticArray
from sqlalchemy.engine import make_url
from std_msgs.msg import Float32

from cell_bringup.backup import newest_backup
from cell_bringup.client import CellClient, CellError
from cell_bringup.doctor_cell import CellFacts, RobotFacts
from cell_bringup.state_folder import CellState, find_state
from cell_bringup.versions import cell_packages
from cell_interfaces.msg import Alarm, AlarmList, DeliveryState, RobotState
from cell_interfaces.srv import GetRobotDetails

__all__ = ['gather_cell']

WAIT_S = 4.0
HTTP_S = 5.0
STA_UNSYNC = 0x0040
"""Bit of adjtimex(2): the kernel's clock is not synchronized."""
ACTIVE = (Alarm.UNACKNOWLEDGED, Alarm.ACKNOWLEDGED)
DELIVERY_FAILS = (DeliveryState.RETRYING, DeliveryState.PAUSED)


def gather_cell(client: CellClient, namespace: str, gateway: GatewayParameters | None) -> CellFacts:
    """Return what nodes, page and files tell within a few seconds.

    Args:
        client: Client of the cell.
        namespace: Namespace of the cell.
        gateway: Parameters of web_gateway; None = it does not answer.
    """
    newest: dict[str, Any] = {}

    def keep(name: str, kind: Any, profile: Any) -> None:
        client.node.create_subscription(kind, name, lambda message: newest.__setitem__(name, message), profile)

    for name, kind in (('robot/state', RobotState), ('alarms', AlarmList), ('weighing/delivery', DeliveryState)):
        keep(name, kind, latched())
    keep('diagnostics_agg', DiagnosticArray, 10)
    keep('camera/image_age', Float32, events())
    with contextlib.suppress(CellError):
        client.wait_for(lambda: len(newest) == 5, WAIT_S, 'report')
    state = find_state(namespace)
    delivery = newest.get('weighing/delivery')
    alarms = newest.get('alarms')
    return CellFacts(
        namespace=namespace,
        versions=cell_packages(),
        page_built=_page_is_built(),
        domain=os.environ.get('ROS_DOMAIN_ID', '0'),
        nodes=_nodes(client, namespace),
        health=_health(newest.get('diagnostics_agg')),
        bridge=None if gateway is None else _bridge(gateway),
        image_age_s=newest['camera/image_age'].data if 'camera/image_age' in newest else None,
        robot=_robot(client, newest.get('robot/state')),
        state_folder=str(state.folder),
        free=shutil.disk_usage(state.folder).free if state.folder.is_dir() else None,
        database=_database(state),
        now_s=time.time(),
        synchronized=_is_synchronized(),
        lint=_lint(state),
        delivery=None if delivery is None else delivery.message if delivery.state in DELIVERY_FAILS else '',
        waiting=delivery.waiting if delivery is not None else 0,
        dead=delivery.dead if delivery is not None else 0,
        backup_age_s=_backup_age(state),
        alarms=None
        if alarms is None
        else [a.text for a in alarms.alarms if a.state in (Alarm.UNACKNOWLEDGED, Alarm.ACKNOWLEDGED)],
    )


def _nodes(client: CellClient, namespace: str) -> list[str]:
    inside = f'/{namespace.strip("/")}' if namespace.strip('/') else '/'
    found = client.node.get_node_names_and_namespaces()
    return [name for name, where in found if where == inside and not name.startswith(('cell_cli_', '_ros2cli'))]


def _health(tree: Any) -> dict[str, tuple[int, str]] | None:
    """Return the leaves of the diagnostics tree; groups end without a task."""
    if tree is None:
        return None
    leaves = (status for status in tree.status if ': ' in status.name.rpartition('/')[2])
    return {status.name.rpartition('/')[2]: (status.level[0], status.message) for status in leaves}


def _bridge(gateway: GatewayParameters) -> str | None:
    """Return what the end-to-end check of web_gateway says; "" = ok, None = no answer."""
    host = '127.0.0.1' if gateway.listen_address in ('', '0.0.0.0', '::') else gateway.listen_address
    try:
        answer = requests.get(f'http://{host}:{gateway.port}/readyz', timeout=HTTP_S)
        return '' if answer.status_code == 200 else str(answer.json().get('message') or answer.status_code)
    except (requests.RequestException, ValueError, AttributeError):
        return None


def _robot(client: CellClient, state: RobotState | None) -> RobotFacts | None:
    if state is None:
        return None
    facts = RobotFacts(state.backend, state.connected, state.robot_mode, state.safety_mode, state.message)
    try:
        details = client.call(GetRobotDetails, 'robot/get_details', GetRobotDetails.Request())
    except CellError:  # a backend that knows no arm refuses
        return facts
    differ = details.kinematics == GetRobotDetails.Response.KINEMATICS_DIFFER
    text = details.kinematics_text if differ else ''
    return replace(facts, model=details.model, recipe_model=details.recipe_model, kinematics=text)


def _database(state: CellState) -> str | None:
    """Return what is wrong with a SQLite database; "" = nothing, None = it is on a server."""
    url = make_url(state.database_url)
    if url.get_backend_name() != 'sqlite' or not url.database:
        return None
    path = Path(url.database).expanduser()
    if not path.is_file():
        return f'{path} does not exist: start the cell once, or use its user here'
    if not os.access(path, os.W_OK):
        return f'{path} is not writable: use the user of the cell here, or correct its owner'
    try:
        with closing(sqlite3.connect(f'file:{path}?mode=ro', uri=True, timeout=5.0)) as database:
            result = str(database.execute('PRAGMA quick_check(1)').fetchone()[0])
    except sqlite3.Error as error:
        result = str(error)
    return '' if result == 'ok' else f'{path} is damaged ({result}): stop the cell and restore a backup (cell restore)'


def _lint(state: CellState) -> list[str] | None:
    """Return what to mend in the catalogue of the running cell, or the shipped one."""
    try:
        shipped = Path(get_package_share_directory('cell_bringup')) / 'config' / 'parts.yaml'
        return list(lint(load_catalogue(state.files.get('catalogue_file', shipped)))[0])
    except CatalogueError as error:
        return [str(error)]
    except PackageNotFoundError:
        return None


def _page_is_built() -> bool:
    with contextlib.suppress(PackageNotFoundError):
        share = Path(get_package_share_directory('cell_web'))
        return (share / 'hmi' / 'index.html').is_file()
    return False


def _backup_age(state: CellState) -> float | None:
    found = newest_backup(state.folder)
    return None if found is None else max(0.0, time.time() - found.stat().st_mtime)


def _is_synchronized() -> bool | None:
    """Return what the kernel knows of its clock; None where it cannot be asked."""
    try:
        library = ctypes.CDLL(None, use_errno=True)
        # struct timex is smaller than this; modes = 0 only reads. `status` follows five longs and an int, padded.
        buffer = ctypes.create_string_buffer(512)
        if library.adjtimex(buffer) < 0:
            return None
        status = ctypes.c_int.from_buffer(buffer, 5 * ctypes.sizeof(ctypes.c_long)).value
    except (OSError, AttributeError):
        return None
    return not status & STA_UNSYNC
