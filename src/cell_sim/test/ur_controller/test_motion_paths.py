"""Paths with rounded corners, and the arm moved by hand."""

from __future__ import annotations

import pytest
from cell_robot.robot_modes import RobotMode
from cell_sim.ur_controller.control_script import ControlScript, PathEntry
from cell_sim.ur_controller.controller import START, Controller
from cell_sim.ur_controller.motion import Motion, MotionError
from cell_sim.ur_controller.scripts import path_of

DOWN = (0.4919, -0.1333, 0.3879, 2.2214, -2.2214, 0.0)
TURNED = (START[0] + 0.8, *START[1:])


def follow(motion: Motion, blend: float) -> float:
    """Turn the base, then go straight down; return the seconds."""
    first = motion.joint_part(motion.joints, TURNED, 1.0, 2.0, blend)
    pose = motion.pose_at(TURNED)
    second = motion.line_part(TURNED, (*pose[:2], pose[2] - 0.1, *pose[3:]), 0.1, 0.8, 0.0)
    motion.follow_path([first, second])
    seconds = 0.0
    while motion.moving:
        motion.step(0.002, 1.0)
        seconds += 0.002
    assert motion.tcp_pose[2] == pytest.approx(pose[2] - 0.1, abs=1e-4)
    return seconds


def test_a_rounded_corner_saves_the_stop() -> None:
    sharp, rounded = follow(Motion(Controller().arm, START), 0.0), follow(Motion(Controller().arm, START), 0.05)
    assert sharp == pytest.approx(0.8 / 1.0 + 0.5 + 0.1 / 0.1 + 0.125, abs=0.01)
    assert rounded < sharp - 0.3


def test_a_path_brakes_on_its_way_and_obeys_the_slider() -> None:
    motion = Motion(Controller().arm, START)
    motion.follow_path([motion.joint_part(START, TURNED, 1.0, 2.0, 0.0)])
    for _ in range(100):
        motion.step(0.002, 0.5)
    assert 0.0 < motion.joints[0] - START[0] < 0.02
    for _ in range(300):
        motion.step(0.002, 1.0)
    motion.brake(4.0)
    while motion.moving:
        motion.step(0.002, 1.0)
    assert 0.1 < motion.joints[0] - START[0] < 0.79 and motion.joints[1:] == pytest.approx(START[1:])


def test_impossible_paths_are_refused() -> None:
    motion = Motion(Controller().arm, START)
    with pytest.raises(MotionError):
        motion.follow_path([])
    with pytest.raises(MotionError, match='limits'):
        motion.joint_part(START, (9.0, *START[1:]), 1.0, 1.0, 0.0)
    with pytest.raises(MotionError, match='out of reach'):
        motion.line_part(START, (3.0, 0.0, 0.0, 0.0, 0.0, 0.0), 1.0, 1.0, 0.0)


SCRIPT = """def rtde_control():
    def exec_move_path():
        textmsg("exec_move_path")
\tsignal_async_progress(0)
\tmovej([0.1,-1.5,-1.5,-1.5,1.5,0],a=1.4,v=1,r=0.03)
\tmovel(p[0.4,-0.1,0.4,2.2,-2.2,1e-3],a=1.4,v=0.2,r=0)
    end
"""


def test_the_moves_of_a_script_are_read() -> None:
    joints, line = path_of(SCRIPT)
    assert joints == PathEntry(False, False, (0.1, -1.5, -1.5, -1.5, 1.5, 0.0), 1.0, 1.4, 0.03)
    assert line == PathEntry(True, True, (0.4, -0.1, 0.4, 2.2, -2.2, 0.001), 0.2, 1.4, 0.0)
    assert path_of('def rtde_control():\nend\n') == ()


def test_only_in_freedrive_the_arm_is_moved_by_hand_and_then_it_follows_no_program() -> None:
    controller = Controller()
    controller.start_program(ControlScript())
    assert not controller.guide(TURNED), 'it is held'
    controller.motion.freedrive = True
    assert controller.guide(TURNED)
    now = 0.0
    while controller.motion.joints != pytest.approx(TURNED) and now < 5.0:
        now += 0.01
        controller.step(now)
    assert 0.8 < now < 1.5, 'at the speed of a hand'
    with pytest.raises(MotionError, match='freedrive'):
        controller.motion.move_joints(START, 1.0, 1.0)
    controller.stop_program()
    assert not controller.motion.freedrive and not controller.guide(START)
    assert controller.mode == RobotMode.RUNNING
