"""Parameters of weigh_station, and the settings derived from them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

from cell_common.parameters import ParameterError, parameter

from cell_weighing.delivery.http_client import HttpRoute, HttpRouteError
from cell_weighing.delivery.settings import SettingsError, WebAppSettings, read_settings, settings_path
from cell_weighing.domain.station_map import AliasError, StationMap, parse_aliases
from cell_weighing.domain.tolerance import plain_decimal
from cell_weighing.storage.disk_space import state_folder

PROXY_VARIABLE = 'CELL_WEIGHING_PROXY'
DEFAULT_SCALES, DEFAULT_STATIONS = ['1', '2'], ['A', 'B']


@dataclass(frozen=True)
class WeighStationParameters:
    """Parameters of weigh_station."""

    database_url: str = parameter('sqlite:///cell.db', 'Database of jobs, bags and journal of readings, as an SQLAlchemy URL.')
    scale_ids: list[str] = parameter(
        DEFAULT_SCALES, 'Indicators, each with its station at the same place in parameter stations.'
    )
    stations: list[str] = parameter(DEFAULT_STATIONS, 'Station of each indicator in parameter scale_ids.')
    aliases: list[str] = parameter(
        [''],
        'Spare scales that stand in for others, each as '
        '"9=3 2026-11-01T06:00Z/2026-11-02T18:00Z": spare, scale it stands in for, from/until.',
    )
    default_tolerance: str = parameter('0.10', 'Tolerance of a job without a tolerance of its own, as a share of the target.')
    warn_share: str = parameter(
        '0.80', 'Share of the tolerance beyond which a bag in tolerance is in a warning zone; 1 = no such zone.'
    )
    state_dir: str = parameter(
        '', 'Folder of settings.json and of the logs; empty = the folder of the database, if that is a file.'
    )
    settings_file: str = parameter(
        '',
        "The old scale server's settings.json: names the web application that bags are posted to, and the station of every "
        'scale while scale_ids and stations have their defaults; empty = settings.json in the state folder, if any.',
    )
    key_file: str = parameter(
        '',
        'File that holds the key to the web application; empty = the variable CELL_WEIGHING_API_KEY, '
        'then api_key of the settings file.',
    )
    ca_file: str = parameter(
        '',
        'PEM file of the certificate authorities that are accepted from the web application; empty = the public ones.',
    )
    proxy: str = parameter(
        '',
        'Proxy to the web application, such as "http://proxy.plant.example:3128"; empty = the variable CELL_WEIGHING_PROXY '
        '(which may hold user and password), else none.',
    )
    journal_days: int = parameter(
        365,
        'How long the journal keeps lines that became no bag; lines of bags are kept without limit; 0 = all lines are.',
        unit='d',
        minimum=0,
        maximum=36500,
    )
    log_folder: str = parameter(
        'logs',
        'Folder for the daily log files log-YYYY-MM-DD.txt, a relative one in the state folder; empty = none.',
    )
    log_days: int = parameter(90, 'How long daily log files are kept.', unit='d', minimum=1, maximum=3650)


def station_map(parameters: WeighStationParameters, settings: WebAppSettings) -> StationMap:
    """Return the station of each scale; a station in the settings file outweighs the parameters' defaults.

    Args:
        parameters: Parameters of the node.
        settings: Settings file of the old scale server; it knows one station for all scales.

    Raises:
        ParameterError: scale_ids and stations do not match, or an alias cannot be used.
    """
    scales = parameters.scale_ids
    if len(scales) != len(parameters.stations) or len(set(scales)) != len(scales):
        raise ParameterError(
            'parameters "scale_ids" and "stations" must be lists of the same length, each scale once: '
            'the first scale weighs at the first station, and so on. Correct them in the parameter file.'
        )
    try:
        aliases = parse_aliases(entry for entry in parameters.aliases if entry)
    except AliasError as error:
        raise ParameterError(f'parameter "aliases": {error}. Correct it in the parameter file.') from error
    # The old server knew one station for all scales: its setting applies unless scales were named
    # here.
    named = (scales, parameters.stations) != (DEFAULT_SCALES, DEFAULT_STATIONS) or not settings.station
    by_scale = dict(zip(scales, parameters.stations, strict=True)) if named else {}
    return StationMap(by_scale, aliases, settings.station)


def log_folder(parameters: WeighStationParameters) -> str:
    """Return the folder of the daily log; "" = no log."""
    folder = Path(parameters.log_folder).expanduser() if parameters.log_folder else None
    return str((state_folder(parameters.database_url, parameters.state_dir) or Path()) / folder) if folder else ''


def web_app_settings(parameters: WeighStationParameters) -> WebAppSettings:
    """Return the address and the settings of the web application.

    Raises:
        ParameterError: The settings file cannot be used.
    """
    try:
        return read_settings(
            settings_path(parameters.settings_file, state_folder(parameters.database_url, parameters.state_dir))
        )
    except SettingsError as error:
        raise ParameterError(f'parameter "settings_file": {error}') from error


def http_route(parameters: WeighStationParameters, environment: Mapping[str, str]) -> HttpRoute:
    """Return the certificate authority and the proxy of requests to the web application.

    Args:
        parameters: Parameters of weigh_station.
        environment: Environment variables.

    Raises:
        ParameterError: The file cannot be read, or the proxy is no address or holds a password.
    """
    if '@' in parameters.proxy:
        raise ParameterError(
            f'parameter "proxy" must hold no user and password, because parameters are public: put the URL into the variable '
            f'{PROXY_VARIABLE} and leave the parameter empty.'
        )
    file = str(Path(parameters.ca_file).expanduser()) if parameters.ca_file else ''
    route = HttpRoute(file, parameters.proxy or environment.get(PROXY_VARIABLE, ''))
    try:
        route.check()
    except HttpRouteError as error:
        raise ParameterError(f'{error}. Correct parameters "ca_file" and "proxy" in the parameter file.') from error
    return route


def parse_share(name: str, text: str, *, whole: bool = False) -> Decimal:
    """Parse a parameter that is a share between 0 and 1.

    Args:
        name: Name of the parameter, for the error.
        text: Its value.
        whole: Allow 1.

    Raises:
        ParameterError: The text is not such a share.
    """
    share = plain_decimal(text)
    if share is None or not (0 < share < 1 or (whole and share == 1)):
        raise ParameterError(
            f'parameter "{name}" is "{text}"; it must be a share between 0 and 1, such as 0.10. Correct it '
            'in the parameter file.'
        )
    return share
