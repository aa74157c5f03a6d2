from __future__ import annotations

import json
import random
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from cell_common.background import AsyncioThread
from cell_common.catalogue import Catalogue
from cell_common.catalogue_file import parse_catalogue
from cell_common.testing import domain, graph, node_switch_interval
from cell_sim.ur_controller.ports.controller import ControllerServer

PART_NUMBERS = ('EM1-2U1', 'EM1-2U4', 'G8NB-17SR', 'G8NB-17SU', 'HF115F-012', 'DT04-2P')


@pytest.fixture
def catalogue() -> Catalogue:
    trays = [{'count': 5, 'capacity': 10, 'low': 2}] * 4
    return parse_catalogue(
        {
            'parts': [
                {'part_number': name, 'letter': letter, 'trays': trays}
                for name, letter in zip(PART_NUMBERS, 'ACEFGI', strict=True)
            ]
        }
    )


@pytest.fixture
def catalogue_file(tmp_path: Path) -> Path:
    trays = '[' + ', '.join(['{count: 5, capacity: 10, low: 2}'] * 4) + ']'
    file = tmp_path / 'parts.yaml'
    file.write_text(
        'parts:\n'
        + ''.join(
            f'  - {{part_number: {name}, letter: {letter}, trays: {trays}}}\n'
            for name, letter in zip(PART_NUMBERS, 'ACEFGI', strict=True)
        )
    )
    return file


class UrController:
    """A simulated controller on an address of its own, and ur_rtde in a process of its own that judges it."""

    def __init__(self, server: ControllerServer, background: AsyncioThread) -> None:
        self.server, self._background = server, background

    def inject(self, fault: str, value: float = 0.0) -> str:
        async def work() -> str:
            return self.server.inject(fault, value)

        return self._background.run(work(), 30.0)

    def begin(self, code: str) -> subprocess.Popen[str]:
        """Start a program that leaves its findings in the list `out`; a client that hangs or crashes cannot harm the test."""
        text = (
            f'import json, time\nADDRESS = {self.server.address!r}\nout = []\n{code}\n'
            "print('OUT' + json.dumps(out), flush=True)\nimport os; os._exit(0)\n"
        )
        return subprocess.Popen([sys.executable, '-c', text], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)

    def finish(self, process: subprocess.Popen[str], timeout: float = 20.0) -> list[Any]:
        """Return what it found.

        Raises:
            AssertionError: It hung, crashed or found nothing.
        """
        try:
            output, errors = process.communicate(timeout=timeout)
        except subprocess.TimeoutExpired:
            process.kill()
            output, errors = process.communicate()
        found = [line[3:] for line in output.splitlines() if line.startswith('OUT')]
        assert found, f'exit code {process.returncode}: {output}{errors}'
        return list(json.loads(found[0]))

    def judge(self, code: str) -> list[Any]:
        return self.finish(self.begin(code))


@pytest.fixture
def ur() -> Iterator[UrController]:
    pytest.importorskip('rtde_control', reason='ur_rtde has no wheel for this machine')
    background = AsyncioThread('ur')
    server = ControllerServer(address=f'127.{random.randint(1, 254)}.{random.randint(1, 254)}.{random.randint(2, 254)}')
    background.run(server.start(), 30.0)
    yield UrController(server, background)
    background.run(server.stop(), 30.0)
    background.close()
