"""Faults of the simulated UR controller."""

from __future__ import annotations

import random
import socket
import time
from collections.abc import Iterator
from typing import Any

import pytest
from cell_common.background import AsyncioThread
from cell_common.catalogue import Catalogue
from cell_common.testing import wait_until
from cell_robot.robot_modes import RobotMode, RuntimeState, SafetyMode
from cell_sim.faults import UnknownFaultError
from cell_sim.simulation import Simulation, SimulationConfig
from cell_sim.testing.waiting import assert_holds
from cell_sim.ur_controller.control_script import ControlScript
from cell_sim.world.parts import TrayMix

pytestmark = pytest.mark.slow

OPEN: list[DashboardSession] = []


@pytest.fixture(autouse=True)
def hang_up() -> Iterator[None]:
    yield
    while OPEN:
        OPEN.pop().close()


class DashboardSession:
    """A plain connection to the dashboard."""

    def __init__(self, address: str) -> None:
        self._socket = socket.create_connection((address, 29999), 5.0)
        self._lines = self._socket.makefile('r')
        OPEN.append(self)
        self._lines.readline()

    def close(self) -> None:
        self._lines.close()
        self._socket.close()

    def ask(self, command: str, timeout: float = 5.0) -> str:
        self._socket.settimeout(timeout)
        self._socket.sendall(f'{command}\n'.encode())
        return self._lines.readline().strip()


def test_a_refused_command_is_not_carried_out_and_the_next_one_is(ur: Any) -> None:
    handler = DashboardSession(ur.server.address)
    ur.inject('refuse')
    assert handler.ask('power off') == 'Failed to execute: power off'
    assert ur.server.controller.mode == RobotMode.RUNNING
    assert handler.ask('power off') == 'Powering off'


def test_a_late_answer_comes_after_the_command_was_carried_out(ur: Any) -> None:
    handler = DashboardSession(ur.server.address)
    ur.inject('late', 0.4)
    begin = time.monotonic()
    assert handler.ask('power off') == 'Powering off'
    assert 0.4 <= time.monotonic() - begin < 20.0


def test_a_command_that_is_never_answered_is_not_carried_out_either(ur: Any) -> None:
    handler = DashboardSession(ur.server.address)
    ur.inject('never')
    with pytest.raises(TimeoutError):
        handler.ask('power off', 0.3)
    assert ur.server.controller.mode == RobotMode.RUNNING


def test_an_emergency_stop_is_turned_back_and_the_power_stays_off(ur: Any) -> None:
    controller = ur.server.controller
    ur.inject('emergency_stop', 0.3)
    assert controller.safety == SafetyMode.ROBOT_EMERGENCY_STOP
    wait_until(lambda: controller.safety == SafetyMode.NORMAL)
    assert controller.mode == RobotMode.POWER_OFF


def test_a_safeguard_stop_pauses_the_program_until_it_is_reset(ur: Any) -> None:
    controller = ur.server.controller
    assert controller.start_program(ControlScript())
    ur.inject('safeguard_stop', 0.3)
    assert controller.runtime == RuntimeState.PAUSED
    wait_until(lambda: controller.runtime == RuntimeState.PLAYING)


def test_a_reboot_forgets_and_comes_back_without_power(ur: Any) -> None:
    controller = ur.server.controller
    controller.registers.output_ints[3] = 7
    ur.inject('reboot', 0.3)
    with pytest.raises(OSError):
        DashboardSession(ur.server.address)
    wait_until(ur.server.connected.is_set)
    assert controller.registers.output_ints[3] == 0
    assert DashboardSession(ur.server.address).ask('robotmode') == 'Robotmode: BOOTING'


def _ended(handler: DashboardSession) -> bool:
    try:
        return handler.ask('robotmode') == ''
    except ConnectionError:
        return True


def test_breaking_twice_at_once_does_no_more_than_breaking_once(ur: Any) -> None:
    ur.inject('disconnect', 0.2)
    ur.inject('reboot', 0.4)
    time_out = time.monotonic() + 0.6
    wait_until(lambda: time.monotonic() > time_out and ur.server.connected.is_set())
    assert DashboardSession(ur.server.address).ask('robotmode') == 'Robotmode: BOOTING'


def test_a_connection_that_breaks_gives_the_client_an_end_and_the_port_comes_back(ur: Any) -> None:
    handler = DashboardSession(ur.server.address)
    ur.inject('disconnect', 0.3)
    assert _ended(handler)
    wait_until(ur.server.connected.is_set)
    assert DashboardSession(ur.server.address).ask('robotmode') == 'Robotmode: RUNNING'


def test_the_world_has_a_controller_if_it_has_an_address(catalogue: Catalogue) -> None:
    address = f'127.{random.randint(1, 254)}.{random.randint(1, 254)}.{random.randint(2, 254)}'
    background = AsyncioThread('world')
    simulation = Simulation(SimulationConfig(catalogue, TrayMix(tuple(catalogue.parts), 1), ur_address=address))
    background.run(simulation.start(), 30.0)
    try:
        background.run(simulation.inject('ur', 'protective_stop', 0.0), 30.0)
        assert DashboardSession(address).ask('safetymode') == 'Safetymode: PROTECTIVE_STOP'
        with pytest.raises(UnknownFaultError, match='emergency_stop'):
            background.run(simulation.inject('ur', 'hiccup', 0.0), 30.0)
    finally:
        background.run(simulation.stop(), 30.0)
        background.close()


def test_a_world_without_an_address_has_no_controller(catalogue: Catalogue) -> None:
    assert 'ur' not in Simulation(SimulationConfig(catalogue, TrayMix(tuple(catalogue.parts), 1))).devices


def rtde_request(address: str, frames: bytes, expected: int, timeout: float = 5.0) -> bytes:
    with socket.create_connection((address, 30004), timeout) as client:
        client.sendall(frames)
        answer = b''
        while len(answer) < expected:
            answer += client.recv(expected - len(answer))
        return answer


VERSION_2 = b'\x00\x05V\x00\x02'
OUTPUTS_OF_ONE = b'\x00\x14O' + b'\x40\x5f\x40\x00\x00\x00\x00\x00' + b'timestamp'


def test_a_refused_recipe_is_refused_once(ur: Any) -> None:
    ur.inject('rtde_refuse')
    answer = rtde_request(ur.server.address, VERSION_2 + OUTPUTS_OF_ONE * 2, 4 + 4 + 10)
    assert answer == b'\x00\x04V\x01' + b'\x00\x04O\x00' + b'\x00\x0aO\x01DOUBLE'


def test_a_late_package_is_answered_late_and_one_never_taken_not_at_all(ur: Any) -> None:
    ur.inject('rtde_late', 0.4)
    begin = time.monotonic()
    assert rtde_request(ur.server.address, VERSION_2, 4) == b'\x00\x04V\x01'
    assert time.monotonic() - begin >= 0.4
    ur.inject('rtde_never')
    with pytest.raises(TimeoutError):
        rtde_request(ur.server.address, VERSION_2, 4, 0.3)


@pytest.mark.parametrize(
    ('fault', 'said'), [('script_refuse', ['compile error: the script was refused']), ('script_never', [])]
)
def test_a_script_is_refused_or_discarded(ur: Any, fault: str, said: list[str]) -> None:
    ur.inject(fault)
    with socket.create_connection((ur.server.address, 30002), 5.0) as client:
        client.sendall(b'def nothing():\n end\nend\n')
        wait_until(lambda: fault == 'script_never' or ur.server.controller.messages)
        assert_holds(lambda: [message.text for message in ur.server.controller.messages] == said, 0.1)


def test_pending_faults_are_removed_by_clear(ur: Any) -> None:
    ur.inject('never', 5.0)
    ur.inject('clear')
    assert DashboardSession(ur.server.address).ask('robotmode') == 'Robotmode: RUNNING'


def test_the_operator_at_the_pendant_brings_the_arm_back(ur: Any) -> None:
    controller = ur.server.controller
    controller.loaded = 'waiting.urp'
    ur.inject('emergency_stop', 0.1)
    ur.inject('attend')
    wait_until(lambda: controller.runtime == RuntimeState.PLAYING)
    assert (controller.mode, controller.safety) == (RobotMode.RUNNING, SafetyMode.NORMAL)
