"""The letters backend against malformed data and badly behaved peers."""

from __future__ import annotations

import random
import socket
from concurrent.futures import Future
from dataclasses import dataclass, field

import psutil
import pytest
from cell_common.testing import free_port, wait_until
from cell_robot.backends.letters.backend import MAX_UNPROVEN, LettersBackend, LettersOptions
from cell_robot.backends.letters.session import Deadlines
from cell_robot.backends.letters.tcp_server import parse_networks
from cell_robot.backends.trigger import TriggerCommand, TriggerPhase
from cell_robot.testing.fake_program import FakeProgram, acknowledge, finish

from cell_interfaces.msg import ResultCode

pytestmark = pytest.mark.slow

LETTERS = {'HOME': 'H', 'PLACE': 'P'}
MEGABYTE = 1 << 20
TIMEOUT_S = 60.0
"""Generous for a loaded machine: only a hang takes longer."""


@dataclass
class Log:
    lines: list[str] = field(default_factory=list)

    def note(self, message):
        self.lines.append(message)

    info = warning = error = note

    def count(self, words):
        return sum(words in line for line in self.lines)


class Link:
    """A letters backend on a port of its own."""

    def __init__(self, framing='line', allowed=('127.0.0.1',), port=None, heartbeat=10.0, acknowledge=5.0, quiet=0.0):
        self.port = port or free_port()
        self.log = Log()
        deadlines = Deadlines(acknowledge=acknowledge, done=2 * acknowledge, heartbeat=heartbeat)
        self.backend = LettersBackend(
            LettersOptions('127.0.0.1', self.port, parse_networks(allowed), framing, False, deadlines, LETTERS, quiet=quiet),
            self.log,
        )
        self.backend.start(lambda: None)

    @property
    def state(self):
        return self.backend.state()

    def connected(self, peer=''):
        wait_until(lambda: self.state.connected and (not peer or self.state.peer == peer))

    def trigger(self, trigger_id='t1', event='HOME') -> Future:
        return self.backend.trigger(TriggerCommand(trigger_id, event), lambda phase: None)

    def works(self):
        return self.trigger(f'w{random.random()}'.replace('.', '')).result(TIMEOUT_S).phase is TriggerPhase.DONE


@pytest.fixture
def link():
    made = Link()
    wait_until(lambda: made.log.count('listening'))
    yield made
    made.backend.close()


def raw(port, data=b''):
    stream = socket.create_connection(('127.0.0.1', port), TIMEOUT_S)
    stream.sendall(data)
    return stream


def test_the_newest_program_wins_and_the_old_one_is_closed_with_one_line(link):
    with FakeProgram(link.port) as old:
        link.connected()
        with FakeProgram(link.port) as new:
            assert old.gone.wait(30.0)
            assert link.works()
            assert (len(old.letters), len(new.letters)) == (0, 1)
            assert link.log.count('is newer') == 1
            assert link.log.count('lost') == 0


def test_a_program_that_reconnects_during_a_trigger_makes_the_outcome_unknown(link):
    with FakeProgram(link.port, otherwise=acknowledge):
        link.connected()
        running = link.trigger()
        with FakeProgram(link.port):
            outcome = running.result(30.0)
    assert (outcome.phase, outcome.code) == (TriggerPhase.UNKNOWN, ResultCode.ROBOT_OUTCOME_UNKNOWN)
    assert 'reconnected' in outcome.message


def test_a_port_scanner_does_not_push_the_program_out(link):
    with FakeProgram(link.port) as program:
        link.connected()
        with raw(link.port), raw(link.port, b'GET / HTTP/1.1\r\n\r\n'):
            assert link.works()
            assert not program.gone.is_set()


def test_a_connection_without_data_is_closed():
    link = Link(heartbeat=0.3)
    wait_until(lambda: link.log.count('listening'))
    with raw(link.port) as stream:
        stream.settimeout(5)
        with pytest.raises(ConnectionResetError):
            stream.recv(1)
    assert not link.state.connected
    wait_until(lambda: link.log.count('without ever sending a valid reply') == 1)
    link.backend.close()


def test_a_peer_that_is_not_allowed_is_rejected(link):
    for _ in range(20):
        with FakeProgram(link.port, source='127.0.0.2') as stranger:
            assert stranger.gone.wait(30.0)
    assert not link.state.connected
    assert link.log.count('127.0.0.2 rejected') == 1, 'logged once, not each time'


def test_a_peer_of_an_allowed_network_is_let_in():
    link = Link(allowed=('127.0.0.0/8',))
    with FakeProgram(link.port, source='127.0.0.2'):
        link.connected()
        assert link.works()
    link.backend.close()


@pytest.mark.parametrize(
    'junk',
    [
        b'x' * (10 * MEGABYTE),
        b'\n' * MEGABYTE,
        b'ACK nothing\n' * 50_000,
        b'HB' * MEGABYTE,
        random.Random(1).randbytes(5 * MEGABYTE),
    ],
    ids=['long', 'empty', 'strays', 'glued', 'random'],
)
def test_junk_from_the_robot_is_survived_with_one_line_in_the_log(link, junk):
    with FakeProgram(link.port) as program:
        link.connected()
        junk += b'\n'
        program.send(junk)
        assert link.works()
        before = psutil.Process().memory_info().rss
        program.send(junk)
        assert link.works()
        assert psutil.Process().memory_info().rss - before < 4 * MEGABYTE
    wait_until(lambda: not link.state.connected)
    assert len(link.log.lines) <= 4, link.log.lines


def test_half_a_line_is_not_an_answer(link):
    def halves(program, trigger_id):
        program.send(f'ACK {trigger_id}\nDO'.encode())
        program.send(b'NE ')
        program.close()

    with FakeProgram(link.port, [halves]):
        link.connected()
        assert link.trigger().result(30.0).phase is TriggerPhase.UNKNOWN


def test_a_thousand_connections_leave_the_link_up_and_the_log_short():
    link = Link(heartbeat=TIMEOUT_S, acknowledge=TIMEOUT_S)
    wait_until(lambda: link.log.count('listening'))
    handles = psutil.Process().num_fds()
    with FakeProgram(link.port) as program:
        link.connected()
        for number in range(1000):
            raw(link.port, b'\x00\xff' if number % 2 else b'').close()
        assert link.works()
        assert not program.gone.is_set()
    most = 0

    def over():
        nonlocal most
        most = max(most, link.backend.connection_count)
        return psutil.Process().num_fds() <= handles + 2

    wait_until(over, TIMEOUT_S)
    assert most <= MAX_UNPROVEN + 2, 'each that is kept makes every other one dearer'
    assert len(link.log.lines) <= 6, link.log.lines
    link.backend.close()


def test_a_flood_of_programs_that_come_and_go_is_logged_in_short(link):
    for _ in range(200):
        raw(link.port, b'HB\n').close()
    with FakeProgram(link.port):
        link.connected()
        wait_until(link.works)
    assert len(link.log.lines) < 70


def test_a_port_in_use_is_reported_and_retried():
    with socket.socket() as holder:
        holder.bind(('127.0.0.1', 0))
        holder.listen()
        link = Link(port=holder.getsockname()[1])
        wait_until(lambda: link.log.count('cannot listen'))
        assert str(link.port) in link.state.message and 'another program holds the port' in link.state.message
        outcome = link.trigger().result(30.0)
        assert (outcome.phase, outcome.code) == (TriggerPhase.NOT_SENT, ResultCode.ROBOT_NOT_CONNECTED)
    wait_until(lambda: link.log.count('listening'))
    with FakeProgram(link.port):
        link.connected()
        assert link.works()
    link.backend.close()


def test_a_robot_that_is_switched_off_is_noticed(link):
    with FakeProgram(link.port) as program:
        link.connected()
        program.abort()
        wait_until(lambda: not link.state.connected)
        assert 'Start the program' in link.state.message


def test_ids_keep_a_stale_answer_of_the_former_connection_out(link):
    with FakeProgram(link.port, otherwise=acknowledge) as program:
        link.connected()
        running = link.trigger('new')
        for trigger_id in ('old', '', 'ne', 'newer'):
            program.send(f'DONE {trigger_id}\n'.encode())
        assert not running.done()
        program.reply('DONE', 'new')
        assert running.result(30.0).phase is TriggerPhase.DONE


def test_a_letter_for_a_connection_that_has_just_gone_says_so(link, monkeypatch):
    with FakeProgram(link.port):
        link.connected()
        monkeypatch.setattr('cell_robot.backends.letters.tcp_server.ProgramConnection.send', lambda _connection, _data: False)
        outcome = link.trigger().result(30.0)
    assert (outcome.phase, outcome.code) == (TriggerPhase.NOT_SENT, ResultCode.ROBOT_NOT_CONNECTED)
    assert 'No robot program is connected' in outcome.message


@pytest.fixture
def bare():
    made = Link('bare', quiet=0.5)
    wait_until(lambda: made.log.count('listening'))
    yield made
    made.backend.close()


def proven(link, program):
    program.reply('HB')
    link.connected()
    assert link.works()


@pytest.mark.parametrize('words', [b'ack', b'ackdone', b'done', b'ack\ndone\n'])
def test_a_late_copy_of_an_answer_does_not_answer_the_next_letter(bare, words):
    with FakeProgram(bare.port, framing='bare', otherwise=finish) as program:
        proven(bare, program)
        running = bare.trigger()
        program.send(words)
        outcome = running.result(TIMEOUT_S)
        assert outcome.phase is not TriggerPhase.DONE, outcome
        assert len(program.letters) == 1, 'the second letter is not sent'
    assert 'nobody waited' in bare.state.message and bare.state.blocked
    with FakeProgram(bare.port, framing='bare', otherwise=finish) as program:
        program.reply('HB')
        held = bare.trigger().result(TIMEOUT_S)
        assert (held.phase, held.code) == (TriggerPhase.NOT_SENT, ResultCode.ROBOT_STOPPED)
        assert bare.backend.recover(lambda *_: None).result(TIMEOUT_S).code == ResultCode.OK
        assert bare.works()


def test_a_silent_stranger_does_not_take_the_place_of_a_working_program(bare):
    with FakeProgram(bare.port, framing='bare', otherwise=finish) as program:
        proven(bare, program)
        with raw(bare.port), raw(bare.port, b'GET / HTTP/1.1\r\n\r\n'), raw(bare.port, b'ack'):
            assert bare.works()
            assert not program.gone.is_set()


def test_a_silent_program_is_used_once_the_former_one_has_gone(bare):
    with FakeProgram(bare.port, framing='bare', otherwise=finish) as old:
        proven(bare, old)
        with FakeProgram(bare.port, framing='bare', otherwise=finish) as new:
            old.close()
            wait_until(lambda: bare.log.count('lost'))
            bare.connected()
            assert bare.works()
            assert len(new.letters) == 1


@pytest.mark.parametrize('answer', [b'ackdone', b'hback done', b'hbhb\r\nackdone\n', b'ACKDONE'])
def test_glued_words_are_understood(bare, answer):
    with FakeProgram(bare.port, [lambda program, _: program.send(answer)], framing='bare') as program:
        program.reply('HB')
        bare.connected()
        assert bare.trigger().result(TIMEOUT_S).phase is TriggerPhase.DONE
