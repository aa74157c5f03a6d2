"""The events of the replaced system's two ports in both directions, as a script that a client plays against a cell."""

from __future__ import annotations

import base64
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

from cell_common.testing import wait_until
from foreign_clients import ForeignClient

__all__ = ['HUB_SCRIPT', 'JOB', 'LIST', 'PAGE_SCRIPT', 'PART', 'STOCK', 'CellSide', 'Exchange', 'play']

PART = 'EM1-2U1'
STOCK = {PART: {1: 2, 2: 0, 3: 1, 4: 7}}
TAKEN = {PART: {1: 1, 2: 0, 3: 1, 4: 7}}
LIST = {'inventory': [{'part_number': PART, 'tray1': 2, 'tray2': 0, 'tray3': 1, 'tray4': 7}]}
TAKEN_LIST = {'inventory': [{'part_number': PART, 'tray1': 1, 'tray2': 0, 'tray3': 1, 'tray4': 7}]}
JOB = {'part_number': PART, 'quantity': 3}
REFUSED = {'part_number': PART, 'requested': 99, 'available': 10}
JPEG = b'\xff\xd8 as a camera makes it \xff\xd9'
IMAGE = base64.b64encode(JPEG).decode()


class CellSide(Protocol):
    """What the cell does while a script is played, and which commands reached it."""

    commands: list[tuple[Any, ...]]

    def stock(self, stock: dict[str, dict[int, int]]) -> None: ...
    def frame(self, jpeg: bytes) -> None: ...
    def capture(self, texts: list[str], match: bool, score: float, image: bytes) -> None: ...
    def benchmark(self, part_number: str, texts: list[str], image: bytes) -> None: ...
    def refuse_job(self, part_number: str, requested: int, available: int) -> None: ...
    def reload(self, part_number: str) -> None: ...


@dataclass(frozen=True)
class Exchange:
    """An event that the client sends, what the cell then does, and the event that the client must receive."""

    answer: str
    expected: Any
    """The payload; a pattern is searched in the `msg` of a status."""
    event: str = ''
    """"" = the client sends nothing."""
    payload: tuple[Any, ...] = ()
    commands: tuple[tuple[Any, ...], ...] = ()
    """Commands that reach the cell, in this order."""
    cell: Callable[[CellSide], None] | None = None


def status(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern)


DONE = status('done as asked')
START_JOB = (('set_job', PART, 3), ('run_job',))
PAGE_SCRIPT = (
    Exchange('update_inventory', LIST),
    Exchange('pong_test', {'msg': 'Grüße 😀'}, 'ping_test', ({'msg': 'Grüße 😀'},)),
    Exchange('update_inventory', LIST, 'get_inventory', (None,)),
    Exchange('update_inventory', LIST, 'get_inventory'),
    Exchange('update_inventory', TAKEN_LIST, cell=lambda cell: cell.stock(TAKEN)),
    Exchange('status', DONE, 'set_job', (JOB,), (('set_job', PART, 3),)),
    Exchange('status', DONE, 'submitPartRequest', ({**JOB, 'quantity': '3'},), (('set_job', PART, 3),)),
    Exchange('job_invalid', REFUSED, cell=lambda cell: cell.refuse_job(PART, 99, 10)),
    Exchange('status', status('set_job: quantity is missing'), 'set_job', ({'part_number': PART},)),
    Exchange('status', status('set_job: expected'), 'set_job', ('x',)),
    Exchange('status', status("event 'no_such_event' is not known here"), 'no_such_event', ({},)),
    Exchange('status', DONE, 'start_robot', (None,), (('trigger', 'START_PROGRAM'),)),
    Exchange('status', status('done as asked|job for'), 'start_robot', (JOB,), START_JOB),
    Exchange('status', DONE, 'start_camera', (None,), (('set_camera', True),)),
    Exchange('video_frame', {'frame': IMAGE}, cell=lambda cell: cell.frame(JPEG)),
    Exchange('status', DONE, 'stop_camera', (None,), (('set_camera', False),)),
    Exchange('status', DONE, 'set_benchmark', ({'part_number': PART},), (('set_benchmark', PART),)),
    Exchange(
        'benchmark_set',
        {'image': IMAGE, 'part_number': PART, 'texts': [PART, 'OMRON']},
        cell=lambda cell: cell.benchmark(PART, [PART, 'OMRON'], JPEG),
    ),
    Exchange('status', DONE, 'capture_component', (None,), (('capture',),)),
    Exchange(
        'component_captured',
        {'image': IMAGE, 'texts': [PART], 'match': True, 'score': 0.75},
        cell=lambda cell: cell.capture([PART], True, 0.75, JPEG),
    ),
    Exchange('reload_required', {'part': PART}, 'reload_required', ({'part': PART},)),
    Exchange('reload_required', {'part': PART}, cell=lambda cell: cell.reload(PART)),
    Exchange('update_inventory', TAKEN_LIST, 'reset_inventory', (None,), (('reset_stock',),)),
)
"""Port 5001."""
HUB_SCRIPT = (
    Exchange('update_inventory', {PART: [2, 0, 1, 7]}),
    Exchange('update_inventory', {PART: [2, 0, 1, 7]}, 'get_inventory', (None,)),
    Exchange('update_inventory', {PART: [1, 0, 1, 7]}, cell=lambda cell: cell.stock(TAKEN)),
    Exchange(
        'ack',
        {'event': 'program_started'},
        'send_trigger',
        ({'trigger': 'D', 'event': 'program_started', 'part_number': ''},),
        (('trigger', 'START_PROGRAM'),),
    ),
    Exchange(
        'ack',
        {'event': f'PART_{PART}'},
        'send_trigger',
        ({'trigger': 'F', 'event': f'PART_{PART}', 'part_number': PART},),
        (('trigger', f'PART_{PART}'),),
    ),
    Exchange(
        'status', status('letter Z is refused'), 'send_trigger', ({'trigger': 'Z', 'event': 'PART_X', 'part_number': ''},)
    ),
    Exchange('status', status('expected'), 'send_trigger', (None,)),
    Exchange('status', DONE, 'set_job', (JOB,), (('set_job', PART, 3),)),
    Exchange('job_invalid', REFUSED, cell=lambda cell: cell.refuse_job(PART, 99, 10)),
    Exchange('reload_required', {'part': PART}, cell=lambda cell: cell.reload(PART)),
    Exchange('update_inventory', {PART: [1, 0, 1, 7]}, 'reset_inventory', (None,), (('reset_stock',),)),
)
"""Port 5002."""


def play(client: ForeignClient, cell: CellSide, script: tuple[Exchange, ...]) -> None:
    """Play a script; each answer must be the next event of its name.

    Raises:
        AssertionError: An answer or a command is missing or another one.
    """
    seen: dict[str, int] = {}
    for step in script:
        before = len(cell.commands)
        if step.cell is not None:
            step.cell(cell)
        if step.event:
            client.send(step.event, *step.payload)
        seen[step.answer] = number = seen.get(step.answer, 0) + 1
        received = client.wait(step.answer, number)
        label = f'{step.event or "cell"} -> {step.answer}: {str(received)[:300]}'
        if isinstance(step.expected, re.Pattern):
            assert step.expected.search(received['msg']), label
        else:
            assert received == step.expected, label
        commands = [*step.commands]
        wait_until(lambda before=before, commands=commands: cell.commands[before:] == commands, 5.0, f'{label}: {commands}')
        if step.event == 'reset_inventory':
            seen['status'] = seen.get('status', 0) + 1  # its result comes before the stock
