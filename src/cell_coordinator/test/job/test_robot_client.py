import pytest
from action_msgs.msg import GoalStatus
from cell_coordinator.job.events import RobotOutcome
from cell_coordinator.job.robot_client import trigger_result

from cell_interfaces.action import TriggerRobot


@pytest.mark.parametrize(
    ('status', 'outcome', 'expected'),
    [
        (GoalStatus.STATUS_SUCCEEDED, 0, RobotOutcome.SUCCEEDED),
        (GoalStatus.STATUS_ABORTED, 1, RobotOutcome.NOT_SENT),
        (GoalStatus.STATUS_ABORTED, 2, RobotOutcome.REFUSED),
        (GoalStatus.STATUS_ABORTED, 3, RobotOutcome.UNKNOWN),
        (GoalStatus.STATUS_UNKNOWN, 0, RobotOutcome.UNKNOWN),
        (GoalStatus.STATUS_ABORTED, 0, RobotOutcome.UNKNOWN),
        (GoalStatus.STATUS_SUCCEEDED, 2, RobotOutcome.UNKNOWN),
        (GoalStatus.STATUS_CANCELED, 0, RobotOutcome.UNKNOWN),
    ],
)
def test_a_trigger_succeeded_only_if_status_and_result_agree(status, outcome, expected):
    response = TriggerRobot.Impl.GetResultService.Response(status=status, result=TriggerRobot.Result(outcome=outcome))
    assert trigger_result(response).outcome is expected
