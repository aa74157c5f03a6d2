from pathlib import Path

import pytest
from cell_common.parameters import ParameterError
from cell_weighing.bridge.parameters import ScaleBridgeParameters, server_settings
from cell_weighing.delivery.settings import WebAppSettings
from cell_weighing.station.parameters import (
    WeighStationParameters,
    http_route,
    log_folder,
    station_map,
    web_app_settings,
)


def test_a_station_in_the_settings_file_outweighs_default_parameters():
    stations = station_map(WeighStationParameters(), WebAppSettings(station='Line 3'))
    assert [stations.station_of(scale, 0) for scale in ('1', '2', '7')] == ['Line 3'] * 3
    assert stations.names == ['Line 3']


def test_stations_that_were_given_outweigh_the_settings_file_for_their_scales():
    stations = station_map(WeighStationParameters(scale_ids=['1'], stations=['X']), WebAppSettings(station='Line 3'))
    assert [stations.station_of(scale, 0) for scale in ('1', '2')] == ['X', 'Line 3']


def test_without_a_station_in_the_file_the_parameters_decide():
    assert station_map(WeighStationParameters(), WebAppSettings()).station_of('2', 0) == 'B'


def test_the_settings_file_of_the_state_folder_decides_and_the_log_is_on_there(tmp_path):
    (tmp_path / 'settings.json').write_text('{"site_url": "https://app.example/", "controller": "api", "function": "bag"}')
    parameters = WeighStationParameters(database_url=f'sqlite:///{tmp_path}/cell.db')
    assert web_app_settings(parameters).url == 'https://app.example/api/bag'
    assert Path(log_folder(parameters)) == tmp_path / 'logs'
    assert log_folder(WeighStationParameters(log_folder='')) == ''
    assert log_folder(WeighStationParameters(log_folder='/var/log/cell')) == '/var/log/cell'


def test_with_a_database_server_settings_and_logs_are_in_the_named_state_folder(tmp_path):
    (tmp_path / 'settings.json').write_text('{"station": "Line 3", "port": 10007}')
    named = {'database_url': 'postgresql+psycopg://cell@plant/cell', 'state_dir': str(tmp_path)}
    parameters = WeighStationParameters(**named)
    assert station_map(parameters, web_app_settings(parameters)).names == ['Line 3']
    assert Path(log_folder(parameters)) == tmp_path / 'logs'
    assert server_settings(ScaleBridgeParameters(**named)).port == 10007


def test_the_proxy_comes_from_the_parameter_or_the_variable():
    environment = {'CELL_WEIGHING_PROXY': 'http://user:word@proxy.example:3128'}
    assert http_route(WeighStationParameters(), environment).proxy == environment['CELL_WEIGHING_PROXY']
    assert http_route(WeighStationParameters(proxy='http://other.example:80'), environment).proxy == 'http://other.example:80'
    assert http_route(WeighStationParameters(), {}).proxy == ''


def test_a_proxy_with_a_password_and_a_missing_certificate_file_are_refused_at_start(tmp_path):
    with pytest.raises(ParameterError, match='CELL_WEIGHING_PROXY') as caught:
        http_route(WeighStationParameters(proxy='http://user:hidden@proxy.example:3128'), {})
    assert 'hidden' not in str(caught.value)
    with pytest.raises(ParameterError, match='ca_file'):
        http_route(WeighStationParameters(ca_file=str(tmp_path / 'none.pem')), {})
