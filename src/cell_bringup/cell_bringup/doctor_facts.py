"""Facts that the checks of the weigh side judge, and what a check finds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

import requests
from cell_web.parameters import GatewayParameters
from cell_weighing.configuration import (
    ScaleBridgeParameters,
    StationMap,
    WebAppSettings,
    WeighStationParameters,
    http_route,
    open_session,
    station_map,
    web_app_settings,
)

__all__ = [
    'Facts',
    'Finding',
    'NotRunningError',
    'Scale',
    'bridge_of',
    'failed',
    'ok',
    'session_of',
    'settings_of',
    'station_of',
    'stations_of',
]

T = TypeVar('T')
HTTP_S = 10.0


@dataclass(frozen=True)
class Scale:
    """An indicator as scale_bridge sees it."""

    scale_id: str
    connected: bool
    peer: str
    last_seen_s: float | None
    """Seconds since its last line; None when none came."""
    readings: int = 1
    """Weights that it has sent."""
    malformed: int = 0
    """Lines since the start of scale_bridge that are no weights."""
    format: str = ''
    """Format that reads its lines."""
    needs_silence: bool = False
    """Whether it sends no line end."""
    unit: str = ''
    """Unit of its last weight."""


@dataclass(frozen=True)
class Facts:
    """State of the running cell, as its nodes report it; None where a node does not answer."""

    bridge: ScaleBridgeParameters | None = None
    station: WeighStationParameters | None = None
    gateway: GatewayParameters | None = None
    scales: Sequence[Scale] = ()
    active: Mapping[str, bool] = field(default_factory=dict)
    """By station with a weigh job: whether the latest is active."""
    port: int = 0
    """Port on which scale_bridge says that it listens; 0 = it has not said."""
    environment: Mapping[str, str] = field(default_factory=dict)
    units: Mapping[str, str] = field(default_factory=dict)
    """Unit of the active weigh job by station."""
    nodes: Sequence[str] = ()
    """Full names of all nodes in the ROS domain; a name may occur twice."""


@dataclass(frozen=True)
class Finding:
    """The outcome of one check.

    Attributes:
        ok: Nothing to do.
        text: What was found, and the remedy if it is not ok.
        skipped: Nothing could be found: a node does not answer.
    """

    ok: bool
    text: str
    skipped: bool = False


def ok(text: str) -> Finding:
    """Return a finding without anything to do."""
    return Finding(True, text)


def failed(text: str) -> Finding:
    """Return a finding that needs an action; `text` names fact and remedy."""
    return Finding(False, text)


class NotRunningError(Exception):
    """A check needs a node that does not answer."""


def bridge_of(facts: Facts) -> ScaleBridgeParameters:
    """Return the parameters of scale_bridge, or raise NotRunningError when it does not answer."""
    return _answered(facts.bridge, 'scale_bridge')


def station_of(facts: Facts) -> WeighStationParameters:
    """Return the parameters of weigh_station, or raise NotRunningError when it does not answer."""
    return _answered(facts.station, 'weigh_station')


def _answered(parameters: T | None, node: str) -> T:
    """Return the parameters of a node.

    Raises:
        NotRunningError: It does not answer.
    """
    if parameters is None:
        raise NotRunningError(f'cannot tell: {node} does not answer')
    return parameters


def settings_of(facts: Facts) -> WebAppSettings:
    """Return the settings of the web application.

    Raises:
        NotRunningError: weigh_station does not answer.
        ParameterError: The settings file cannot be used.
    """
    return web_app_settings(station_of(facts))


def stations_of(facts: Facts) -> StationMap:
    """Return the station of each scale.

    Raises:
        NotRunningError: weigh_station does not answer.
        ParameterError: Stations or settings cannot be used.
    """
    return station_map(station_of(facts), settings_of(facts))


def session_of(facts: Facts) -> requests.Session:
    """Return a session with the certificate authority and the proxy that the delivery uses.

    Raises:
        NotRunningError: weigh_station does not answer.
        ParameterError: Certificate file or proxy cannot be used.
    """
    return open_session(http_route(station_of(facts), facts.environment))
