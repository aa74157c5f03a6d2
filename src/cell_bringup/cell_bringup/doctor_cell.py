"""Checks of the whole cell: each says ok, or what to do.

They judge facts only; `doctor_cell_probe` gathers these. The list goes from the set-up to the data: a failure often explains
those below it. The weigh side has its own list in `doctor`.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from cell_bringup.doctor_facts import Finding, failed, ok

__all__ = ['CELL_CHECKS', 'CellFacts', 'RobotFacts', 'run_cell_checks']

LEVELS = ('ok', 'warning', 'error', 'stale')
WARN, ERROR = 1, 2
GIB = 1 << 30
LEAST_FREE = 2 * GIB
"""Bytes: below it the recorder stops."""
OLD_BACKUP_S = 7 * 86400.0
OLD_IMAGE_S = 1.0
EARLIEST_S = 1_767_225_600.0
"""2026-01-01 UTC: a computer whose clock battery is empty starts before it."""
MOST_WAITING = 100
EXPECTED = (
    'inventory',
    'coordinator',
    'alarms',
    'ocr',
    'part_matcher',
    'camera',
    'robot',
    'web_gateway',
    'rosbridge_websocket',
)
ROBOT_RUNNING = 7
"""RobotMode RUNNING of the controller."""
NO_MODE = -2
SAFE_MODES = {0: 'unknown', 1: 'normal', 2: 'reduced'}
"""Safety modes in which the arm moves."""


@dataclass(frozen=True)
class RobotFacts:
    """The robot as its node reports it.

    Attributes:
        backend: Name of the backend.
        connected: Whether the robot is connected.
        mode: Robot mode of the controller; NO_MODE = the backend cannot tell.
        safety: Safety mode; 0 = the backend cannot tell.
        message: Message for the operator; "" = none.
        model: Arm model of the controller; "" = unknown.
        recipe_model: Arm model of the recipe; "" = no recipe.
        kinematics: How recipe and controller differ; "" = not at all, or unknown.
    """

    backend: str
    connected: bool
    mode: int = NO_MODE
    safety: int = 0
    message: str = ''
    model: str = ''
    recipe_model: str = ''
    kinematics: str = ''


@dataclass(frozen=True)
class CellFacts:
    """State of the cell and its computer; None where it could not be found out.

    Attributes:
        namespace: Namespace of the cell.
        versions: Installed package of the cell -> version.
        page_built: Whether the operator page is built.
        domain: ROS_DOMAIN_ID.
        nodes: Names of the nodes in the namespace; one may occur twice.
        health: Diagnostics: "<node>: <task>" -> level and message.
        bridge: End-to-end state: "" = ok, else what fails; None = the page's server does not answer.
        image_age_s: Delay of the camera's pictures, seconds.
        robot: State of the robot.
        state_folder: State folder.
        free: Free bytes there.
        database: "" = sound and writable, else what is wrong.
        now_s: UTC, seconds since 1970.
        synchronized: Whether the clock is synchronized over the network.
        lint: What to mend in the catalogue.
        delivery: "" = bags are delivered, or none are; else what is wrong.
        waiting: Bags that wait.
        dead: Bags that the web application rejected for good.
        backup_age_s: Age of the newest backup.
        alarms: Titles of the active alarms.
    """

    namespace: str = 'cell'
    versions: Mapping[str, str] = field(default_factory=dict)
    page_built: bool = True
    domain: str = '0'
    nodes: Sequence[str] = ()
    health: Mapping[str, tuple[int, str]] | None = None
    bridge: str | None = None
    image_age_s: float | None = None
    robot: RobotFacts | None = None
    state_folder: str = ''
    free: int | None = None
    database: str | None = None
    now_s: float = EARLIEST_S
    synchronized: bool | None = None
    lint: Sequence[str] | None = None
    delivery: str | None = None
    waiting: int = 0
    dead: int = 0
    backup_age_s: float | None = None
    alarms: Sequence[str] | None = None


def _not_checked(node: str) -> Finding:
    return Finding(False, f'cannot tell: {node} does not answer', skipped=True)


def check_setup(facts: CellFacts) -> Finding:
    """Check that the operator page is built."""
    return ok('packages and page are built') if facts.page_built else failed('the operator page is not built: run make setup')


def check_versions(facts: CellFacts) -> Finding:
    """Check that all packages of the cell have one version."""
    if not facts.versions:
        return failed('no package of the cell is installed here: run make setup, then . ./env.sh')
    if len(set(facts.versions.values())) > 1:
        usual = Counter(facts.versions.values()).most_common(1)[0][0]
        others = ', '.join(f'{name} {number}' for name, number in facts.versions.items() if number != usual)
        return failed(f'{usual}, but {others}: run make setup and restart the cell')
    return ok(next(iter(facts.versions.values())))


def check_discovery(facts: CellFacts) -> Finding:
    """Check that the nodes of the cell are found, each once."""
    names = Counter(facts.nodes)
    if not names:
        return failed(
            f'no node of namespace {facts.namespace} in ROS domain {facts.domain}: start the cell (systemctl start cell), or '
            'use its ROS_DOMAIN_ID and --namespace here'
        )
    if twice := sorted(name for name, count in names.items() if count > 1):
        return failed(
            f'{", ".join(twice)} runs twice: two cells share namespace and ROS domain; stop one, or give it a namespace'
        )
    if missing := [name for name in EXPECTED if name not in names]:
        return failed(f'not running: {", ".join(missing)}: see cell logs {missing[0]}')
    return ok(f'{len(names)} nodes in ROS domain {facts.domain}')


def check_page(facts: CellFacts) -> Finding:
    """Check that requests of a page pass through web_gateway and rosbridge to the nodes and back."""
    if facts.bridge is None:
        return failed('the server of the page does not answer: see cell logs web_gateway and what listens where')
    return failed(facts.bridge) if facts.bridge else ok('requests reach the nodes and come back')


def check_node_health(facts: CellFacts) -> Finding:
    """Check that no node reports an error; the camera's and the robot's reports have lines of their own."""
    if facts.health is None:
        return _not_checked('diagnostics_aggregator')
    bad = _reports(facts.health, ERROR, lambda name: not name.startswith(('camera: ', 'robot: ', 'ocr: pictures')))
    return failed('; '.join(bad)) if bad else ok('no node reports an error')


def check_camera(facts: CellFacts) -> Finding:
    """Check delay and quality of the pictures."""
    if facts.health is None:
        return _not_checked('diagnostics_aggregator')
    bad = _reports(facts.health, WARN, lambda name: name.startswith(('camera: ', 'ocr: pictures')))
    if bad:
        return failed('; '.join(bad))
    if facts.image_age_s is None:
        return ok('delivers pictures; their delay is known after the first reading')
    if math.isfinite(facts.image_age_s) and facts.image_age_s > OLD_IMAGE_S:
        return failed(
            f'pictures come {facts.image_age_s:.1f} s late: check its cable and network, and lower rate or resolution'
        )
    return ok(f'pictures come {facts.image_age_s:.2f} s late' if math.isfinite(facts.image_age_s) else 'delivers pictures')


def check_robot(facts: CellFacts) -> Finding:
    """Check connection and mode of the robot."""
    robot = facts.robot
    if robot is None:
        return _not_checked('robot')
    if not robot.connected:
        return failed(robot.message or 'not connected: check power and network of the robot, and its program')
    if robot.safety not in SAFE_MODES:
        return failed(
            robot.message or f'safety mode {robot.safety}: clear it at the machine, then recover the robot on the page'
        )
    if robot.mode not in (ROBOT_RUNNING, NO_MODE):
        return failed(robot.message or f'robot mode {robot.mode}: power it on and release its brakes')
    return failed(robot.message) if robot.message else ok(f'connected over {robot.backend}, can move')


def check_robot_model(facts: CellFacts) -> Finding:
    """Check that the recipe is for the connected arm."""
    robot = facts.robot
    if robot is None:
        return _not_checked('robot')
    if robot.kinematics:
        return failed(robot.kinematics)
    if not robot.model or not robot.recipe_model:
        return ok(f'not reported over {robot.backend}')
    if robot.model.lower().rstrip('e') != robot.recipe_model.lower().rstrip('e'):
        return failed(
            f'the controller is a {robot.model}, the recipe is for {robot.recipe_model}: correct `robot` in the recipe'
        )
    return ok(f'{robot.model}, as in the recipe')


def check_clock(facts: CellFacts) -> Finding:
    """Check that the clock is set and synchronized."""
    if facts.now_s < EARLIEST_S:
        return failed('the clock is in the past: set it (timedatectl set-ntp true), then restart the cell')
    if facts.synchronized is False:
        return failed('not synchronized: times in reports and audits drift (timedatectl set-ntp true)')
    return ok('synchronized' if facts.synchronized else 'plausible; whether it is synchronized cannot be told here')


def check_disk(facts: CellFacts) -> Finding:
    """Check the free space of the state folder."""
    if facts.free is None:
        return failed(f'{facts.state_folder} does not exist: start the cell once, or use its user here')
    if facts.free < LEAST_FREE:
        return failed(f'only {facts.free / GIB:.1f} GiB are free at {facts.state_folder}: delete recordings or kept pictures')
    return ok(f'{facts.free / GIB:.1f} GiB free')


def check_cell_database(facts: CellFacts) -> Finding:
    """Check the database."""
    if facts.database is None:
        return ok('on a server: its own tools check it')
    return failed(facts.database) if facts.database else ok('sound and writable')


def check_catalogue(facts: CellFacts) -> Finding:
    """Check that parts can be told apart."""
    if facts.lint is None:
        return _not_checked('part_matcher')
    if facts.lint:
        return failed(f'{facts.lint[0]} ({len(facts.lint)} to mend: cell catalogue lint)')
    return ok('all parts can be told apart')


def check_delivery(facts: CellFacts) -> Finding:
    """Check that bags reach the web application."""
    if facts.delivery is None:
        return _not_checked('weigh_station')
    counts = f'{facts.waiting} wait, {facts.dead} refused'
    if facts.delivery:
        return failed(f'{facts.delivery} ({counts}); details: cell doctor weighing')
    if facts.dead or facts.waiting > MOST_WAITING:
        return failed(f'{counts}: cell doctor weighing names the cause')
    return ok(counts)


def check_backups(facts: CellFacts) -> Finding:
    """Check that there is a backup of the last week."""
    if facts.backup_age_s is None:
        return failed('there is no backup: run cell backup, best every night, and copy it to another computer')
    days = facts.backup_age_s / 86400.0
    if facts.backup_age_s > OLD_BACKUP_S:
        return failed(f'the newest backup is {days:.0f} days old: run cell backup, best every night')
    return ok(f'newest one {days:.1f} days old')


def check_alarms(facts: CellFacts) -> Finding:
    """List the active alarms."""
    if facts.alarms is None:
        return _not_checked('alarms')
    shown = '; '.join(facts.alarms[:5])
    return failed(f'{shown}: follow the steps on the page') if facts.alarms else ok('none is active')


CELL_CHECKS: tuple[tuple[str, Callable[[CellFacts], Finding]], ...] = (
    ('set-up', check_setup),
    ('versions', check_versions),
    ('discovery', check_discovery),
    ('page and rosbridge', check_page),
    ('health of the nodes', check_node_health),
    ('camera', check_camera),
    ('robot', check_robot),
    ('robot model', check_robot_model),
    ('system clock', check_clock),
    ('disk', check_disk),
    ('database file', check_cell_database),
    ('catalogue', check_catalogue),
    ('delivery', check_delivery),
    ('backups', check_backups),
    ('alarms', check_alarms),
)


def run_cell_checks(facts: CellFacts) -> list[tuple[str, Finding]]:
    """Run every check.

    Args:
        facts: Of `doctor_cell_probe.gather_cell`.

    Returns:
        (name, finding) of each check, in the order of CELL_CHECKS.
    """
    return [(name, check(facts)) for name, check in CELL_CHECKS]


def _reports(health: Mapping[str, tuple[int, str]], least: int, wanted: Callable[[str], bool]) -> list[str]:
    """Return the reports of at least a level as texts."""
    return [
        f'{name} is {LEVELS[min(level, 3)]}' + (f' ({message})' if message else '')
        for name, (level, message) in sorted(health.items())
        if level >= least and wanted(name)
    ]
