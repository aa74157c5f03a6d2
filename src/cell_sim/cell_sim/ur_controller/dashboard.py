"""Text commands of the dashboard server and their replies.

Source: Universal Robots, "Dashboard Server e-Series, port 29999". It does not describe the reply of a controller in local
mode to a command that changes its state; `Failed to execute: <command>` is assumed.

Pure: no ROS, sockets, files or clock.
"""

from __future__ import annotations

from collections.abc import Callable

from cell_robot.robot_modes import RobotMode, RuntimeState

from cell_sim.ur_controller.controller import Controller

BANNER = 'Connected: Universal Robots Dashboard Server'
PROGRAMS = '/programs/'
LINE_LIMIT = 4096
SERIAL_NUMBER = '20205500001'
ROLES = ('PROGRAMMER', 'OPERATOR', 'NONE', 'LOCKED', 'RESTRICTED')
OPERATIONAL_MODES = ('MANUAL', 'AUTOMATIC')
UNLOCK_TOO_EARLY = (
    'Cannot unlock protective stop until 5s after occurrence. Always inspect cause of protective stop before unlocking'
)
REMOTE_ONLY = (
    'load',
    'load installation',
    'play',
    'stop',
    'pause',
    'power on',
    'power off',
    'brake release',
    'unlock protective stop',
    'restart safety',
    'set operational mode',
    'clear operational mode',
)
_STATES = {RuntimeState.PLAYING: 'PLAYING', RuntimeState.PAUSED: 'PAUSED'}

ReplyFunction = Callable[[str, float], str]
"""(argument of the command, seconds) -> reply."""


class DashboardCommands:
    """Dashboard server, shared by all its connections.

    Each command is a function of its argument and the time, looked up by name. State that only the
    dashboard has (user role, operational mode, log) is kept here; all other state belongs to the
    controller.

    Attributes:
        controller: Controller that the commands act on.
        log: Messages that clients added to the log, newest last; at most 200.
    """

    def __init__(self, controller: Controller) -> None:
        self.controller = controller
        self._role, self._operational_mode = 'PROGRAMMER', 'NONE'
        self.log: list[str] = []
        self._replies: dict[str, ReplyFunction] = {**self._queries(), **self._changes(), **self._pendant()}
        self._longest_first = sorted(self._replies, key=len, reverse=True)

    def reply(self, line: str, now: float) -> str:
        """Return the reply to one line.

        Args:
            line: Command with its argument, without its line end; case matters.
            now: Seconds, by the controller's clock.

        Returns:
            One line without its line end. A failed command is a reply as well; nothing is raised.
        """
        line = line.strip()
        # `load installation x` must not be taken for `load` with the argument `installation x`.
        for command in self._longest_first:
            if line == command or line.startswith(command + ' '):
                if command in REMOTE_ONLY and not self.controller.remote:
                    return f'Failed to execute: {line}'
                return self._replies[command](line[len(command) :].strip(), now)
        return f"could not understand: '{line}'"

    def _queries(self) -> dict[str, ReplyFunction]:
        c = self.controller
        return {
            'running': lambda _text, _now: f'Program running: {str(c.runtime == RuntimeState.PLAYING).lower()}',
            'robotmode': lambda _text, _now: f'Robotmode: {c.mode.name}',
            'safetymode': lambda _text, _now: f'Safetymode: {c.safety.name}',
            'safetystatus': lambda _text, _now: f'Safetystatus: {c.safety.name}',
            'programState': lambda _text, _now: f'{_STATES.get(c.runtime, "STOPPED")} {c.loaded or "<unnamed>"}',
            'get loaded program': lambda _text, _now: (
                f'Loaded program: {PROGRAMS}{c.loaded}' if c.loaded else 'No program loaded'
            ),
            'isProgramSaved': lambda _text, _now: f'{str(bool(c.loaded)).lower()} {c.loaded or "<unnamed>"}',
            'PolyscopeVersion': lambda _text, _now: f'URSoftware {c.version.number} ({c.version.date})',
            'version': lambda _text, _now: c.version.number,
            'get serial number': lambda _text, _now: SERIAL_NUMBER,
            'get robot model': lambda _text, _now: c.arm.name.removesuffix('e').upper(),
            'is in remote control': lambda _text, _now: str(c.remote).lower(),
            'get operational mode': lambda _text, _now: self._operational_mode,
            'getUserRole': lambda _text, _now: self._role,
        }

    def _changes(self) -> dict[str, ReplyFunction]:
        c = self.controller
        return {
            'load installation': self._load_installation,
            'load': self._load,
            'play': lambda _text, _now: _done('Starting program', c.play(), 'play'),
            'stop': lambda _text, _now: _done('Stopped', c.stop_program(), 'stop'),
            'pause': lambda _text, _now: _done('Pausing program', c.pause(), 'pause'),
            'power on': lambda _text, now: _done('Powering on', c.power_on(now), 'power on'),
            'power off': lambda _text, _now: _done('Powering off', c.power_off(), 'power off'),
            'brake release': lambda _text, now: _done('Brake releasing', c.brake_release(now), 'brake release'),
            'unlock protective stop': lambda _text, now: (
                'Protective stop releasing' if c.unlock_protective_stop(now) else UNLOCK_TOO_EARLY
            ),
            'restart safety': self._restart_safety,
            'set operational mode': self._set_operational_mode,
            'clear operational mode': self._clear_operational_mode,
        }

    def _pendant(self) -> dict[str, ReplyFunction]:
        return {
            'close popup': lambda _text, _now: self._show('', 'closing popup'),
            'close safety popup': lambda _text, _now: 'closing safety popup',
            'popup': lambda text, _now: self._show(text, 'showing popup'),
            'addToLog': self._add_to_log,
            'setUserRole': self._set_role,
            'quit': lambda _text, _now: 'Disconnected',
            'shutdown': lambda _text, _now: 'Shutting down',
        }

    def _load(self, text: str, _now: float) -> str:
        """Load a program by its path; only while none runs, as the real controller demands."""
        name = text.rstrip('/').rpartition('/')[2]
        if name not in self.controller.programs:
            return f'File not found: {text}'
        if self.controller.program is not None or self.controller.mode in (RobotMode.BOOTING, RobotMode.NO_CONTROLLER):
            return f'Error while loading program: {text}'
        self.controller.loaded = name
        return f'Loading program: {PROGRAMS}{name}'

    def _load_installation(self, text: str, _now: float) -> str:
        if text not in ('default.installation', 'default'):
            return f'File not found: {text}'
        return f'Loading installation: {text}'

    def _restart_safety(self, _text: str, now: float) -> str:
        self.controller.restart_safety(now)
        return 'Restarting safety'

    def _set_operational_mode(self, text: str, _now: float) -> str:
        if text.upper() not in OPERATIONAL_MODES:
            return f"could not understand: 'set operational mode {text}'"
        self._operational_mode = text.upper()
        return f'Operational mode {self._operational_mode} is set'

    def _clear_operational_mode(self, _text: str, _now: float) -> str:
        self._operational_mode = 'NONE'
        return 'No longer controlling the operational mode. Current operational mode: NONE'

    def _set_role(self, text: str, _now: float) -> str:
        if text.upper() not in ROLES:
            return f'Failed setting user role: {text}'
        self._role = text.upper()
        return f'Setting user role: {self._role}'

    def _add_to_log(self, text: str, _now: float) -> str:
        self.log = [*self.log[-199:], text]
        return 'Added log message'

    def _show(self, text: str, reply: str) -> str:
        self.controller.popup = text
        return reply


def _done(reply: str, happened: bool, command: str) -> str:
    return reply if happened else f'Failed to execute: {command}'
