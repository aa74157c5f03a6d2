"""Checks of the weigh side: each says ok, or what to do.

The list follows the path of a bag: indicator, network, node, job, database, web application. `doctor_probe` gathers the facts;
the checks judge them, and test sockets, HTTP and files themselves.
"""

from __future__ import annotations

import os
import shutil
import socket
from collections.abc import Callable, Sequence
from pathlib import Path

import requests
from cell_common.database import open_database
from cell_common.parameters import ParameterError
from cell_web.tokens import TokenError, TokenFile
from cell_weighing.configuration import SettingsError, describe_error, read_api_key
from cell_weighing.reader import open_reader, read_outbox_counts
from rich.console import Console
from rich.markup import escape
from rich.table import Table
from sqlalchemy.engine import make_url
from sqlalchemy.exc import SQLAlchemyError

from cell_bringup.doctor_facts import (
    HTTP_S,
    Facts,
    Finding,
    NotRunningError,
    Scale,
    bridge_of,
    failed,
    ok,
    session_of,
    settings_of,
    station_of,
    stations_of,
)
from cell_bringup.doctor_firewall import check_firewall
from cell_bringup.doctor_listening import check_addresses
from cell_bringup.doctor_site import (
    check_clock,
    check_formats,
    check_line_ends,
    check_old_bags,
    check_one_server,
    check_units,
    check_user,
)

CONNECT_S = 2.0
SILENT_S = 3600.0
LEAST_FREE = 1 << 30
MOST_WAITING = 100


def check_nodes(facts: Facts) -> Finding:
    """Check that the nodes answer."""
    missing = [name for name, found in (('scale_bridge', facts.bridge), ('weigh_station', facts.station)) if found is None]
    if missing:
        answer = 'does not answer' if len(missing) == 1 else 'do not answer'
        return failed(
            f'{" and ".join(missing)} {answer}: start the cell (systemctl start cell), and use its ROS_DOMAIN_ID and namespace '
            'here. A node that ends again says why: journalctl -u cell | grep "cannot start", or the terminal of the launch'
        )
    return ok('scale_bridge and weigh_station answer')


def check_listening(facts: Facts) -> Finding:
    """Connect to the port for indicators.

    An address of this machine is tried, so a firewall between both machines is not noticed here.

    Raises:
        NotRunningError: scale_bridge does not answer.
    """
    parameters = bridge_of(facts)
    port = facts.port or parameters.port
    try:
        socket.create_connection((_near(parameters.listen_address), port), CONNECT_S).close()
    except OSError as error:
        return failed(
            f'nothing listens on port {port} ({error.strerror or error}): see the log of scale_bridge; another '
            f'program may hold the port (ss -ltnp sport = :{port})'
        )
    return ok(f'port {port} accepts connections')


def check_scales(facts: Facts) -> Finding:
    """Check that each configured scale is connected and sends data.

    A scale is silent when its last line is older than SILENT_S: bags may be rare, but not that rare.

    Raises:
        NotRunningError: weigh_station does not answer.
    """
    known = {scale.scale_id: scale for scale in facts.scales}
    # Without scales in the parameters, settings.json names one station for all: then those that have sent data count.
    wanted = list(stations_of(facts).by_scale) or [scale.scale_id for scale in facts.scales if scale.scale_id]
    mute = [scale.peer for scale in facts.scales if scale.connected and not scale.scale_id and scale.last_seen_s is None]
    hint = f'; connected and silent so far: {", ".join(mute)}: press PRINT there' if mute else ''
    if not wanted:
        return failed(f'no indicator has sent a line yet{hint}. Check power, network cable and its target address')
    absent = [scale_id for scale_id in wanted if not (scale_id in known and known[scale_id].connected)]
    said = ', '.join(f'{scale_id} {_last_seen_text(known.get(scale_id))}' for scale_id in wanted)
    if absent:
        return failed(
            f'not connected: {", ".join(absent)} ({said}){hint}. Check power, network cable and the target address in the '
            'indicator; see firewall below'
        )
    silent = [i for i in wanted if known[i].last_seen_s is None or (known[i].last_seen_s or 0.0) > SILENT_S]
    if silent:
        return failed(
            f'connected but silent: {", ".join(silent)} ({said}). Press PRINT at the indicator; check that its print '
            'format begins with the scale id'
        )
    return ok(said)


def check_scale_names(facts: Facts) -> Finding:
    """Check that every scale that sends data belongs to a station.

    Raises:
        NotRunningError: weigh_station does not answer.
    """
    stations = stations_of(facts)
    strange = [
        scale.scale_id
        for scale in facts.scales
        if scale.scale_id
        and not stations.station_of(scale.scale_id, 0)
        and not any(alias.scale_id == scale.scale_id for alias in stations.aliases)
    ]
    if strange:
        return failed(
            f'scales that belong to no station: {", ".join(strange)}. Add them to scale_ids and stations of '
            'weigh_station, or correct the id in the print format'
        )
    return ok('every scale that sends data belongs to a station')


def check_active_jobs(facts: Facts) -> Finding:
    """Check that each station has an active weigh job; bags without one are not counted.

    Raises:
        NotRunningError: weigh_station does not answer.
    """
    idle = [name for name in stations_of(facts).names if not facts.active.get(name)]
    if idle:
        return failed(f'no active weigh job at {", ".join(idle)}: bags weighed there count for none. Start one on the page')
    return ok(f'active at {", ".join(stations_of(facts).names)}')


def check_station_names(facts: Facts) -> Finding:
    """Check that jobs are at stations that have a scale: a name with other capitals is another station."""
    strange = sorted(set(facts.active) - set(stations_of(facts).names))
    if strange:
        return failed(
            f'weigh jobs at {", ".join(strange)}, where no scale weighs: names must be alike, capitals too, in '
            'parameter stations and in the job'
        )
    return ok('jobs and parameters name the same stations')


def check_web_application(facts: Facts) -> Finding:
    """Check that the web application responds.

    A 4xx status counts as a response, because the endpoint only accepts POST. A redirect does not: the sender follows none, so
    that the key goes to no other host.
    """
    settings = settings_of(facts)
    if not settings.url:
        return ok('none is configured')
    try:
        with session_of(facts) as session:
            answer = session.head(settings.url, timeout=HTTP_S, allow_redirects=False)
    except requests.RequestException as error:
        return failed(f'{settings.url} cannot be reached ({describe_error(error)}): check site_url, the network and its server')
    # 501: the application has no HEAD, which it need not have.
    if (answer.status_code >= 500 and answer.status_code != 501) or 300 <= answer.status_code < 400:
        return failed(f'{settings.url} answers HTTP {answer.status_code}: check site_url, controller and function')
    return ok(f'{settings.url} answers')


def check_api_key(facts: Facts) -> Finding:
    """Send the key with an empty form: no bag can be recorded, but a wrong key is rejected."""
    settings = settings_of(facts)
    if not settings.url:
        return ok('none is needed')
    key = read_api_key(settings, station_of(facts).key_file, facts.environment)
    with session_of(facts) as session:
        answer = session.post(
            settings.url, data={}, headers={'Authorization': f'Bearer {key}'}, timeout=HTTP_S, allow_redirects=False
        )
    # A 4xx other than these and 404 comes from the empty form, after the key was accepted.
    if answer.status_code in (401, 403):
        return failed(
            f'the web application does not accept the key (HTTP {answer.status_code}): get a new one and put it where '
            'the old one is (key_file, CELL_WEIGHING_API_KEY or settings.json)'
        )
    if answer.status_code == 404:
        return failed(f'{settings.url} is not there (HTTP 404): check site_url, controller and function')
    if answer.status_code >= 500:
        return failed(f'the web application answers HTTP {answer.status_code}: see its log')
    return ok('the key is accepted')


def check_outbox(facts: Facts) -> Finding:
    """Count the bags on their way to the web application; rejected ones wait for an operator.

    Raises:
        NotRunningError: weigh_station does not answer.
        SQLAlchemyError: The database cannot be read.
    """
    engine = open_reader(station_of(facts).database_url)
    try:
        counts = read_outbox_counts(engine)
    finally:
        engine.dispose()
    text = f'{counts.waiting} waiting, {counts.delivered} delivered, {counts.dead} refused'
    if counts.dead or counts.waiting > MOST_WAITING:
        return failed(
            f'{text}: fix the causes named above; waiting bags are then sent, refused ones after an operator has requested it'
        )
    return ok(text)


def check_own_api(facts: Facts) -> Finding:
    """Check that the API that the cell serves answers and has tokens."""
    gateway = facts.gateway
    if gateway is None or not gateway.api_enabled:
        return ok('not served')
    url = f'http://{_near(gateway.listen_address)}:{gateway.port}/api/openapi.json'
    answer = requests.get(url, timeout=HTTP_S)
    if answer.status_code != 200:
        return failed(f'{url} answers HTTP {answer.status_code}: see the log of web_gateway')
    names = [entry.name for entry in TokenFile(Path(gateway.api_tokens_file).expanduser()).entries()]
    if not names:
        return failed(f'nobody has a token: cell token new <name> --file {gateway.api_tokens_file}')
    return ok(f'served; tokens of {", ".join(names)}')


def check_database(facts: Facts) -> Finding:
    """Check that the database accepts writes and has room.

    Free space is only known for SQLite, whose file lies on this machine.

    Raises:
        NotRunningError: weigh_station does not answer.
    """
    url = station_of(facts).database_url
    parsed = make_url(url)
    free = ''
    if parsed.get_backend_name() == 'sqlite':
        path = Path(parsed.database or '').expanduser()
        if not path.is_file():
            return failed(
                f'{path} is not there: relative paths start where the cell was started; set launch argument state_dir'
            )
        if not os.access(path, os.W_OK) or not os.access(path.parent, os.W_OK):
            return failed(f'{path} is not writable: run as the user of the cell, or correct the owner of its folder')
        room = shutil.disk_usage(path.parent).free
        free = f', {room / (1 << 30):.1f} GiB free'
        if room < LEAST_FREE:
            return failed(f'only {room / (1 << 20):.0f} MiB are free at {path.parent}: free space')
    engine = open_database(url)
    try:
        with engine.connect() as connection:
            # On SQLite this takes the write lock, which shows a read-only file or a process that holds it.
            connection.begin().rollback()
    finally:
        engine.dispose()
    return ok(f'may be written{free}')


CHECKS: tuple[tuple[str, Callable[[Facts], Finding]], ...] = (
    ('nodes running', check_nodes),
    ('server listening', check_listening),
    ('scales connected', check_scales),
    ('lines understood', check_formats),
    ('line ends', check_line_ends),
    ('scales known', check_scale_names),
    ('active weigh job', check_active_jobs),
    ('station names agree', check_station_names),
    ('units agree', check_units),
    ('web application reachable', check_web_application),
    ('key accepted', check_api_key),
    ('bags on their way', check_outbox),
    ('old bags', check_old_bags),
    ('clock', check_clock),
    ('one server', check_one_server),
    ('user', check_user),
    ('own API', check_own_api),
    ('firewall', check_firewall),
    ('what listens where', check_addresses),
    ('database', check_database),
)


def run_checks(facts: Facts) -> list[tuple[str, Finding]]:
    """Run every check; one that raises is reported as failed, so the others still run.

    Args:
        facts: Of `doctor_probe.gather`.

    Returns:
        (name, finding) of each check, in the order of CHECKS.
    """
    return [(name, _try(check, facts)) for name, check in CHECKS]


def print_findings(findings: Sequence[tuple[str, Finding]], console: Console) -> int:
    """Print the findings as a table, one line for each check.

    Args:
        findings: Name of the check, and its result.
        console: Output.

    Returns:
        Exit code: 1 if one is not ok.
    """
    table = Table(box=None)
    for heading in ('check', '', 'what to do'):
        table.add_column(heading, overflow='fold')
    skipped = [name for name, finding in findings if finding.skipped]
    for name, finding in findings:
        if finding.skipped:
            continue
        table.add_row(escape(name), '[green]ok[/]' if finding.ok else '[red]not ok[/]', escape(finding.text))
    if skipped:
        table.add_row('[dim]not checked[/]', '', escape(f'as long as a node does not answer: {", ".join(skipped)}'))
    console.print(table)
    return 0 if all(finding.ok for _, finding in findings) else 1


def _try(check: Callable[[Facts], Finding], facts: Facts) -> Finding:
    """Return the finding of a check; an exception becomes a finding with its cause."""
    try:
        return check(facts)
    except NotRunningError as error:
        return Finding(False, str(error), skipped=True)
    except (ParameterError, SettingsError, TokenError) as error:
        return failed(str(error))
    except requests.RequestException as error:
        return failed(f'no answer ({describe_error(error)}): see the lines above')
    except SQLAlchemyError as error:
        return failed(f'the database refuses: {getattr(error, "orig", None) or error}')
    except Exception as error:
        return failed(f'{type(error).__name__}: {error}')


def _last_seen_text(scale: Scale | None) -> str:
    """Return how long ago a scale has sent a line, as a text; ages are in seconds."""
    if scale is None or scale.last_seen_s is None:
        return 'no data received'
    return f'last line {scale.last_seen_s:.0f} s ago'


def _near(address: str) -> str:
    """Return the address at which a server that listens everywhere is reached from this machine."""
    return '127.0.0.1' if address in ('', '0.0.0.0', '::') else address
