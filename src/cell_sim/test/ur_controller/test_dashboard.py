"""The dashboard against ur_rtde's own client, and the rules behind it."""

from __future__ import annotations

from typing import Any

import pytest
from cell_robot.robot_modes import RobotMode, RuntimeState, SafetyMode
from cell_sim.faults import UnknownFaultError
from cell_sim.ur_controller.controller import Controller, ControllerConfig
from cell_sim.ur_controller.dashboard import UNLOCK_TOO_EARLY, DashboardCommands
from cell_sim.ur_controller.program import WaitingProgram

CLIENT = """
from dashboard_client import DashboardClient
c = DashboardClient(ADDRESS)
c.connect()
"""


@pytest.fixture
def dashboard() -> DashboardCommands:
    return DashboardCommands(Controller())


def _at(dashboard: DashboardCommands, command: str, now: float) -> str:
    dashboard.controller.step(now)
    return dashboard.reply(command, now)


def test_power_and_brakes_take_their_time() -> None:
    dashboard = DashboardCommands(Controller(config=ControllerConfig(mode=RobotMode.POWER_OFF)))
    assert _at(dashboard, 'power on', 0.0) == 'Powering on'
    assert _at(dashboard, 'robotmode', 0.5) == 'Robotmode: POWER_ON'
    assert _at(dashboard, 'robotmode', 2.1) == 'Robotmode: IDLE'
    assert _at(dashboard, 'brake release', 2.1) == 'Brake releasing'
    assert _at(dashboard, 'robotmode', 2.2) == 'Robotmode: IDLE'
    assert _at(dashboard, 'robotmode', 4.0) == 'Robotmode: RUNNING'


def test_an_arm_without_power_runs_no_program() -> None:
    dashboard = DashboardCommands(Controller(config=ControllerConfig(mode=RobotMode.IDLE)))
    _at(dashboard, 'load waiting.urp', 0.0)
    assert _at(dashboard, 'play', 0.0) == 'Failed to execute: play'


def test_a_protective_stop_cannot_be_unlocked_in_its_first_five_seconds(dashboard: DashboardCommands) -> None:
    controller = dashboard.controller
    controller.start_program(WaitingProgram())
    controller.protective_stop(10.0, 'test')
    assert controller.runtime == RuntimeState.PAUSED
    assert _at(dashboard, 'safetystatus', 14.0) == 'Safetystatus: PROTECTIVE_STOP'
    assert _at(dashboard, 'unlock protective stop', 14.9) == UNLOCK_TOO_EARLY
    assert controller.safety == SafetyMode.PROTECTIVE_STOP
    assert _at(dashboard, 'unlock protective stop', 15.1) == 'Protective stop releasing'
    assert _at(dashboard, 'safetymode', 15.1) == 'Safetymode: NORMAL'


def test_play_continues_a_paused_program(dashboard: DashboardCommands) -> None:
    program = WaitingProgram()
    dashboard.controller.start_program(program)
    assert _at(dashboard, 'pause', 0.0) == 'Pausing program'
    assert _at(dashboard, 'pause', 0.0) == 'Failed to execute: pause'
    assert _at(dashboard, 'play', 0.0) == 'Starting program'
    assert dashboard.controller.program is program


def test_a_safeguard_stop_pauses_and_its_reset_resumes() -> None:
    controller = Controller()
    controller.start_program(WaitingProgram())
    controller.safeguard_stop()
    assert (controller.runtime, controller.may_move) == (RuntimeState.PAUSED, False)
    controller.reset_safeguard()
    assert (controller.runtime, controller.may_move) == (RuntimeState.PLAYING, True)


def test_an_emergency_stop_ends_the_program_and_needs_its_button_back(dashboard: DashboardCommands) -> None:
    controller = dashboard.controller
    controller.start_program(WaitingProgram())
    controller.emergency_stop()
    assert (controller.runtime, controller.mode) == (RuntimeState.STOPPED, RobotMode.POWER_OFF)
    assert _at(dashboard, 'power on', 1.0) == 'Failed to execute: power on'
    controller.release_emergency_stop()
    assert _at(dashboard, 'power on', 1.0) == 'Powering on'


def test_a_violation_ends_with_a_restart_of_the_safety_system_without_power(dashboard: DashboardCommands) -> None:
    dashboard.controller.violate_safety()
    assert _at(dashboard, 'restart safety', 0.0) == 'Restarting safety'
    assert _at(dashboard, 'safetymode', 1.0) == 'Safetymode: VIOLATION'
    assert _at(dashboard, 'safetymode', 3.1) == 'Safetymode: NORMAL'
    assert _at(dashboard, 'robotmode', 3.1) == 'Robotmode: POWER_OFF'


def test_in_local_mode_it_can_be_read_and_not_changed(dashboard: DashboardCommands) -> None:
    dashboard.controller.remote = False
    assert _at(dashboard, 'is in remote control', 0.0) == 'false'
    assert _at(dashboard, 'power off', 0.0) == 'Failed to execute: power off'
    assert _at(dashboard, 'robotmode', 0.0) == 'Robotmode: RUNNING'


@pytest.mark.parametrize(
    ('command', 'reply'),
    [
        ('load nothing.urp', 'File not found: nothing.urp'),
        ('get loaded program', 'No program loaded'),
        ('programState', 'STOPPED <unnamed>'),
        ('running', 'Program running: false'),
        ('stop', 'Failed to execute: stop'),
        ('PolyscopeVersion', 'URSoftware 5.11.1.108318 (Mar 23 2022)'),
        ('version', '5.11.1.108318'),
        ('get robot model', 'UR5'),
        ('set operational mode manual', 'Operational mode MANUAL is set'),
        ('setUserRole OPERATOR', 'Setting user role: OPERATOR'),
        ('load installation default', 'Loading installation: default'),
        ('isProgramSaved', 'false <unnamed>'),
        ('playing', "could not understand: 'playing'"),
        ('', "could not understand: ''"),
    ],
)
def test_replies(dashboard: DashboardCommands, command: str, reply: str) -> None:
    assert dashboard.reply(command, 0.0) == reply


def test_the_client_of_ur_rtde_understands_every_reply(ur: Any) -> None:
    said = ur.judge(
        CLIENT
        + """
c.loadURP('waiting.urp'); c.play()
out = [c.running(), c.programState(), c.getLoadedProgram()]
c.isProgramSaved()
c.pause(); out += [c.programState()]
c.play(); c.stop()
out += [c.running(), c.robotmode(), c.safetymode(), c.safetystatus()]
out += [c.polyscopeVersion(), c.getSerialNumber(), c.getRobotModel()]
c.popup('hello'); c.closePopup(); c.closeSafetyPopup(); c.addToLog('note'); out += [c.isInRemoteControl()]
c.powerOff(); out += [c.robotmode()]
c.powerOn(); c.brakeRelease()
c.quit()
"""
    )
    assert said == [
        True,
        'PLAYING waiting.urp',
        'Loaded program: /programs/waiting.urp',
        'PAUSED waiting.urp',
        False,
        'Robotmode: RUNNING',
        'Safetymode: NORMAL',
        'Safetystatus: NORMAL',
        '5.11.1.108318',
        '20205500001',
        'UR5',
        True,
        'Robotmode: POWER_OFF',
    ]


def test_the_client_of_ur_rtde_raises_on_a_refusal(ur: Any) -> None:
    ur.inject('refuse')
    said = ur.judge(
        CLIENT
        + """
try:
    c.play()
except Exception as error:
    out = [str(error)]
out += [c.running()]
"""
    )
    assert 'Failed to execute: play' in said[0]
    assert said[1] is False


def test_a_fault_that_does_not_exist_is_refused(ur: Any) -> None:
    with pytest.raises(UnknownFaultError, match='protective_stop'):
        ur.inject('hiccup')
