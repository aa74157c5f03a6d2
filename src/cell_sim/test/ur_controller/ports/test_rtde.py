"""The RTDE port against ur_rtde's own receive and IO clients, and the rules behind it."""

from __future__ import annotations

import struct
from typing import Any

import pytest
from cell_robot.protocols.rtde import (
    PacketSplitter,
    PacketType,
    RtdeError,
    RtdePacket,
    inputs_request,
    outputs_request,
    parse_accepted,
    parse_rtde_recipe,
    start_request,
    version_request,
)
from cell_sim.ur_controller.controller import Controller
from cell_sim.ur_controller.rtde import InputOwnership, RtdeSession

pytestmark = pytest.mark.slow


def _ask(session: RtdeSession, request: bytes, now: float = 0.0) -> bytes:
    answers = [session.handle(frame, now) for frame in PacketSplitter().feed(request)]
    return b''.join(frame.payload for answer in answers for frame in PacketSplitter().feed(answer))


def _session(ownership: InputOwnership | None = None, controller: Controller | None = None) -> RtdeSession:
    return RtdeSession(controller or Controller(), ownership or InputOwnership())


def test_version_2_is_spoken_and_version_1_is_not() -> None:
    assert parse_accepted(_ask(_session(), version_request()))
    assert _session().handle(RtdePacket(PacketType.VERSION, struct.pack('>H', 1)), 0.0)[-1] == 0


def test_a_variable_that_does_not_exist_is_named() -> None:
    with pytest.raises(RtdeError, match='warp_factor: the controller does not know it'):
        parse_rtde_recipe(_ask(_session(), outputs_request(125.0, ['timestamp', 'warp_factor'])), ['timestamp', 'warp_factor'])


def test_an_input_belongs_to_one_connection_until_that_ends() -> None:
    ownership = InputOwnership()
    first, second = _session(ownership), _session(ownership)
    names = ['input_int_register_0']
    assert parse_rtde_recipe(_ask(first, inputs_request(names)), names).number == 1
    assert parse_rtde_recipe(_ask(first, inputs_request(names)), names).number == 2
    with pytest.raises(RtdeError, match='another client owns it'):
        parse_rtde_recipe(_ask(second, inputs_request(names)), names)
    first.close()
    assert parse_rtde_recipe(_ask(second, inputs_request(names)), names).number == 1


def test_packages_come_at_the_rate_asked_for_and_missed_ones_are_not_made_up_for() -> None:
    session, names = _session(), ['timestamp']
    assert not parse_accepted(_ask(session, start_request()))
    _ask(session, outputs_request(64.0, names))
    assert parse_accepted(_ask(session, start_request(), 1.0))
    assert sum(bool(session.due(1.0 + cycle / 512)) for cycle in range(512)) == 64
    assert bool(session.due(3.0)) and not session.due(3.0)
    assert session.skipped == 64


def test_a_frequency_beyond_the_controllers_is_refused() -> None:
    with pytest.raises(RtdeError):
        parse_rtde_recipe(_ask(_session(), outputs_request(501.0, ['timestamp'])), ['timestamp'])


def test_a_mask_says_which_outputs_are_meant() -> None:
    controller = Controller()
    controller.registers.digital_outputs = 0b1000_0001
    controller.registers.write({'standard_digital_output_mask': 0b11, 'standard_digital_output': 0b10})
    assert controller.registers.digital_outputs == 0b1000_0010
    controller.registers.write({'tool_digital_output_mask': 0xFF, 'tool_digital_output': 0xFF})
    assert controller.registers.digital_outputs == 0b11_0000_0000_1000_0010
    controller.registers.write({'speed_slider_mask': 0, 'speed_slider_fraction': 0.1})
    assert controller.registers.speed_slider == 1.0


def test_ur_rtde_receives_what_the_controller_has(ur: Any) -> None:
    said = ur.judge("""
from rtde_receive import RTDEReceiveInterface
r = RTDEReceiveInterface(ADDRESS, 500.0)
first = r.getTimestamp(); time.sleep(0.5)
out = [r.isConnected(), r.getTimestamp() - first, r.getRobotMode(), r.getSafetyMode(), r.getActualTCPPose(), r.getActualQ()]
out += [r.getRuntimeState(), r.getSafetyStatusBits(), r.getRobotStatus(), list(r.getJointMode()), r.getActualMainVoltage()]
""")
    assert said[0] is True
    assert 0.3 < said[1] < 10.0
    assert said[2:4] == [7, 1]
    assert said[4] == pytest.approx([0.4919, -0.1333, 0.4879, 2.2214, -2.2214, 0.0], abs=1e-4)
    assert said[5] == pytest.approx([0.0, -1.5708, -1.5708, -1.5708, 1.5708, 0.0], abs=1e-4)
    assert said[6:] == [1, 1, 1, [253] * 6, 48.0]


def test_ur_rtde_writes_outputs_and_two_of_it_get_in_each_others_way(ur: Any) -> None:
    said = ur.judge("""
from rtde_io import RTDEIOInterface
from rtde_receive import RTDEReceiveInterface
r = RTDEReceiveInterface(ADDRESS, 125.0)
def until(right):
    deadline = time.monotonic() + 5
    while not right() and time.monotonic() < deadline: time.sleep(0.01)
    return right()
io = RTDEIOInterface(ADDRESS)
io.setStandardDigitalOut(3, True); io.setConfigurableDigitalOut(1, True); io.setToolDigitalOut(0, True)
out += [until(lambda: r.getActualDigitalOutputBits() == (1 << 3) + (1 << 9) + (1 << 16))]
io.setStandardDigitalOut(3, False); io.setSpeedSlider(0.4)
out += [until(lambda: r.getActualDigitalOutputBits() == (1 << 9) + (1 << 16) and abs(r.getTargetSpeedFraction() - 0.4) < 1e-9)]
try:
    RTDEIOInterface(ADDRESS); out += ['a second one']
except RuntimeError:
    out += ['refused']
io.disconnect()
time.sleep(0.2)
RTDEIOInterface(ADDRESS); out += ['free again']
""")
    assert said == [True, True, 'refused', 'free again']


def test_ur_rtde_notices_that_the_controller_is_gone_and_comes_back(ur: Any) -> None:
    process = ur.begin("""
from rtde_receive import RTDEReceiveInterface
r = RTDEReceiveInterface(ADDRESS, 125.0)
print('ready', flush=True)
deadline = time.monotonic() + 10
while r.isConnected() and time.monotonic() < deadline: time.sleep(0.01)
out += [r.isConnected()]
while not r.isConnected() and time.monotonic() < deadline:
    time.sleep(0.1)
    try: r.reconnect()
    except Exception: pass
out += [r.isConnected()]
""")
    assert process.stdout.readline() == 'ready\n'
    ur.inject('disconnect', 0.5)
    assert ur.finish(process) == [False, True]


def test_ur_rtde_takes_a_stall_for_a_lost_connection_only_when_it_is_long(ur: Any) -> None:
    process = ur.begin("""
from rtde_receive import RTDEReceiveInterface
r = RTDEReceiveInterface(ADDRESS, 125.0)
print('ready', flush=True)
last, longest, end = time.monotonic(), 0.0, time.monotonic() + 20
stamp = r.getTimestamp()
while longest < 0.8 and time.monotonic() < end:
    if r.getTimestamp() != stamp:
        longest = max(longest, time.monotonic() - last)
        last, stamp = time.monotonic(), r.getTimestamp()
    time.sleep(0.002)
out += [r.isConnected(), longest]
""")
    assert process.stdout.readline() == 'ready\n'
    ur.inject('stall', 1.0)
    connected, longest = ur.finish(process)
    assert connected is True
    assert longest > 0.8
