"""Robot state from data packages, and lost packages."""

from __future__ import annotations

from cell_robot.protocols.rtde.snapshot import PacketLossCounter, parse_snapshot

from cell_interfaces.msg import RobotState

SIX = (0.0, -1.5, 0.25, 1.0, 2.0, 3.0)


def package(**changes):
    return {
        'timestamp': 100.0,
        'actual_q': SIX,
        'actual_qd': SIX,
        'actual_TCP_pose': SIX,
        'robot_mode': 7,
        'safety_mode': 1,
        'runtime_state': 2,
        'speed_scaling': 0.5,
        'actual_digital_input_bits': 1,
        'actual_digital_output_bits': 4,
        **changes,
    }


def test_a_package_is_converted_to_the_terms_of_the_state():
    seen = parse_snapshot(package())
    assert (seen.joints, seen.mode, seen.scaling, seen.outputs) == (SIX, RobotState.MODE_RUNNING, 0.5, 4)
    assert [parse_snapshot(package(runtime_state=number)).program for number in (1, 2, 4, 9)] == [
        RobotState.PROGRAM_STOPPED,
        RobotState.PROGRAM_PLAYING,
        RobotState.PROGRAM_PAUSED,
        RobotState.PROGRAM_UNKNOWN,
    ]


def test_missed_packages_are_counted_by_the_controllers_clock():
    count = PacketLossCounter(125.0)
    for number in (0, 1, 2, 5, 6):
        count.take(60.0 + number * 0.008 + 1e-4)
    assert (count.received, count.missed) == (5, 2)
    count.restart()
    count.take(90.0)
    assert count.missed == 2, 'what lies between two connections was not missed'


def test_a_firmware_without_speeds_is_read_by_what_it_reports():
    values = package(target_speed_fraction=0.3)
    del values['actual_qd'], values['speed_scaling']
    seen = parse_snapshot(values)
    assert (seen.speeds, seen.scaling, seen.slider_at_zero) == ((0.0,) * 6, 0.3, False)
    del values['target_speed_fraction']
    assert parse_snapshot(values).scaling == 1.0 and not parse_snapshot(values).slider_at_zero
