import pytest
from cell_common.gripper_sensor import CHECK_NAME, GripperSensor, sensor_from_checks


@pytest.mark.parametrize('state', list(GripperSensor))
def test_the_state_is_read_from_its_line(state):
    assert sensor_from_checks([('link', 'connected'), (CHECK_NAME, state.value)]) is state


@pytest.mark.parametrize('checks', [[], [('link', 'empty')], [(CHECK_NAME, 'not supported by this backend')]])
def test_a_pre_flight_without_a_sensor_says_unknown(checks):
    assert sensor_from_checks(checks) is GripperSensor.UNKNOWN
