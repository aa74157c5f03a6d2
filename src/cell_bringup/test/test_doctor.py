import http.server
import io
import json
import socket
import threading
from dataclasses import replace
from decimal import Decimal

import pytest
from cell_bringup.client import CellClient
from cell_bringup.doctor import CHECKS, print_findings, run_checks
from cell_bringup.doctor_facts import Facts, Finding, Scale
from cell_bringup.doctor_probe import gather
from cell_common.database import open_database
from cell_common.testing import free_port, wait_until
from cell_web.parameters import GatewayParameters
from cell_web.tokens import TokenFile
from cell_weighing.configuration import ScaleBridgeParameters, WeighStationParameters
from cell_weighing.testing import (
    JobRequest,
    ScaleBridgeNode,
    StationMap,
    ToleranceBand,
    WeighStationNode,
    WeighStore,
)
from rich.console import Console

from cell_bringup import doctor, doctor_firewall


@pytest.fixture
def port():
    with socket.create_server(('127.0.0.1', 0)) as server:
        yield server.getsockname()[1]


@pytest.fixture
def web():
    """A web application that answers everything with one status, and takes one key."""

    class Handler(http.server.BaseHTTPRequestHandler):
        status = 400

        def do_POST(self):
            self.rfile.read(int(self.headers['Content-Length']))
            self.send_response(self.status if self.headers['Authorization'] == 'Bearer good' else 401)
            self.end_headers()

        def do_GET(self):
            self.send_response(self.status)
            self.end_headers()

        do_HEAD = do_GET

        def log_message(self, *_):
            pass

    server = http.server.ThreadingHTTPServer(('127.0.0.1', 0), Handler)
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    server.handler = Handler
    yield server
    server.shutdown()
    server.server_close()


@pytest.fixture
def facts(engine, port, tmp_path):
    """A cell in good health without a web application."""
    url = f'sqlite:///{tmp_path}/cell.db'
    seen = [Scale('1', True, '192.168.1.31:4000', 2.0), Scale('2', True, '192.168.1.32:4000', 3.0)]
    return Facts(
        ScaleBridgeParameters(),
        WeighStationParameters(database_url=url),
        GatewayParameters(),
        seen,
        {'A': True, 'B': True},
        port,
    )


def with_web(facts, web, tmp_path, key='good'):
    site = f'http://127.0.0.1:{web.server_port}/'
    settings = {'site_url': site, 'controller': 'api/prepuff', 'function': 'scan_bag', 'api_key': key}
    (tmp_path / 'settings.json').write_text(json.dumps(settings))
    return replace(facts, station=replace(facts.station, settings_file=str(tmp_path / 'settings.json')))


def said(facts, name):
    return dict(run_checks(facts))[name]


def assert_bad(facts, name, word):
    finding = said(facts, name)
    assert not finding.ok and word in finding.text, finding


def test_a_healthy_cell_is_ok_in_everything(facts):
    assert [name for name, finding in run_checks(facts) if not finding.ok] == []


def test_every_check_that_needs_a_running_cell_reports_that_none_runs():
    findings = dict(run_checks(Facts()))
    assert not findings['nodes running'].ok and 'start the cell' in findings['nodes running'].text
    assert not findings['server listening'].ok and not findings['database'].ok
    out = io.StringIO()
    assert print_findings(run_checks(Facts()), Console(file=out, width=200)) == 1
    # The cause stands alone, and what could not be checked in one line.
    assert out.getvalue().count('not ok') == 1 and 'journalctl' in out.getvalue()
    assert 'not checked' in out.getvalue() and 'server listening, ' in out.getvalue()


def test_a_port_without_a_listener_is_reported(facts):
    assert_bad(replace(facts, port=free_port()), 'server listening', 'nothing listens')


def test_a_scale_that_is_gone_and_one_that_says_nothing(facts):
    assert_bad(replace(facts, scales=facts.scales[:1]), 'scales connected', '2 no data received')
    assert_bad(replace(facts, scales=[Scale('1', True, '', None), facts.scales[1]]), 'scales connected', 'Press PRINT')


def test_an_unknown_scale_is_reported(facts):
    assert_bad(replace(facts, scales=[*facts.scales, Scale('9', True, '', 1.0)]), 'scales known', '9')


def test_a_station_without_a_job_and_a_job_at_no_station(facts):
    assert_bad(replace(facts, active={'A': True, 'B': False}), 'active weigh job', 'no active weigh job at B')
    assert_bad(replace(facts, active={'A': True, 'b': True}), 'station names agree', 'jobs at b')


def test_a_web_application_that_answers_and_takes_the_key(facts, web, tmp_path):
    facts = with_web(facts, web, tmp_path)
    assert said(facts, 'web application reachable').ok and said(facts, 'key accepted').ok


def test_a_wrong_key_is_reported_and_not_shown(facts, web, tmp_path):
    facts = with_web(facts, web, tmp_path, key='wrongkey')
    assert_bad(facts, 'key accepted', 'does not accept')
    assert not any('wrongkey' in finding.text for _, finding in run_checks(facts))
    assert said(replace(facts, environment={'CELL_WEIGHING_API_KEY': 'good'}), 'key accepted').ok


@pytest.mark.parametrize(
    ('status', 'check'),
    [(302, 'web application reachable'), (500, 'web application reachable'), (500, 'key accepted'), (404, 'key accepted')],
)
def test_an_address_that_is_not_the_api(facts, web, tmp_path, status, check):
    web.handler.status = status
    assert_bad(with_web(facts, web, tmp_path), check, str(status))


def test_an_application_without_head_is_sound(facts, web, tmp_path):
    web.handler.status = 501
    assert said(with_web(facts, web, tmp_path), 'web application reachable').ok


def test_a_web_application_that_is_down(facts, web, tmp_path):
    facts = with_web(facts, web, tmp_path)
    web.shutdown()
    web.server_close()
    assert_bad(facts, 'web application reachable', 'cannot be reached')
    assert_bad(facts, 'key accepted', 'no answer')


def test_the_doctor_uses_the_proxy_and_the_authority_of_the_delivery(facts, web, tmp_path, monkeypatch):
    facts = with_web(facts, web, tmp_path)
    monkeypatch.setenv('HTTP_PROXY', 'http://127.0.0.1:1')  # which the delivery does not use
    assert said(facts, 'web application reachable').ok
    through = replace(facts, station=replace(facts.station, proxy='http://127.0.0.1:1'))
    assert_bad(through, 'web application reachable', 'parameter proxy')
    assert_bad(through, 'key accepted', 'parameter proxy')
    assert_bad(replace(facts, station=replace(facts.station, ca_file='none.pem')), 'web application reachable', 'ca_file')


def test_settings_that_cannot_be_read(facts):
    assert_bad(replace(facts, station=replace(facts.station, settings_file='none.json')), 'key accepted', 'settings_file')


def test_refused_bags_are_reported(facts, add_delivery):
    add_delivery(state=2, received_ns=1, attempts=1, error='x')
    assert_bad(facts, 'bags on their way', '1 refused')


def test_our_own_api_needs_tokens(facts, web, tmp_path):
    web.handler.status = 200
    gateway = GatewayParameters(api_enabled=True, port=web.server_port, api_tokens_file=str(tmp_path / 'tokens.json'))
    facts = replace(facts, gateway=gateway)
    assert_bad(facts, 'own API', 'cell token new')
    TokenFile(tmp_path / 'tokens.json').create('filler', '')
    assert said(facts, 'own API') == Finding(True, 'served; tokens of filler')
    web.handler.status = 503
    assert_bad(facts, 'own API', '503')


def test_a_server_for_this_machine_only_keeps_scales_out(facts):
    alone = replace(facts, scales=[], bridge=replace(facts.bridge, listen_address='127.0.0.1'))
    assert_bad(alone, 'firewall', '0.0.0.0')
    assert said(replace(alone, nodes=['/cell/world']), 'firewall').ok  # simulated indicators


def test_a_firewall_that_is_on_comes_with_the_line_that_opens_it(facts, tmp_path, monkeypatch):
    (tmp_path / 'ufw.conf').write_text('ENABLED=yes')
    monkeypatch.setattr(
        doctor_firewall, 'FIREWALLS', {'ufw': (str(tmp_path / 'ufw.conf'), 'ENABLED=yes', 'sudo ufw allow {port}/tcp')}
    )
    assert f'sudo ufw allow {facts.port}/tcp' in said(replace(facts, scales=[]), 'firewall').text


def test_a_database_that_is_not_there_or_full(facts, tmp_path, monkeypatch):
    missing = WeighStationParameters(database_url=f'sqlite:///{tmp_path}/none.db')
    assert_bad(replace(facts, station=missing), 'database', 'not there')
    assert not (tmp_path / 'none.db').exists()
    monkeypatch.setattr(doctor, 'LEAST_FREE', 1 << 80)
    assert_bad(facts, 'database', 'free space')


def test_a_check_that_breaks_is_not_ok(facts, monkeypatch):
    monkeypatch.setattr(doctor, 'CHECKS', (('broken', lambda _: 1 / 0),))
    assert run_checks(facts) == [('broken', Finding(False, 'ZeroDivisionError: division by zero'))]


def test_the_exit_code_is_1_when_a_check_fails(facts):
    out = io.StringIO()
    assert print_findings([('a', Finding(True, 'fine')), ('b', Finding(False, 'mend it'))], Console(file=out, width=100)) == 1
    assert 'not ok' in out.getvalue() and 'mend it' in out.getvalue()
    assert print_findings([('a', Finding(True, 'fine'))], Console(file=out)) == 0


def test_the_list_of_the_old_scale_server_is_checked_in_its_order():
    names = [name for name, _ in CHECKS]
    old = [
        'server listening',
        'scales connected',
        'active weigh job',
        'station names agree',
        'web application reachable',
        'key accepted',
    ]
    assert [name for name in names if name in old] == old


def test_every_check_has_a_name_of_its_own():
    assert len({name for name, _ in CHECKS}) == len(CHECKS)


def test_the_running_cell_is_asked(graph, domain, tmp_path):
    url = f'sqlite:///{tmp_path}/cell.db'
    bridge = graph.add(ScaleBridgeNode(**graph.options(listen_address='127.0.0.1', port=0, database_url=url)))
    graph.add(WeighStationNode(**graph.options(database_url=url)))
    wait_until(lambda: not bridge.listening.error)
    engine = open_database(url)
    order = JobRequest('ACME', 'A', ToleranceBand(Decimal(1), 'kg', Decimal('0.1')), 3)
    WeighStore(engine, StationMap({}), lambda: 1).start_job(order, 1, 'ann')
    with socket.create_connection(('127.0.0.1', bridge.listening.port)) as indicator:
        indicator.sendall(b'1,1.000 kg\r\n')
        client = CellClient('cell', domain)
        try:
            # On a busy machine a node may answer one question in time and another one not.
            facts = wait_until(lambda: f if (f := gather(client)).bridge and f.station and f.scales and f.active else None, 60)
        finally:
            client.close()
    engine.dispose()
    assert facts.gateway is None and facts.port == bridge.listening.port
    assert facts.station.scale_ids == ['1', '2'] and facts.bridge.capture_time == 0.5
    findings = dict(run_checks(facts))
    assert findings['nodes running'].ok and findings['server listening'].ok and findings['database'].ok
    assert 'not connected: 2' in findings['scales connected'].text and 'last line' in findings['scales connected'].text
    assert findings['active weigh job'].text.startswith('no active weigh job at B')
