#!/usr/bin/env python3
"""Receiving a controller's data at 125 Hz: CPU share of one core, and packages missing by the controller's own clock.

    . ./env.sh && python bench/robot_receive.py [--seconds 60] [--frequency 125]

The simulated controller and each listener are separate processes. "node" is the receiver of the robot node
(cell_robot.clients); "ur_rtde" is RTDEReceiveInterface, polled for the newest joints at the same rate. Also called by
bench/robot.py.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import multiprocessing
import random
import sys
import time
from dataclasses import dataclass, replace
from multiprocessing.connection import Connection
from typing import TYPE_CHECKING
from unittest.mock import patch

if TYPE_CHECKING:
    from cell_robot.protocols.rtde import RtdeValue

GOAL_SHARE = 0.03
# The handshake and the first garbage collection do not count.
WARM_UP_S, CONNECT_S = 1.0, 15.0


@dataclass(frozen=True)
class ReceiveResult:
    """Result of one listener."""

    share: float
    """CPU time of a core, 0..1."""
    packages: int
    gaps: int
    """Packages missing by the controller's clock."""
    unsent: int = 0
    """Missing packages that the controller, which shares the machine, did not send in time."""

    @property
    def missed(self) -> int:
        """Packages that were sent and not received."""
        return max(0, self.gaps - self.unsent)


def serve(address: str, events: Connection) -> None:
    """Run the controller until killed; sends 0 when ready, then the unsent packages of each connection that ends.

    Args:
        address: Loopback address of its ports.
        events: Pipe to the measuring process.
    """
    from cell_sim.ur_controller.ports import rtde as server_rtde
    from cell_sim.ur_controller.ports.controller import ControllerServer
    from cell_sim.ur_controller.rtde import RtdeSession

    class Session(RtdeSession):
        def close(self) -> None:
            events.send(self.skipped)
            super().close()

    async def run() -> None:
        with patch.object(server_rtde, 'RtdeSession', Session):
            await ControllerServer(address=address).start()
            events.send(0)
            await asyncio.Event().wait()

    asyncio.run(run())


def listen_as_node(address: str, frequency: float, seconds: float, out: Connection) -> None:
    """Receive like the robot node.

    Args:
        address: Address of the controller.
        frequency: Packages a second.
        seconds: Time of the measurement.
        out: Pipe for the ReceiveResult.
    """
    from cell_robot.clients import RtdeReceiver
    from cell_robot.protocols.rtde import OUTPUT_NAMES, PacketLossCounter, parse_snapshot

    class Listener:
        def __init__(self) -> None:
            self.count = PacketLossCounter(frequency)

        def connected(self) -> None:
            self.count.restart()

        def package(self, values: dict[str, RtdeValue]) -> None:
            self.count.take(parse_snapshot(values).timestamp)

        def lost(self, why: str, remedy: str) -> None:
            # On a busy machine the first attempt may come before the ports are served; the receiver tries again.
            if self.count.received or time.perf_counter() > connect_until:
                raise SystemExit(f'{why}. {remedy}')

    connect_until = time.perf_counter() + CONNECT_S

    async def run() -> ReceiveResult:
        listener = Listener()
        task = asyncio.ensure_future(RtdeReceiver(address, frequency, OUTPUT_NAMES, listener).run())
        while not listener.count.received and not task.done():
            await asyncio.sleep(0.05)
        await asyncio.sleep(WARM_UP_S)
        began, cpu, received = time.perf_counter(), time.process_time(), listener.count.received
        await asyncio.sleep(seconds)
        share = (time.process_time() - cpu) / (time.perf_counter() - began)
        task.cancel()
        return ReceiveResult(share, listener.count.received - received, listener.count.missed)

    out.send(asyncio.run(run()))


def listen_as_ur_rtde(address: str, frequency: float, seconds: float, out: Connection) -> None:
    """Receive with ur_rtde; it has no event for new data, so it is polled at the same rate.

    Args:
        address: Address of the controller.
        frequency: Packages a second.
        seconds: Time of the measurement.
        out: Pipe for the ReceiveResult.
    """
    from rtde_receive import RTDEReceiveInterface

    client = RTDEReceiveInterface(address, frequency)
    time.sleep(WARM_UP_S)
    began, cpu, packages, missed = time.perf_counter(), time.process_time(), 0, 0
    last = client.getTimestamp()
    while time.perf_counter() - began < seconds:
        time.sleep(1.0 / frequency)
        client.getActualQ()
        now = client.getTimestamp()
        steps = round((now - last) * frequency)
        packages, missed, last = packages + (steps > 0), missed + max(0, steps - 1), now
    out.send(ReceiveResult((time.process_time() - cpu) / (time.perf_counter() - began), packages, missed))


def measure(frequency: float, seconds: float) -> dict[str, ReceiveResult]:
    """Run each listener in turn; one that is not installed is skipped.

    Args:
        frequency: Packages a second.
        seconds: Time for the node's receiver; ur_rtde gets at most 10 s.

    Returns:
        Name of the listener -> result.
    """
    # The ports of a controller are fixed, so each run has a loopback address of its own.
    address = f'127.{random.randint(1, 254)}.{random.randint(1, 254)}.9'
    spawn = multiprocessing.get_context('spawn')
    ours, theirs = spawn.Pipe()
    controller = spawn.Process(target=serve, args=(address, theirs), daemon=True)
    controller.start()
    theirs.close()  # otherwise its end would not be seen
    ours.recv()
    found = {}
    listeners = {'node': (listen_as_node, seconds), 'ur_rtde': (listen_as_ur_rtde, min(seconds, 10.0))}
    try:
        for name, (listen, time_s) in listeners.items():
            answer, sender = spawn.Pipe(duplex=False)
            process = spawn.Process(target=listen, args=(address, frequency, time_s, sender), daemon=True)
            process.start()
            sender.close()
            with contextlib.suppress(EOFError):  # not installed
                found[name] = answer.recv()
            process.join()
            if name in found:
                # Controller and listener share two cores: a package that was never sent is not the listener's fault.
                found[name] = replace(found[name], unsent=ours.recv())
    finally:
        controller.kill()
    return found


def show(found: dict[str, ReceiveResult], frequency: float) -> bool:
    """Print the table; return whether the node meets its goal.

    Args:
        found: Name -> result; without "node" the goal is missed.
        frequency: Packages a second.
    """
    print(f'{f"receive at {frequency:g} Hz":34}{"CPU":>9}{"packages":>9}{"unsent":>9}{"missed":>9}')
    for name, listened in found.items():
        print(f'{name:34}{listened.share:>9.1%}{listened.packages:>9}{listened.unsent:>9}{listened.missed:>9}')
    node = found.get('node')
    if node is None:
        print('the node was not measured: see its error above')
        return False
    print(f'goal: node under {GOAL_SHARE:.0%} of a core, nothing missed')
    return node.share < GOAL_SHARE and node.missed == 0


def main() -> int:
    """Measure and print; the exit code says whether the goal is met."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('--seconds', type=float, default=60.0)
    parser.add_argument('--frequency', type=float, default=125.0, help='Hz')
    chosen = parser.parse_args()
    return 0 if show(measure(chosen.frequency, chosen.seconds), chosen.frequency) else 1


if __name__ == '__main__':
    sys.exit(main())
