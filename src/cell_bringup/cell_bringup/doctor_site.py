"""Checks for the mistakes of a first day: format, line ends, units, clock, a second server, old bags, user."""

from __future__ import annotations

import getpass
import os
import time
from collections import Counter
from datetime import datetime, timezone
from email.utils import parsedate_to_datetime
from pathlib import Path

from cell_weighing.configuration import log_folder
from cell_weighing.reader import open_reader, read_backlog, read_outbox_counts
from sqlalchemy.engine import make_url

from cell_bringup.doctor_facts import (
    HTTP_S,
    Facts,
    Finding,
    bridge_of,
    failed,
    ok,
    session_of,
    settings_of,
    station_of,
    stations_of,
)

__all__ = [
    'check_clock',
    'check_formats',
    'check_line_ends',
    'check_old_bags',
    'check_one_server',
    'check_units',
    'check_user',
]

CLOCK_S = 60.0
OLD_S = 86_400.0
EARLIEST = 1_767_225_600.0
"""1 January 2026, UTC: an earlier time is that of a machine without a clock."""
SYNCHRONIZED = Path('/run/systemd/timesync/synchronized')
ONCE = ('scale_bridge', 'weigh_station')


def check_formats(facts: Facts) -> Finding:
    """Check that the lines of every indicator are understood.

    An indicator counts as wrong when it has sent at least as many malformed lines as weights: a line of noise is no wrong
    format.
    """
    wrong = [scale for scale in facts.scales if scale.malformed and scale.malformed >= scale.readings]
    if wrong:
        names = ', '.join(f'{scale.scale_id or scale.peer} ({scale.format or "legacy"})' for scale in wrong)
        return failed(
            f'lines that are no weights: {names}. Find the format with "cell scale try" and bytes of the indicator, then set '
            'codec, or peers for this indicator alone; or correct the print format in the indicator'
        )
    return ok('every indicator that sends lines is understood')


def check_line_ends(facts: Facts) -> Finding:
    """Name the indicators that send no line end, and check that their records can end.

    An indicator that is connected and has neither weights nor malformed lines has sent nothing that ended.

    Raises:
        NotRunningError: scale_bridge does not answer.
    """
    without = [scale.scale_id for scale in facts.scales if scale.needs_silence]
    silence = bridge_of(facts).record_silence
    mute = [scale.peer for scale in facts.scales if scale.connected and not scale.readings and not scale.malformed]
    if not silence and mute:
        return failed(
            f'connected without a whole line: {", ".join(mute)}. An indicator that sends no CR or LF is never read while '
            'record_silence is 0: set it to 0.2'
        )
    if without:
        return ok(f'{", ".join(without)} send no line end: a silence of {silence:g} s ends their records')
    return ok('every indicator that has sent lines ends them')


def check_units(facts: Facts) -> Finding:
    """Check that indicators send the unit of the weigh job at their station.

    Raises:
        NotRunningError: weigh_station does not answer.
    """
    stations = stations_of(facts)
    pairs = [(scale, facts.units.get(stations.station_of(scale.scale_id, 0), '')) for scale in facts.scales if scale.unit]
    strange = [
        f'scale {scale.scale_id} sends {scale.unit}, its job is in {unit}'
        for scale, unit in pairs
        if unit not in ('', scale.unit)
    ]
    if strange:
        return failed(
            f'{"; ".join(strange)}. Weights are converted exactly, so this works; but if the unit was switched by mistake, '
            'press the unit key of the indicator, or end the job and start it in the right unit'
        )
    return ok('indicators and jobs have the same unit')


def check_clock(facts: Facts) -> Finding:
    """Compare the clock with that of the web application, or look whether it is synchronized.

    The web application's clock is its header `Date`, which has whole seconds. A machine without a clock starts in the past.

    Raises:
        NotRunningError: weigh_station does not answer.
        requests.RequestException: The web application cannot be reached.
    """
    now = time.time()
    if now < EARLIEST:
        return failed(
            f'the clock says {datetime.fromtimestamp(now, timezone.utc):%Y-%m-%d}: set it (timedatectl set-ntp true), then '
            'restart the cell'
        )
    settings = settings_of(facts)
    if settings.url:
        with session_of(facts) as session:
            date = session.head(settings.url, timeout=HTTP_S, allow_redirects=False).headers.get('Date', '')
        off = _seconds_ahead(date)
        if off is not None and abs(off) > CLOCK_S:
            return failed(
                f'this clock is {abs(off):.0f} s {"ahead of" if off > 0 else "behind"} that of the web application: '
                'synchronize both (timedatectl set-ntp true)'
            )
        if off is not None:
            return ok('agrees with the web application')
    if SYNCHRONIZED.exists():
        return ok('synchronized')
    return ok('plausible; whether it is synchronized cannot be told here (timedatectl)')


def check_one_server(facts: Facts) -> Finding:
    """Check that no second cell and no second node reads the indicators or posts the bags.

    Nodes are compared by their name alone: a second cell usually has a namespace of its own and the same port.
    """
    names = Counter(name.rpartition('/')[2] for name in facts.nodes)
    twice = [name for name in ONCE if names[name] > 1]
    if twice:
        where = ', '.join(sorted(name for name in facts.nodes if name.rpartition('/')[2] in twice))
        return failed(
            f'running more than once: {where}. Stop the ones that are not needed (systemctl stop), or give each cell its '
            'ROS_DOMAIN_ID, its port and its state folder'
        )
    return ok('each weighing node runs once')


def check_old_bags(facts: Facts) -> Finding:
    """Look for bags of an earlier installation or a trial that would be posted, and for lines that were not processed.

    Raises:
        NotRunningError: weigh_station does not answer.
        SQLAlchemyError: The database cannot be read.
    """
    engine = open_reader(station_of(facts).database_url)
    try:
        counts, backlog = read_outbox_counts(engine), read_backlog(engine)
    finally:
        engine.dispose()
    now = time.time()
    if counts.waiting and now - counts.oldest_ns / 1e9 > OLD_S:
        return failed(
            f'{counts.waiting} bags wait for the web application, the oldest of {_day(counts.oldest_ns)}: if they are of a '
            'trial or of another cell, stop the cell and give it a new state folder, else correct what keeps them'
        )
    if backlog.lines and now - backlog.oldest_ns / 1e9 > OLD_S:
        return failed(
            f'{backlog.lines} lines of the journal since {_day(backlog.oldest_ns)} are not processed: the state folder is that '
            'of another time, or weigh_station uses another database than scale_bridge'
        )
    return ok('no bag is older than a day')


def check_user(facts: Facts) -> Finding:
    """Check that this user is the one whose files the cell uses.

    Files that belong to root are not reported here: `check_database` finds out whether they can be written.

    Raises:
        NotRunningError: weigh_station does not answer.
    """
    parameters = station_of(facts)
    parsed = make_url(parameters.database_url)
    path = Path(parsed.database or '').expanduser() if parsed.get_backend_name() == 'sqlite' else None
    if path and path.exists() and path.stat().st_uid not in (os.getuid(), 0) and os.getuid() != 0:
        return failed(
            f'{path} belongs to another user than {getpass.getuser()}: run the cell, and this command, as the user of the '
            'service (sudo -u cell cell doctor weighing)'
        )
    folder = log_folder(parameters)
    if folder and Path(folder).exists() and not os.access(folder, os.W_OK):
        return failed(f'{folder} is not writable for {getpass.getuser()}: correct its owner (chown), or parameter log_folder')
    for name, file in (('key_file', parameters.key_file), ('settings_file', parameters.settings_file)):
        if file and Path(file).expanduser().exists() and not os.access(Path(file).expanduser(), os.R_OK):
            return failed(f'{file} (parameter {name}) is not readable for {getpass.getuser()}: correct its owner or its mode')
    return ok(f'{getpass.getuser()} may use the files of the cell')


def _seconds_ahead(date: str) -> float | None:
    """Return how far this clock is ahead of an HTTP date; None = there is no date."""
    try:
        return time.time() - parsedate_to_datetime(date).timestamp()
    except ValueError:
        return None


def _day(nanoseconds: int) -> str:
    return f'{datetime.fromtimestamp(nanoseconds / 1e9, timezone.utc):%Y-%m-%d}'
