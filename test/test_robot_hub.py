"""A whole cell on a hub that stays: a job over the hub, and a hub whose connection is lost in the middle of a motion."""

from __future__ import annotations

from pathlib import Path

import pytest
from cell_common.testing import NodeGraph, free_port, wait_until
from cell_robot.testing.fake_hub import FakeHub, relay
from robot_cell import RobotCell

from cell_interfaces.msg import InventoryEvent, JobState, ResultCode
from cell_interfaces.srv import ControlJob

pytestmark = [pytest.mark.slow, pytest.mark.timeout(150)]
PART = 'EM1-2U1'


def put_down(cell: RobotCell) -> list[str]:
    return [str(entry['event']) for entry in cell.truth() if entry['event'] in ('placed', 'rejected')]


def test_a_job_over_a_hub_places_and_books_each_piece(graph: NodeGraph, tmp_path: Path) -> None:
    port, robot_port = free_port(), free_port()
    with FakeHub(port, otherwise=relay, robot_port=robot_port) as hub:
        cell = RobotCell(graph, tmp_path, 'hub', wrong_share=0.0, grip_time=0.05, robot_port=robot_port, hub_url=hub.url)
        end = cell.run(PART, 2)
        assert (end.state, end.placed) == (JobState.DONE, 2), end.reason
        assert [t['event'] for t in hub.triggers if t['event'] != 'program_started'] == [f'PART_{PART}', 'PLACE'] * 2
    assert [row[0] for row in cell.ledger()] == [InventoryEvent.PLACE] * 2
    assert put_down(cell) == ['placed', 'placed']


def test_a_hub_lost_in_the_middle_of_placing_moves_and_books_nothing_twice(graph: NodeGraph, tmp_path: Path) -> None:
    port, robot_port = free_port(), free_port()
    with FakeHub(port, otherwise=relay, robot_port=robot_port) as hub:
        cell = RobotCell(graph, tmp_path, 'hub', wrong_share=0.0, grip_time=0.05, robot_port=robot_port, hub_url=hub.url)
        job = cell.start(PART, 2)
        wait_until(lambda: any(t['event'] == 'PLACE' for t in hub.triggers), 30.0, 'the first piece is being placed')
        hub.drop()
        paused = cell.wait_rest(job)
        assert paused.state == JobState.PAUSED and paused.unresolved_trigger, paused.reason
        wait_until(lambda: put_down(cell) == ['placed'], 20.0, 'the arm ends its motion')
        assert cell.ledger() == [], 'nothing is booked on a guess'
        wait_until(lambda: cell.state is not None and cell.state.connected, 30.0, 'the hub is connected again')
        assert [t['event'] for t in hub.triggers].count('PLACE') == 1, 'nothing is sent again'
        result = cell.recover()
        assert result.code == ResultCode.OK, result.message
        cell.control(ControlJob.Request.RESOLVE_DONE)
        cell.wait_settled()
        cell.control(ControlJob.Request.RESUME)
        wait_until(lambda: cell.job is not None and cell.job.state == JobState.DONE, 60.0, 'the job ends')
    assert put_down(cell) == ['placed', 'placed']
    assert [row[0] for row in cell.ledger()] == [InventoryEvent.PLACE] * 2
