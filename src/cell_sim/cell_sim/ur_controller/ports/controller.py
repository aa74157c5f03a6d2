"""The whole controller on its ports, with the cycle that lets its time pass."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import Any

from cell_sim.faults import Faults
from cell_sim.ur_controller.controller import Controller
from cell_sim.ur_controller.dashboard import DashboardCommands
from cell_sim.ur_controller.faults import FAULTS
from cell_sim.ur_controller.ports.dashboard import DashboardPort
from cell_sim.ur_controller.ports.port import Port
from cell_sim.ur_controller.ports.rtde import RtdePort
from cell_sim.ur_controller.ports.script import ScriptPort

CYCLE_S = 0.002
"""500 Hz, as on the e-Series."""
PROGRAM_CYCLE_S = 0.008
"""While a program of its own runs and nobody is connected; as slow as on the CB series."""
IDLE_CYCLE_S = 0.02
"""While nobody is connected and nothing runs."""


@dataclass(frozen=True)
class ControllerPorts:
    """TCP ports; 0 = any free one. The defaults are the ones every UR client expects."""

    dashboard: int = 29999
    rtde: int = 30004
    primary: int = 30001
    secondary: int = 30002
    script: int = 30003


class ControllerServer:
    """Serves a controller; several of them share a machine when each has an address of its own (127.x.y.z)."""

    def __init__(
        self,
        controller: Callable[[float], Controller] = Controller,
        *,
        address: str = '127.0.0.1',
        ports: ControllerPorts = ControllerPorts(),
        every_cycle: Callable[[Controller], None] = lambda _controller: None,
    ) -> None:
        """Be switched off.

        Args:
            controller: Makes the controller at a time of the loop's clock.
            address: Address to listen on.
            ports: Where.
            every_cycle: Called after each cycle of the controller: what is wired to it and stands around it.
        """
        self._every_cycle = every_cycle
        self._make, self.address, self._wanted = controller, address, ports
        self.faults = Faults(FAULTS)
        self.connected = asyncio.Event()
        """Set while it is on the network."""
        self._tasks: set[asyncio.Task[None]] = set()
        self._ports: list[Port] = []
        self.stalled_until = 0.0

    def watch(self, see: Callable[[Controller], None]) -> None:
        """Let somebody see the controller after each cycle, in the loop's thread."""
        wired = self._every_cycle

        def both(controller: Controller) -> None:
            wired(controller)
            see(controller)

        self._every_cycle = both

    async def start(self) -> None:
        """Switch on.

        Raises:
            OSError: A port is in use.
        """
        self.controller = self._make(asyncio.get_running_loop().time())
        self.dashboard = DashboardPort(DashboardCommands(self.controller), self.faults, self.address, self._wanted.dashboard)
        self.rtde = RtdePort(self.controller, self.faults, self.address, self._wanted.rtde)
        wanted = ((self._wanted.primary, False), (self._wanted.secondary, False), (self._wanted.script, True))
        self.scripts = [
            ScriptPort(self.controller, self.faults, self.address, port, real_time=real_time) for port, real_time in wanted
        ]
        self._ports = [self.dashboard, self.rtde, *self.scripts]
        await self._open()
        self._keep(self._cycle())
        self._keep(self._shut_down())

    async def stop(self) -> None:
        """Switch off."""
        for task in [*self._tasks]:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._close()

    def inject(self, fault: str, value: float = 0.0) -> str:
        """Let the controller misbehave and return what will happen.

        Raises:
            UnknownFaultError: There is no such fault.
        """
        text = self.faults.inject(fault, value)
        now, controller = asyncio.get_running_loop().time(), self.controller
        if self.faults.take('protective_stop'):
            controller.protective_stop(now, 'position deviates from path')
        if seconds := self.faults.take('emergency_stop'):
            controller.emergency_stop()
            self._keep(_later(seconds, controller.release_emergency_stop))
        if seconds := self.faults.take('safeguard_stop'):
            controller.safeguard_stop()
            self._keep(_later(seconds, controller.reset_safeguard))
        if self.faults.take('clear'):
            self.faults.clear()
            self.stalled_until = now
        if self.faults.take('attend'):
            controller.acknowledge_at_pendant(now)
        if seconds := self.faults.take('stall'):
            self.stalled_until = now + seconds
        if seconds := self.faults.take('local_mode'):
            controller.remote = False
            self._keep(_later(seconds, lambda: setattr(controller, 'remote', True)))
        if seconds := self.faults.take('disconnect'):
            self._keep(self._away(seconds))
        if seconds := self.faults.take('reboot'):
            controller.reboot(now)
            self._keep(self._away(seconds))
        return text

    async def _open(self) -> None:
        for port in self._ports:
            await port.open()
        self.connected.set()

    async def _close(self) -> None:
        self.connected.clear()
        for port in self._ports:
            await port.close()

    async def _away(self, seconds: float) -> None:
        await self._close()
        await asyncio.sleep(seconds)
        await self._open()

    async def _shut_down(self) -> None:
        await self.dashboard.shut_down.wait()
        self.controller.power_off()
        await self._close()

    async def _cycle(self) -> None:
        loop = asyncio.get_running_loop()
        due = loop.time()
        while True:
            due = max(due + self._period(), loop.time())
            await asyncio.sleep(due - loop.time())
            now = loop.time()
            self.controller.step(now)
            self._every_cycle(self.controller)
            for port in self._ports:
                port.stalled = now < self.stalled_until
                port.publish(now)

    def _period(self) -> float:
        if any(port.writers for port in self._ports):
            return CYCLE_S
        return PROGRAM_CYCLE_S if self.controller.program is not None else IDLE_CYCLE_S

    def _keep(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


async def _later(seconds: float, action: Callable[[], object]) -> None:
    await asyncio.sleep(seconds)
    action()
