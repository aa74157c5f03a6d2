"""The same job file over every link: the same ledger, and the same pieces in the same places."""

from __future__ import annotations

from pathlib import Path

import pytest
from cell_common.testing import Graph
from robot_cell import LINKS, RobotCell, Row, job_file

from cell_interfaces.msg import InventoryEvent, JobState

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]
FOUND: dict[str, tuple[list[Row], list[tuple[str, str]]]] = {}


@pytest.mark.parametrize('link', LINKS)
def test_the_same_job_file_gives_the_same_ledger(graph: Graph, tmp_path: Path, link: str) -> None:
    cell = RobotCell(graph, tmp_path, link, grip_time=0.05)
    for job in job_file():
        end = cell.run(job['part_number'], job['quantity'])
        assert (end.state, end.placed) == (JobState.DONE, job['quantity']), end.reason
    ledger = cell.ledger()
    truth = [(str(entry['event']), str(entry.get('serial'))) for entry in cell.truth()]
    put_down = [(event, serial) for event, serial in truth if event in ('placed', 'rejected')]
    kinds = {'placed': InventoryEvent.PLACE, 'rejected': InventoryEvent.REJECT}
    assert [(row[0], row[2]) for row in ledger] == [(kinds[event], int(serial.split('/')[1])) for event, serial in put_down]
    assert sum(event == 'placed' for event, _ in put_down) == 12
    assert sum(event == 'rejected' for event, _ in put_down) >= 2
    assert 'dropped' not in dict(truth)
    assert not cell.complaints(), '; '.join(cell.complaints())
    FOUND[link] = ledger, put_down
    first = next(iter(FOUND))
    assert FOUND[link] == FOUND[first], f'{link} differs from {first}'
