"""The shipped UR programs against the real backend: URScript is translated into Python line by line.

This is no UR controller. It shows that the text is well formed, calls only functions of URScript, and speaks the protocol.
"""

from __future__ import annotations

import ast
import contextlib
import re
import socket
import threading
from pathlib import Path

import pytest
from cell_common.catalogue import EVENT_LETTERS
from cell_common.testing import free_port, wait_until
from cell_robot.backends.letters.backend import LettersBackend, LettersOptions
from cell_robot.backends.letters.session import Deadlines
from cell_robot.backends.letters.tcp_server import parse_networks
from cell_robot.backends.trigger import TriggerCommand, TriggerPhase

FOLDER = Path(__file__).parents[3] / 'urscript'
MAINS = ('letters.script', 'letters_bare.script')
LETTERS = {**EVENT_LETTERS, 'PART_EM1-2U1': 'A', 'PART_NEW': 'Z'}
OPENS = re.compile(r'(def|thread|if|while|for)\b.*:$')
BUILT_IN = {
    'socket_open',
    'socket_close',
    'socket_read_string',
    'socket_read_byte_list',
    'socket_send_line',
    'str_at',
    'str_cat',
    'str_find',
    'str_len',
    'str_sub',
    'to_num',
    'sleep',
}


def statements(text):
    return [line.split('#')[0].rstrip() for line in text.splitlines() if line.split('#')[0].strip()]


def python_line(statement):
    for pattern, python in (
        (r'^thread\b', 'def'),
        (r'^global (\w+) = (.*)$', r'globals()["\1"] = \2'),
        (r'^local ', ''),
        (r'\brun (\w+)\(\)', r'_run(\1)'),
        ('^enter_critical$', '_lock.acquire()'),
        ('^exit_critical$', '_lock.release()'),
    ):
        statement = re.sub(pattern, python, statement)
    return statement


def python_of(text):
    """Translate URScript; raises AssertionError when blocks are not closed."""
    result, depth = [], 0
    for statement in map(str.strip, statements(text)):
        if statement == 'end':
            depth -= 1
            assert depth >= 0, 'an end too many'
            continue
        middle = statement.startswith(('elif ', 'else:'))
        result.append('    ' * (depth - middle) + python_line(statement))
        depth += bool(OPENS.match(statement))
    assert depth == 0, 'a block is not closed'
    return '\n'.join(result)


class Stopped(Exception):
    pass


class Controller:
    """As much of a controller as the scripts use."""

    def __init__(self, main, port, **taught):
        text = (FOLDER / 'subprograms.script').read_text() + (FOLDER / main).read_text()
        self.stopped = threading.Event()
        self.done = []
        self.taken = threading.Event()
        self.go_on = threading.Event()
        self.go_on.set()
        self._socket = None
        self._rest = b''
        names = {name: getattr(self, name) for name in BUILT_IN if hasattr(self, name)}
        names.update(
            _lock=threading.RLock(),
            _run=self.run,
            str_at=lambda s, i: s[i],
            str_cat=lambda a, b: a + b,
            str_len=len,
            str_sub=lambda s, i, n: s[i : i + n],
            str_find=lambda s, t, i=0: s.find(t, i),
            to_num=int,
        )
        exec(compile(python_of(text), main, 'exec'), names)
        names.update(CELL_ADDRESS='127.0.0.1', CELL_PORT=port)
        for name, function in taught.items():
            assert name in names, 'the sub-program is not in the shipped file'
            names[name] = lambda *tray, name=name, function=function: self._move(name, tray, function)
        self.names = names
        self.run(names['cell_run'])

    def _move(self, name, tray, result):
        self.taken.set()
        self.go_on.wait(5)
        self.done.append((name, *tray))
        return result

    def run(self, function):
        def body():
            with contextlib.suppress(Stopped):
                function()

        threading.Thread(target=body, daemon=True).start()

    def stop(self):
        self.stopped.set()
        self.go_on.set()
        self.socket_close('cell')

    def sleep(self, seconds):
        if self.stopped.wait(min(seconds, 0.1)):
            raise Stopped

    def socket_open(self, address, port, _name):
        self._rest = b''
        try:
            self._socket = socket.create_connection((address, port), 2)
        except OSError:
            return False
        return True

    def socket_close(self, _name):
        if self._socket:
            self._socket.close()

    def socket_send_line(self, text, _name):
        try:
            self._socket.sendall(text.encode() + b'\n')
        except OSError:
            return False
        return True

    def socket_read_string(self, _name, _prefix, suffix, _escape, timeout):
        if suffix.encode() not in self._rest:
            self._rest += self._receive(1024, timeout)
        line, found, rest = self._rest.partition(suffix.encode())
        self._rest = rest if found else self._rest
        return line.decode() if found else ''

    def socket_read_byte_list(self, number, _name, timeout):
        data = self._receive(number, timeout)
        return [len(data), *data] if data else [0, -1]

    def _receive(self, number, timeout):
        if self.stopped.is_set():
            raise Stopped
        try:
            self._socket.settimeout(min(timeout, 0.1))
            return self._socket.recv(number)
        except OSError:
            return b''


@pytest.fixture
def pair(request):
    """A link and a controller that runs one of the scripts."""
    made = []

    def make(main, single=False, acknowledge=1.0, **taught):
        port = free_port()
        lines = []
        log = type('Log', (), {name: staticmethod(lines.append) for name in ('info', 'warning', 'error')})
        framing = 'bare' if 'bare' in main else 'line'
        deadlines = Deadlines(acknowledge=acknowledge, done=5.0, heartbeat=3.0)
        options = LettersOptions('127.0.0.1', port, parse_networks(['127.0.0.1']), framing, single, deadlines, LETTERS)
        backend = LettersBackend(options, log)
        backend.start(lambda: None)
        controller = Controller(main, port, **taught)
        made.append((backend, controller))
        wait_until(lambda: backend.state().connected and backend.state().data_age < 5)
        return backend, controller

    yield make
    for backend, controller in made:
        controller.stop()
        backend.close()


def trigger(backend, event, trigger_id='job-1', tray=0):
    return backend.trigger(TriggerCommand(trigger_id, event, tray), lambda phase: None).result(30.0)


@pytest.mark.parametrize('name', ['subprograms.script', *MAINS])
def test_definitions_begin_in_the_first_column_and_everything_else_is_indented(name):
    for line in statements((FOLDER / name).read_text()):
        outermost = line.startswith(('def ', 'thread ', 'global ')) or line == 'end'
        assert outermost != line.startswith(' '), line


@pytest.mark.parametrize('name', MAINS)
def test_the_scripts_call_nothing_that_urscript_does_not_have(name):
    tree = ast.parse(python_of((FOLDER / 'subprograms.script').read_text() + (FOLDER / name).read_text()))
    defined = {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}
    called = {node.func.id for node in ast.walk(tree) if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)}
    assert called - defined - {'globals', '_run'} <= BUILT_IN


def test_a_block_that_is_not_closed_is_found():
    with pytest.raises(AssertionError, match='not closed'):
        python_of('def f():\n  if True:\n    sleep(1)\nend\n')


@pytest.mark.parametrize('main', MAINS)
@pytest.mark.parametrize(
    ('event', 'program'),
    [
        ('START_PROGRAM', 'start_program'),
        ('PLACE', 'place'),
        ('REJECT', 'reject'),
        ('BENCHMARK', 'benchmark'),
        ('HOME', 'home'),
    ],
)
def test_every_event_reaches_its_sub_program(pair, main, event, program):
    backend, controller = pair(main, **{program: ''})
    assert trigger(backend, event).phase is TriggerPhase.DONE
    assert controller.done == [(program,)]


def test_a_pick_gets_its_tray(pair):
    backend, controller = pair('letters.script', pick_1='')
    assert trigger(backend, 'PART_EM1-2U1', tray=3).phase is TriggerPhase.DONE
    assert trigger(backend, 'PART_EM1-2U1', 'job-2').phase is TriggerPhase.DONE
    assert controller.done == [('pick_1', 3), ('pick_1', 0)]


@pytest.mark.parametrize('main', MAINS)
@pytest.mark.parametrize(('event', 'reason'), [('PLACE', 'place is not taught'), ('PART_NEW', 'no sub-program')])
def test_a_sub_program_that_is_not_taught_refuses_its_letter(pair, main, event, reason):
    backend, _ = pair(main)
    outcome = trigger(backend, event)
    assert outcome.phase is TriggerPhase.REFUSED
    assert reason in outcome.message


def test_bare_with_a_single_answer(pair):
    backend, controller = pair('letters_bare.script', single=True, place='')
    controller.names['CELL_REPLY_DONE'] = False
    assert trigger(backend, 'PLACE').phase is TriggerPhase.DONE
    assert controller.done == [('place',)]


def test_the_script_connects_again_when_the_cell_has_gone(pair):
    backend, _ = pair('letters.script', home='')
    backend.disconnect('test')
    wait_until(lambda: not backend.state().connected)
    wait_until(lambda: backend.state().connected)
    assert trigger(backend, 'HOME').phase is TriggerPhase.DONE


def test_a_letter_that_timed_out_is_not_executed_later(pair):
    backend, controller = pair('letters.script', acknowledge=0.3, home='', place='')
    lock = controller.names['_lock']
    with lock:  # the program pauses, as in a protective stop
        outcome = trigger(backend, 'PLACE')
        assert outcome.phase is TriggerPhase.UNKNOWN
    wait_until(lambda: backend.state().connected)
    assert trigger(backend, 'HOME', 'job-2').phase is TriggerPhase.DONE
    assert controller.done == [('home',)]
