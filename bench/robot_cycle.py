#!/usr/bin/env python3
"""Cycle time of a piece over backend rtde on the simulated arm: with rounded corners, and with a stop at each corner.

    . ./env.sh && python bench/robot_cycle.py [--pieces 4]

A cycle is one PART (pick and show) and one PLACE, at the speeds of config/recipe.yaml. Both kinds alternate in one run; the
controller is a process of its own, and its arm moves at the speed of a real one. Prints the steps of the last cycles.
"""

from __future__ import annotations

import argparse
import asyncio
import multiprocessing
import random
import statistics
import sys
import time
from dataclasses import replace
from multiprocessing.connection import Connection
from pathlib import Path
from types import SimpleNamespace

from cell_robot.recipe_file import load_recipe
from cell_robot.testing.arm_backends import (
    ArmOptions,
    ArmSetup,
    ProtectiveStopCounter,
    RtdeBackend,
    TriggerCommand,
    TriggerPhase,
)

RECIPE = Path(__file__).resolve().parent.parent / 'config' / 'recipe.yaml'
PART = 'EM1-2U1'
GOAL = 0.15
"""Share by which a cycle must be shorter with rounded corners."""
EVENT_S, CONNECT_S = 60.0, 10.0


def serve(address: str, ready: Connection) -> None:
    """Run the controller until killed; its part sensor follows the gripper's output.

    Args:
        address: Loopback address; the ports are those of a UR controller.
        ready: Gets True when they are served.
    """
    from cell_sim.ur_controller.controller import Controller, ControllerConfig
    from cell_sim.ur_controller.ports.controller import ControllerServer

    class Arm(Controller):
        def step(self, now: float) -> None:
            super().step(now)
            self.registers.digital_inputs = self.registers.digital_outputs & 1

    recipe = load_recipe(RECIPE, reach=False)
    config = ControllerConfig(arm=recipe.cell.arm, start_joints=recipe.waypoints['camera'])

    async def run() -> None:
        await ControllerServer(lambda now: Arm(now, config), address=address).start()
        ready.send(True)
        await asyncio.Event().wait()

    asyncio.run(run())


class Cell:
    """One backend on a controller of its own."""

    def __init__(self, blend: bool) -> None:
        """Start the controller in a process of its own, connect the backend, and do a cycle, which starts the control program.

        Args:
            blend: With the recipe's blend radius; False = the arm stops at each corner.
        """
        address = f'127.{random.randint(1, 254)}.{random.randint(1, 254)}.11'
        context = multiprocessing.get_context('spawn')
        ours, theirs = context.Pipe()
        self._controller = context.Process(target=serve, args=(address, theirs), daemon=True)
        self._controller.start()
        theirs.close()  # otherwise its end would not be seen
        ours.recv()
        recipe = load_recipe(RECIPE)
        recipe = recipe if blend else replace(recipe, speeds=replace(recipe.speeds, blend=0.0))
        log = SimpleNamespace(info=lambda _: None, warning=print, error=print)
        self._stock = SimpleNamespace(sequence=1, counts={(PART, 1): 24})
        setup = ArmSetup(ArmOptions(address, 125.0, 0.5, 2.0), recipe, self._stock, ProtectiveStopCounter(3, 600.0), log)
        self._backend = RtdeBackend(setup)
        self._backend.start(lambda: None)
        deadline = time.monotonic() + CONNECT_S
        while not self._backend.state().connected and time.monotonic() < deadline:
            time.sleep(0.05)
        self.steps: list[str] = []
        self.cycle()  # starts the control program

    def cycle(self) -> float:
        """Pick, show and place one piece.

        Returns:
            Seconds from the first trigger to the outcome of the second one.

        Raises:
            SystemExit: An event failed.
        """
        self.steps = []
        began = time.perf_counter()
        for event in (f'PART_{PART}', 'PLACE'):
            self._do(event)
        seconds = time.perf_counter() - began
        self._stock.counts[PART, 1] -= 1
        return seconds

    def _do(self, event: str) -> None:
        self._stock.sequence += 1
        command = TriggerCommand(f'bench-{time.monotonic_ns()}', event, 1 if event.startswith('PART') else 0)
        outcome = self._backend.trigger(command, lambda _: None).result(EVENT_S)
        if outcome.phase is not TriggerPhase.DONE:
            raise SystemExit(f'{event}: {outcome.message}')
        self.steps.append(self._backend.state().step_times)

    def close(self) -> None:
        """End backend and controller."""
        self._backend.close()
        self._controller.kill()


def main() -> int:
    """Measure and print; the exit code says whether the goal is met."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('--pieces', type=int, default=4, help='pieces of each kind')
    chosen = parser.parse_args()
    cells = {'stop at each corner': Cell(False), 'rounded corners': Cell(True)}
    times: dict[str, list[float]] = {name: [] for name in cells}
    try:
        for _ in range(chosen.pieces):
            for name, cell in cells.items():
                times[name].append(cell.cycle())
        for name, cell in cells.items():
            print(f'{name:22} median {statistics.median(times[name]):6.2f} s, max {max(times[name]):6.2f} s')
            for line in cell.steps:
                print(f'    {line}')
    finally:
        for cell in cells.values():
            cell.close()
    before, after = (statistics.median(found) for found in times.values())
    print(f'a cycle is {1.0 - after / before:.1%} shorter (goal: {GOAL:.0%})')
    return 0 if after <= (1.0 - GOAL) * before else 1


if __name__ == '__main__':
    sys.exit(main())
