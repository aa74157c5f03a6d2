"""The whole controller on its ports, with the cycle that advances its time."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, replace

from cell_sim.faults import FaultInjector
from cell_sim.ur_controller.controller import Controller
from cell_sim.ur_controller.dashboard import DashboardCommands
from cell_sim.ur_controller.faults import FAULTS
from cell_sim.ur_controller.ports.dashboard import DashboardPort
from cell_sim.ur_controller.ports.port import Port
from cell_sim.ur_controller.ports.rtde import RtdePort
from cell_sim.ur_controller.ports.script import ScriptPort
from cell_sim.ur_controller.program import WaitingProgram

__all__ = ['ControllerPorts', 'ControllerServer']

CYCLE_S = 0.002
"""500 Hz, as on the e-Series."""
PROGRAM_CYCLE_S = 0.008
"""While a program runs without a client; 125 Hz, as on the CB series."""
IDLE_CYCLE_S = 0.02
"""Without a client and a program."""

OWNED_INPUTS = {
    'registers_taken': [f'input_{kind}_register_{number}' for kind in ('int', 'double') for number in range(24)],
    'tool_outputs_taken': ['tool_digital_output_mask', 'tool_digital_output'],
}
"""Fault -> inputs that another client owns."""

CycleCallback = Callable[[Controller], None]
"""Called in the loop's thread after each cycle of the controller."""


@dataclass(frozen=True)
class ControllerPorts:
    """TCP ports; 0 = any free one. The defaults are the ones that every UR client expects.

    Attributes:
        dashboard: Text commands.
        rtde: Data packages and requests.
        primary: Programs in, messages and state out at 10 Hz.
        secondary: The same as `primary`.
        script: Programs in, real-time frames out in every cycle.
    """

    dashboard: int = 29999
    rtde: int = 30004
    primary: int = 30001
    secondary: int = 30002
    script: int = 30003


class ControllerServer:
    """Serves a controller. Several can share a machine if each has its own address (127.x.y.z).

    Attributes:
        address: Address to listen on.
        faults: Pending faults, see `ur_controller.faults.FAULTS`.
        connected: Set while the ports are open.
        controller: The controller; exists after `start`.
        stalled_until: End of fault `stall`, by the loop's clock.
    """

    def __init__(
        self,
        controller: Callable[[float], Controller] = Controller,
        *,
        address: str = '127.0.0.1',
        ports: ControllerPorts = ControllerPorts(),
        on_cycle: CycleCallback | None = None,
    ) -> None:
        """Create a stopped server.

        Args:
            controller: Creates the controller for a time of the loop's clock.
            address: Address to listen on.
            ports: TCP ports.
            on_cycle: First cycle callback: the hardware wired to the controller.
        """
        self._callbacks: list[CycleCallback] = [on_cycle] if on_cycle is not None else []
        self._make, self.address, self._wanted = controller, address, ports
        self.faults = FaultInjector(FAULTS)
        self.connected = asyncio.Event()
        self._tasks: set[asyncio.Task[None]] = set()
        self._ports: list[Port] = []
        self._extra_ports: list[Port] = []
        self.stalled_until = 0.0

    def add_port(self, port: Port) -> None:
        """Serve another device at the controller's address; before `start`."""
        self._extra_ports = [*self._extra_ports, port]

    def add_cycle_callback(self, callback: CycleCallback) -> None:
        """Call a function after each cycle, after the callbacks that exist already.

        Args:
            callback: Receives the controller. It runs in the cycle, so it must take well under 2
                ms.
        """
        # A new list: the cycle may be iterating over the old one.
        self._callbacks = [*self._callbacks, callback]

    async def start(self) -> None:
        """Switch on.

        Raises:
            OSError: A port is in use.
        """
        self.controller = self._make(asyncio.get_running_loop().time())
        self._arm = self.controller.arm
        self.dashboard = DashboardPort(DashboardCommands(self.controller), self.faults, self.address, self._wanted.dashboard)
        self.rtde = RtdePort(self.controller, self.faults, self.address, self._wanted.rtde)
        wanted = ((self._wanted.primary, False), (self._wanted.secondary, False), (self._wanted.script, True))
        self.scripts = [
            ScriptPort(self.controller, self.faults, self.address, port, real_time=real_time) for port, real_time in wanted
        ]
        self._ports = [self.dashboard, self.rtde, *self.scripts, *self._extra_ports]
        await self._open()
        self._spawn(self._run_cycles())
        self._spawn(self._wait_shut_down())

    async def stop(self) -> None:
        """Switch off."""
        for task in [*self._tasks]:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._close()

    def inject(self, fault: str, value: float = 0.0) -> str:
        """Inject a fault and return a description of its effect.

        Args:
            fault: Key of `ur_controller.faults.FAULTS`.
            value: Count, seconds or meters, see there; 0 = the default.

        Raises:
            UnknownFaultError: No such fault exists.
        """
        text = self.faults.inject(fault, value)
        now = asyncio.get_running_loop().time()
        self._inject_stops(now)
        self._inject_operator_actions()
        self._inject_owners()
        self._inject_network_faults(now)
        return text

    def _inject_stops(self, now: float) -> None:
        controller = self.controller
        if self.faults.take('protective_stop'):
            controller.protective_stop(now, 'position deviates from path')
        if seconds := self.faults.take('emergency_stop'):
            controller.emergency_stop()
            self._spawn(_call_later(seconds, controller.release_emergency_stop))
        if seconds := self.faults.take('safeguard_stop'):
            controller.safeguard_stop()
            self._spawn(_call_later(seconds, controller.reset_safeguard))
        if self.faults.take('attend'):
            controller.acknowledge_at_pendant(now)
        if seconds := self.faults.take('local_mode'):
            controller.set_remote(False)
            self._spawn(_call_later(seconds, lambda: controller.set_remote(True)))

    def _inject_operator_actions(self) -> None:
        """Inject an action of an operator at the pendant, or of another client."""
        controller = self.controller
        if self.faults.take('stop_program'):
            controller.stop_program()
        if self.faults.take('pause_program'):
            controller.pause()
        if self.faults.take('foreign_program'):
            controller.start_program(WaitingProgram())
        if seconds := self.faults.take('slider'):
            controller.registers.speed_slider = 0.0
            self._spawn(_call_later(seconds, lambda: setattr(controller.registers, 'speed_slider', 1.0)))
        if meters := self.faults.take('other_model'):
            arm = replace(controller.arm, a2=controller.arm.a2 - meters)
            controller.arm = controller.motion.arm = arm

    def _inject_owners(self) -> None:
        """Let other clients own inputs."""
        for fault, names in OWNED_INPUTS.items():
            if seconds := self.faults.take(fault):
                owner = object()
                self.rtde.occupy(names, owner)
                self._spawn(_call_later(seconds, lambda owner=owner: self.rtde.vacate(owner)))  # type: ignore[misc]

    def _inject_network_faults(self, now: float) -> None:
        if self.faults.take('clear'):
            self.faults.clear()
            self.controller.arm = self.controller.motion.arm = self._arm
            self.stalled_until = now
        if seconds := self.faults.take('stall'):
            self.stalled_until = now + seconds
        if seconds := self.faults.take('disconnect'):
            self._spawn(self._go_offline(seconds))
        if seconds := self.faults.take('reboot'):
            self.controller.reboot(now)
            self._spawn(self._go_offline(seconds))

    async def _open(self) -> None:
        for port in self._ports:
            await port.open()
        self.connected.set()

    async def _close(self) -> None:
        self.connected.clear()
        for port in self._ports:
            await port.close()

    async def _go_offline(self, seconds: float) -> None:
        await self._close()
        await asyncio.sleep(seconds)
        await self._open()

    async def _wait_shut_down(self) -> None:
        await self.dashboard.shut_down.wait()
        self.controller.power_off()
        await self._close()

    async def _run_cycles(self) -> None:
        """Advance the controller and serve the ports; the body of the server's task."""
        loop = asyncio.get_running_loop()
        due = loop.time()
        while True:
            # A late cycle is not caught up: `step` receives the real time that has passed.
            due = max(due + self._period(), loop.time())
            await asyncio.sleep(due - loop.time())
            now = loop.time()
            self.controller.step(now)
            for callback in self._callbacks:
                callback(self.controller)
            for port in self._ports:
                port.set_stalled(now < self.stalled_until)
                port.publish(now)

    def _period(self) -> float:
        if any(port.writers for port in self._ports):
            return CYCLE_S
        return PROGRAM_CYCLE_S if self.controller.program is not None else IDLE_CYCLE_S

    def _spawn(self, work: Coroutine[object, object, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


async def _call_later(seconds: float, action: Callable[[], object]) -> None:
    await asyncio.sleep(seconds)
    action()
