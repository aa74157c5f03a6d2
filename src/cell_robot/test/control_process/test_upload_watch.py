"""Who has ended the control script while it is sent again."""

from __future__ import annotations

import pytest
from cell_robot.control_process.upload_watch import DONE, STOP_SCRIPT, StopJudge
from cell_robot.robot_modes import RuntimeState

PLAYING, STOPPING, STOPPED = RuntimeState.PLAYING, RuntimeState.STOPPING, RuntimeState.STOPPED
READY = 1
SET_TOOL = 29


@pytest.mark.parametrize(
    ('packages', 'foreign'),
    [
        pytest.param(
            [(PLAYING, 0), (PLAYING, STOP_SCRIPT), (STOPPED, STOP_SCRIPT), (STOPPED, 0), (PLAYING, 0)], 0, id='commanded'
        ),
        pytest.param([(PLAYING, SET_TOOL), (STOPPED, STOP_SCRIPT), (STOPPED, 0)], 0, id='in one cycle'),
        pytest.param([(PLAYING, 0), (STOPPED, 0), (PLAYING, 0)], 0, id='command not seen'),
        pytest.param([(PLAYING, 0), (PLAYING, STOP_SCRIPT), (PLAYING, 0)], 0, id='stop skipped'),
        pytest.param([(PLAYING, 0), (STOPPED, 0), (STOPPED, STOP_SCRIPT), (STOPPED, STOP_SCRIPT)], 1, id='ended before'),
        pytest.param([(PLAYING, SET_TOOL), (STOPPING, SET_TOOL), (STOPPED, STOP_SCRIPT)], 1, id='ending before'),
        pytest.param([(STOPPED, STOP_SCRIPT), (STOPPED, 0), (STOPPED, STOP_SCRIPT)], 0, id='decided once'),
        pytest.param([], 0, id='no data'),
    ],
)
def test_a_command_that_comes_to_an_ended_script_did_not_end_it(packages: list[tuple[int, int]], foreign: int) -> None:
    judge = StopJudge()
    assert sum(judge.foreign(runtime, command, READY) for runtime, command in packages) == foreign


@pytest.mark.parametrize(
    ('packages', 'foreign'),
    [
        pytest.param(
            [(PLAYING, SET_TOOL, DONE), (STOPPED, SET_TOOL, DONE), (STOPPED, 0, DONE)], 1, id='before the next command'
        ),
        pytest.param(
            [(PLAYING, STOP_SCRIPT, DONE), (STOPPED, STOP_SCRIPT, DONE), (STOPPED, 0, DONE)], 0, id='reports the stop'
        ),
        pytest.param([(PLAYING, SET_TOOL, DONE), (PLAYING, 0, READY), (PLAYING, STOP_SCRIPT, READY)], 0, id='goes on'),
    ],
)
def test_a_script_that_ends_before_it_is_ready_did_not_get_the_command(
    packages: list[tuple[int, int, int]], foreign: int
) -> None:
    judge = StopJudge()
    assert sum(judge.foreign(*package) for package in packages) == foreign
