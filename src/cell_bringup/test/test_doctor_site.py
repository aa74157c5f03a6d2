"""The mistakes of a first day that are planted one by one, and a sound set-up, which has none."""

import http.server
import json
import os
import socket
import threading
import time
from dataclasses import replace
from email.utils import formatdate

import pytest
from cell_bringup.doctor import run_checks
from cell_bringup.doctor_facts import Facts, Scale
from cell_weighing.configuration import ScaleBridgeParameters, WeighStationParameters
from sqlalchemy import text

DAY_NS = 86_400 * 10**9
NODES = ('/cell/scale_bridge', '/cell/weigh_station', '/cell/web_gateway')


@pytest.fixture
def web():
    """A web application whose clock can be set."""

    class Handler(http.server.BaseHTTPRequestHandler):
        ahead = 0.0

        def date_time_string(self, timestamp=None):
            return formatdate(time.time() + self.ahead, usegmt=True)

        def do_HEAD(self):
            self.send_response(400)
            self.end_headers()

        def do_POST(self):
            self.rfile.read(int(self.headers['Content-Length']))
            self.do_HEAD()

        def log_message(self, *_):
            pass

    server = http.server.ThreadingHTTPServer(('127.0.0.1', 0), Handler)
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    server.handler = Handler
    yield server
    server.shutdown()
    server.server_close()


@pytest.fixture
def sound(engine, tmp_path, web):
    settings = {
        'site_url': f'http://127.0.0.1:{web.server_port}',
        'controller': 'api/prepuff',
        'function': 'scan_bag',
        'api_key': 'k',
    }
    (tmp_path / 'settings.json').write_text(json.dumps(settings))
    (tmp_path / 'logs').mkdir()
    scales = [
        Scale('1', True, '192.168.1.31:4000', 2.0, readings=5, format='legacy', unit='kg'),
        Scale('2', True, '192.168.1.32:4000', 2.0, readings=5, format='and', unit='kg', needs_silence=True),
    ]
    with socket.create_server(('127.0.0.1', 0)) as server:
        yield Facts(
            ScaleBridgeParameters(),
            WeighStationParameters(database_url=f'sqlite:///{tmp_path}/cell.db'),
            None,
            scales,
            {'A': True, 'B': True},
            server.getsockname()[1],
            units={'A': 'kg', 'B': 'kg'},
            nodes=NODES,
        )


def problems(facts):
    return {name: finding.text for name, finding in run_checks(facts) if not finding.ok}


def with_scale(facts, **changes):
    return replace(facts, scales=[replace(facts.scales[0], **changes), facts.scales[1]])


def test_a_sound_set_up_has_no_problem_and_indicators_without_line_ends_are_named(sound):
    assert problems(sound) == {}
    assert '2 send no line end' in dict(run_checks(sound))['line ends'].text


def test_a_wrong_format_is_named_with_the_command_that_finds_the_right_one(sound):
    found = problems(with_scale(sound, readings=0, malformed=9, format='sma', unit=''))
    assert '1 (sma)' in found['lines understood'] and 'cell scale try' in found['lines understood']
    assert problems(with_scale(sound, malformed=2)) == {}  # two bad lines among many good ones


def test_an_indicator_that_is_never_whole_without_record_silence_is_named(sound):
    mute = replace(with_scale(sound, readings=0, last_seen_s=None, unit=''), bridge=ScaleBridgeParameters(record_silence=0.0))
    assert 'record_silence is 0' in problems(mute)['line ends'] and 'silent' in problems(mute)['scales connected']
    assert 'line ends' not in problems(replace(mute, bridge=ScaleBridgeParameters()))


def test_a_unit_that_is_not_that_of_the_job_is_named(sound):
    assert 'scale 1 sends lb, its job is in kg' in problems(with_scale(sound, unit='lb'))['units agree']
    assert problems(replace(with_scale(sound, unit='lb'), units={})) == {}


@pytest.mark.parametrize(('ahead', 'word'), [(300, 'behind'), (-300, 'ahead of'), (5, '')])
def test_a_clock_that_is_not_that_of_the_web_application_is_named(sound, web, ahead, word):
    web.handler.ahead = ahead
    found = problems(sound)
    assert (word in found['clock']) if word else found == {}


def test_a_machine_without_a_clock_is_named(sound, monkeypatch):
    monkeypatch.setattr(time, 'time', lambda: 1_000_000.0)
    assert 'set it' in problems(sound)['clock']


def test_a_second_server_is_named(sound):
    twice = replace(sound, nodes=[*NODES, '/cell2/scale_bridge'])
    assert '/cell2/scale_bridge' in problems(twice)['one server']


def test_bags_of_an_old_trial_are_named_before_they_are_posted(sound, add_delivery):
    add_delivery(state=0, received_ns=time.time_ns() - 9 * DAY_NS)
    assert 'trial' in problems(sound)['old bags']


def test_a_journal_of_another_time_is_named(sound, engine):
    with engine.begin() as connection:
        connection.execute(
            text(
                'INSERT INTO weigh_reading (reading_id, scale_id, sequence, received_ns, monotonic_ns, boot_id, raw, status, '
                "weight, unit, stability, mode, tare, message, peer) VALUES ('x', '1', 3, :at, 0, '', '', 0, '1', 'kg', 0, 0, "
                "'', '', '')"
            ),
            {'at': time.time_ns() - 3 * DAY_NS},
        )
    assert '1 lines of the journal' in problems(sound)['old bags']


@pytest.mark.skipif(os.getuid() == 0, reason='root may use every file')
def test_files_of_another_user_are_named(sound, tmp_path):
    (tmp_path / 'logs').chmod(0o500)
    assert 'not writable' in problems(sound)['user']


def test_a_connected_and_silent_indicator_is_named_as_such(sound):
    mute = replace(sound, scales=[Scale('', True, '192.168.1.33:4000', None, readings=0), sound.scales[1]])
    assert 'silent so far: 192.168.1.33:4000' in problems(mute)['scales connected']


def test_one_station_for_all_scales_needs_no_list_of_scales(sound, tmp_path):
    settings = json.loads((tmp_path / 'settings.json').read_text()) | {'station': 'Line 3'}
    (tmp_path / 'settings.json').write_text(json.dumps(settings))
    facts = replace(sound, scales=sound.scales[:1], active={'Line 3': True}, units={})
    assert problems(facts) == {}
    assert 'no indicator has sent a line' in problems(replace(facts, scales=[]))['scales connected']
