"""Script ports and the control script against ur_rtde's own control client."""

from __future__ import annotations

import contextlib
import math
import random
import socket
import struct
from typing import Any

import pytest
from cell_common.testing import wait_until
from cell_robot.robot_modes import RuntimeState
from cell_sim.ur_controller.control_script import ControlScript
from cell_sim.ur_controller.controller import START, Controller
from cell_sim.ur_controller.motion import Motion, MotionError
from cell_sim.ur_controller.primary import robot_state, version_message
from cell_sim.ur_controller.profile import Profile
from cell_sim.ur_controller.program import ProgramError
from cell_sim.ur_controller.scripts import ScriptCollector, program_of

pytestmark = pytest.mark.slow

CONTROL = """
from rtde_control import RTDEControlInterface
from rtde_receive import RTDEReceiveInterface
c = RTDEControlInterface(ADDRESS, 500.0)
r = RTDEReceiveInterface(ADDRESS, 500.0)
q = r.getActualQ()
"""


def test_a_trapezoid_takes_the_time_that_the_formula_gives() -> None:
    profile = Profile.standing(2.0, 1.0, 2.0)
    assert profile.duration == pytest.approx(2.0 / 1.0 + 1.0 / 2.0)
    assert profile.at(1.25) == pytest.approx((1.0, 1.0))
    assert Profile.standing(0.1, 1.0, 2.0).duration == pytest.approx(2 * math.sqrt(0.1 / 2.0))


def test_a_straight_move_keeps_to_the_line() -> None:
    controller = Controller()
    motion = controller.motion
    x, y, z, *turn = motion.tcp_pose
    motion.move_line((x, y + 0.2, z - 0.1, *turn), 0.25, 1.2)
    while motion.moving:
        motion.step(0.01, 1.0)
        now = motion.tcp_pose
        assert now[2] == pytest.approx(z - (now[1] - y) / 2, abs=3e-4)
        assert now[0] == pytest.approx(x, abs=3e-4)
    assert motion.tcp_pose[:3] == pytest.approx((x, y + 0.2, z - 0.1), abs=1e-6)


def test_a_move_out_of_reach_is_refused_before_it_begins() -> None:
    motion = Motion(Controller().arm, START)
    with pytest.raises(MotionError, match='out of reach'):
        motion.move_line((2.0, 0.0, 0.3, 0.0, 3.14, 0.0), 0.25, 1.2)
    assert not motion.moving


def test_a_braking_arm_stops_on_its_way_and_short_of_its_goal() -> None:
    motion = Motion(Controller().arm, START)
    motion.move_joints((1.0, *START[1:]), 1.0, 2.0)
    for _ in range(40):
        motion.step(0.01, 1.0)
    motion.brake(4.0)
    for _ in range(100):
        motion.step(0.01, 1.0)
    assert not motion.moving
    assert 0.16 < motion.joints[0] < 0.3


def test_a_program_is_recognized_before_the_end_of_the_connection() -> None:
    collector = ScriptCollector()
    assert collector.feed(b'def a():\n  if True:\n    x = 1\n  end\n') == []
    assert collector.feed(b'en') == []
    assert collector.feed(b'd\ntextmsg("hi")\n') == ['def a():\n  if True:\n    x = 1\n  end\nend', 'textmsg("hi")']


def test_the_register_offset_may_stand_on_the_next_line() -> None:
    script = (
        'def rtde_control():\n    global reg_offset_float = # float register offset\n'
        '24    global reg_offset_int = # int\n24  x = 1\nend'
    )
    assert isinstance(program_of(script), ControlScript)
    with pytest.raises(ProgramError, match='compile error'):
        program_of('def rtde_control():\nend')
    with pytest.raises(ProgramError, match='does not know'):
        program_of('movej([0,0,0,0,0,0])')


def test_a_client_that_stops_writing_is_caught_by_the_watchdog() -> None:
    controller = Controller()
    controller.start_program(ControlScript())
    controller.registers.write({'input_int_register_0': 35, 'input_double_register_0': 10.0})
    controller.step(0.002)
    controller.registers.write({'input_int_register_0': 0})
    controller.step(0.05)
    assert controller.runtime == RuntimeState.PLAYING
    controller.step(0.2)
    assert controller.runtime == RuntimeState.STOPPED
    assert 'rtde_set_watchdog' in controller.messages[-1][1]


def test_frames_of_the_primary_interface_are_as_long_as_they_say() -> None:
    controller = Controller()
    state = robot_state(controller)
    assert struct.unpack_from('>iB', state) == (len(state), 16) == (5 + 47 + 251 + 101, 16)
    message = version_message(controller.version)
    assert struct.unpack_from('>iB', message) == (len(message), 20)


def test_the_primary_port_sends_the_state_and_refuses_unknown_programs(ur: Any) -> None:
    with socket.create_connection((ur.server.address, 30001), 5.0) as client:
        client.settimeout(5.0)
        client.sendall(b'frobnicate()\n')
        data = b''
        while b'does not know the script "frobnicate()"' not in data:
            data += client.recv(4096)
    assert data[4] == 20 and b'URControl' in data[:60]


def test_ur_rtde_moves_the_arm_and_the_time_is_real(ur: Any) -> None:
    said = ur.judge(
        CONTROL
        + """
t = time.monotonic(); out += [c.moveJ([0.5] + q[1:], 1.0, 2.0), time.monotonic() - t]
p = r.getActualTCPPose(); goal = [p[0], p[1], p[2] - 0.1] + p[3:]
t = time.monotonic(); out += [c.moveL(goal, 0.25, 1.2), time.monotonic() - t]
time.sleep(0.05)
out += [r.getActualQ()[0], max(abs(a - b) for a, b in zip(goal[:3], r.getActualTCPPose()))]
c.stopScript()
"""
    )
    assert said[0] is True and 0.95 < said[1] < 10.0
    assert said[2] is True and 0.55 < said[3] < 8.0
    assert said[4] == pytest.approx(0.5, abs=0.35)
    assert said[5] < 1e-4


def test_ur_rtde_stops_an_asynchronous_move(ur: Any) -> None:
    said = ur.judge(
        CONTROL
        + """
out += [c.moveJ([2.0] + q[1:], 0.5, 1.0, True)]
time.sleep(0.6); out += [c.getAsyncOperationProgressEx().isAsyncOperationRunning()]
c.stopJ(4.0); time.sleep(0.1)
out += [c.getAsyncOperationProgressEx().isAsyncOperationRunning(), r.getActualQ()[0], max(map(abs, r.getActualQd()))]
"""
    )
    assert said[:3] == [True, True, False]
    assert 0.05 < said[3] < 1.5
    assert said[4] == 0.0


def test_a_protective_stop_in_mid_move_ends_it_with_false(ur: Any) -> None:
    process = ur.begin(
        CONTROL
        + """
print('ready', flush=True)
out += [c.moveJ([2.0] + q[1:], 0.5, 1.0), r.isProtectiveStopped() or (time.sleep(0.1) or r.isProtectiveStopped())]
"""
    )
    assert process.stdout.readline() == 'ready\n'
    wait_until(lambda: ur.server.controller.motion.moving)
    ur.inject('protective_stop')
    assert ur.finish(process) == [False, True]
    assert ur.server.controller.runtime == RuntimeState.PAUSED


def test_a_move_out_of_reach_ends_the_script(ur: Any) -> None:
    assert ur.judge(CONTROL + 'out += [c.moveL([2.0, 0, 0.3, 0, 3.14, 0]), c.isProgramRunning()]') == [False, False]


def test_in_local_mode_the_script_does_not_start(ur: Any) -> None:
    ur.inject('local_mode', 30.0)
    said = ur.judge("""
from rtde_control import RTDEControlInterface
try:
    RTDEControlInterface(ADDRESS, 500.0); out += ['started']
except Exception as error:
    out += [str(error)]
""")
    assert said != ['started']


def test_after_a_protective_stop_play_continues_the_interrupted_move() -> None:
    controller = Controller()
    controller.start_program(ControlScript())
    controller.registers.input_doubles[:8] = [1.0, *START[1:], 1.0, 2.0]
    controller.registers.write({'input_int_register_0': 1})
    for cycle in range(200):
        controller.step(0.002 * cycle)
    controller.protective_stop(0.4, 'test')
    stopped = controller.motion.joints
    for second in range(1, 7):
        controller.step(float(second))
    assert controller.motion.joints == stopped
    assert controller.unlock_protective_stop(6.0) and controller.play()
    for cycle in range(1000):
        controller.step(6.0 + 0.002 * cycle)
    assert controller.motion.joints[0] == pytest.approx(1.0)
    assert controller.registers.output_ints[0] == 2


def test_ur_rtde_follows_speeds_and_asks_for_kinematics(ur: Any) -> None:
    said = ur.judge(
        CONTROL
        + """
out += [c.speedJ([0.3, 0, 0, 0, 0, 0], 2.0), (time.sleep(0.5), r.getActualQd()[0])[1]]
out += [c.speedStop(10.0), (time.sleep(0.1), r.getActualQd()[0])[1]]
pose = r.getActualTCPPose(); pose[2] -= 0.05
q2 = c.getInverseKinematics(pose)
out += [c.moveJ(q2, 1.0, 2.0), (time.sleep(0.1), max(abs(a - b) for a, b in zip(pose[:3], r.getActualTCPPose()[:3])))[1]]
"""
    )
    assert said[0] is True and said[1] == pytest.approx(0.3)
    assert said[2] is True and said[3] == 0.0
    assert said[4] is True and said[5] < 1e-4


def test_after_a_stop_ur_rtde_uploads_its_script_again(ur: Any) -> None:
    assert ur.judge(
        CONTROL
        + """
from dashboard_client import DashboardClient
d = DashboardClient(ADDRESS); d.connect(); d.stop()
time.sleep(0.2); out += [c.isProgramRunning()]
c.reuploadScript(); time.sleep(0.5)
out += [c.isProgramRunning(), c.moveJ([0.1] + q[1:], 1.0, 2.0)]
"""
    ) == [False, True, True]


@pytest.mark.parametrize('command', [1, 2, 3, 4, 9, 11, 29, 34, 46])
def test_arguments_that_are_no_numbers_end_the_script_and_nothing_else(command: int) -> None:
    controller = Controller()
    controller.start_program(ControlScript())
    controller.registers.input_doubles[:8] = [math.nan] * 8
    controller.registers.write({'input_int_register_0': command})
    controller.step(0.002)
    assert controller.runtime == RuntimeState.STOPPED
    assert controller.messages[-1][1] == 'an argument of the command is not a number'
    assert controller.motion.joints == START


@pytest.mark.parametrize('port', [29999, 30001, 30002, 30003, 30004])
def test_noise_on_a_port_leaves_the_controller_as_it_was(ur: Any, port: int) -> None:
    noise = random.Random(port)
    for _ in range(20):
        with contextlib.suppress(OSError), socket.create_connection((ur.server.address, port), 5.0) as client:
            client.sendall(noise.randbytes(noise.randint(1, 20000)))
    with socket.create_connection((ur.server.address, 29999), 5.0) as client:
        lines = client.makefile('rw')
        lines.write('robotmode\nprogramState\n')
        lines.flush()
        assert [lines.readline().strip() for _ in range(3)][1:] == ['Robotmode: RUNNING', 'STOPPED <unnamed>']
        lines.close()
    last = ur.server.controller.timestamp
    wait_until(lambda: ur.server.controller.timestamp > last)


def test_a_tool_speed_moves_the_tool_along_its_line(ur: Any) -> None:
    begin, end, servo = ur.judge(
        CONTROL
        + """
r0 = r.getActualTCPPose()
for _ in range(40):
    c.speedL([0.0, 0.05, 0.0, 0, 0, 0], 0.5, 0.02)
    time.sleep(0.01)
c.speedStop(5.0)
r1 = r.getActualTCPPose()
goal = list(r1)
goal[2] += 0.01
for _ in range(60):
    c.servoL(goal, 0.0, 0.0, 0.01, 0.1, 300)
    time.sleep(0.005)
c.servoStop(5.0)
out += [r0, r1, r.getActualTCPPose()]
"""
    )
    assert 0.005 < end[1] - begin[1] < 0.2
    assert end[0] == pytest.approx(begin[0], abs=2e-3) and end[2] == pytest.approx(begin[2], abs=2e-3)
    assert servo[2] == pytest.approx(end[2] + 0.01, abs=3e-3)


def test_the_real_time_port_streams_frames_of_1220_bytes(ur: Any) -> None:
    with socket.create_connection((ur.server.address, 30003), 5.0) as client:
        stream = client.makefile('rb')
        first, second = stream.read(1220), stream.read(1220)
        stream.close()
    assert struct.unpack('>i', first[:4])[0] == struct.unpack('>i', second[:4])[0] == 1220
    values = struct.unpack('>152d', first[4:])
    assert values[1:7] == pytest.approx(START)
    assert (values[94], values[101], values[131]) == (7.0, 1.0, 1.0), 'robot mode, safety mode, program state'


def test_the_primary_port_begins_with_79_bytes_of_messages_and_sends_runtime_exceptions(ur: Any) -> None:
    with socket.create_connection((ur.server.address, 30001), 5.0) as client:
        stream = client.makefile('rb')
        version, safety = stream.read(55), stream.read(24)
        assert (struct.unpack('>iB', version[:5]), struct.unpack('>iB', safety[:5])) == ((55, 20), (24, 20))
        ur.server.controller.report('the program broke', runtime_exception=True)
        kinds = []
        while 10 not in kinds:
            (length,) = struct.unpack('>i', stream.read(4))
            body = stream.read(length - 4)
            kinds += [body[10]] if body[0] == 20 else []
        assert body[11:] == struct.pack('>ii', 0, 0) + b'the program broke'
        stream.close()
