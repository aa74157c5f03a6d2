"""Parameters of the weighing nodes and their derived settings, for programs that check a site (`cell doctor`)."""

from __future__ import annotations

from cell_weighing.bridge.parameters import ScaleBridgeParameters
from cell_weighing.delivery.http_client import describe_error, open_session
from cell_weighing.delivery.settings import SettingsError, WebAppSettings, read_api_key
from cell_weighing.domain.station_map import StationMap
from cell_weighing.station.parameters import WeighStationParameters, http_route, log_folder, station_map, web_app_settings

__all__ = [
    'ScaleBridgeParameters',
    'SettingsError',
    'StationMap',
    'WebAppSettings',
    'WeighStationParameters',
    'describe_error',
    'http_route',
    'log_folder',
    'open_session',
    'read_api_key',
    'station_map',
    'web_app_settings',
]
