"""Every fault of a robot at every moment of a piece, over every link: what is booked was placed, what was placed was verified.

CI runs one moment of each fault, drawn by a seed. The whole campaign: CELL_CAMPAIGN=full pytest test/test_fault_campaign.py,
or in pieces with -k, or CELL_CAMPAIGN=4,9 for those moments of each fault. Then each case is added to fault_campaign.jsonl in
the folder of test results, where the newest one counts. The table of link, fault and outcome is written to fault_campaign.md
beside it, and printed.
"""

from __future__ import annotations

import json
import os
import random
import signal
import time
from collections import Counter
from collections.abc import Iterator
from datetime import date
from itertools import product
from pathlib import Path
from typing import Any

import pytest
from cell_common.testing import NodeGraph, wait_until
from cell_robot.robot_modes import RuntimeState, SafetyMode
from robot_cell import LINKS, RESTING, RobotCell
from robot_faults import CONTROL, CRASH, FAULTS, MOMENTS, Fault

from cell_interfaces.msg import InventoryEvent, JobState, RobotState
from cell_interfaces.srv import ControlJob

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1200)]
ASKED = os.environ.get('CELL_CAMPAIGN', '')
"""`full`, or the moments to run, such as 4,5,9."""
SHARE_OF_CI = 1
REACHING = 1
"""The moment at which the arm is on its way to the tray."""
SEED = 2024
PART = 'EM1-2U1'
TIME_SCALES = {'letters': 20.0, 'rtde': 20.0, 'ros_driver': 6.0}
PATIENCE_S = 10.0
STILL_S = 0.3
TRIES = 4
IN_HAND = (JobState.STEP_READ, JobState.STEP_MATCH, JobState.STEP_PLACE, JobState.STEP_REJECT)
FAST_LINK = {'ack_timeout': 0.5, 'done_timeout': 2.0, 'heartbeat_timeout': 1.2}
ACTIONS = {'picked': 'PART', 'placed': 'PLACE', 'rejected': 'REJECT'}
RESULTS = Path(os.environ.get('CELL_TEST_RESULTS', 'build/test'))
CASES = RESULTS / 'fault_campaign.jsonl'
COLUMNS = {'finished': 'finished', 'paused, then finished': 'paused', 'paused, then cancelled': 'cancelled', 'FAILED': 'failed'}
OUTCOMES: dict[tuple[str, str, int], str] = {}


def moments(link: str, fault: str) -> list[int]:
    chosen = random.Random(f'{SEED}/{link}/{fault}').sample(range(MOMENTS), SHARE_OF_CI)
    if ASKED:
        return [moment for moment in range(MOMENTS) if ASKED == 'full' or str(moment) in ASKED.split(',')]
    return sorted(chosen)


class Campaign:
    """One cell that goes through one case after the other."""

    def __init__(self, domain: int, folder: Path, link: str) -> None:
        self.graph = NodeGraph(domain)
        try:
            self.cell = RobotCell(self.graph, folder, link, seed=SEED, time_scale=TIME_SCALES[link], **FAST_LINK)
            self.piece_s = self._measure()
        except BaseException:
            self.graph.close()
            raise

    def close(self) -> None:
        self.graph.close()

    def _measure(self) -> float:
        job_id = self.cell.start(PART, 1)
        begun = self._picking(job_id)
        assert self.cell.wait_rest(job_id).state == JobState.DONE
        return time.monotonic() - begun

    def _picking(self, job_id: str) -> float:
        """Wait until the pick of the job's first piece has been sent; return when that was."""

        def sent() -> bool:
            return any(
                state.last_trigger_id.startswith(job_id) and state.last_trigger_event.startswith('PART')
                for state in list(self.cell.states)
            )

        wait_until(sent, PATIENCE_S, f'the pick; the job is at {self.cell.job.step}: {self.cell.job.reason}')
        return time.monotonic()

    def case(self, fault: Fault, moment: int) -> str:
        """Run one case and return its outcome."""
        cell = self.cell
        cell.monitor.reset()
        self.tidy()
        seen, states = len(cell.truth()), len(cell.states)
        job_id = cell.start(PART, 1)
        begun = self._picking(job_id)
        time.sleep(max(0.0, begun + (moment + 0.5) / MOMENTS * self.piece_s - time.monotonic()))
        for device, name, value in fault.on(cell.link):
            if device == CONTROL:
                self.kill_control()
            else:
                cell.inject(name, value, device)
        injected = time.monotonic()
        over = injected + fault.lasts
        job = cell.wait_rest(job_id)
        assert job.state == JobState.DONE or time.monotonic() < injected + fault.within, 'it took long to tell'
        self.check(job_id, seen, states)
        if job.state == JobState.DONE:
            return 'finished'
        assert fault.true(cell.link, job.reason), f'{fault.name} on {cell.link} gave as its reason: {job.reason}'
        self.arm_rests(over)
        self.check(job_id, seen, states)
        again = self.go_on(job_id, seen)
        self.check(job_id, seen, states)
        return 'paused, then finished' if again else 'paused, then cancelled'

    def kill_control(self) -> None:
        """Kill the control process, as one that has crashed; whether the arm moves or not."""
        if pid := self.cell.robot._backend.control_pid:
            os.kill(pid, signal.SIGKILL)

    def check(self, job_id: str, seen: int, states: int) -> None:
        """Hold what must always hold against the truth."""
        cell, truth = self.cell, self.cell.truth()[seen:]
        placed = [str(entry['serial']) for entry in truth if entry['event'] == 'placed']
        booked = [piece for kind, piece in cell.booked(job_id) if kind == InventoryEvent.PLACE]
        assert len(booked) == len(set(booked)) <= len(placed), f'booked {booked}, placed {placed}'
        assert set(placed) <= set(cell.eyes.verified), f'placed without a verdict: {placed}'
        sent = {state.last_trigger_id: state.last_trigger_event.partition('_')[0] for state in list(cell.states)[states:]}
        done = Counter(ACTIONS[str(entry['event'])] for entry in truth if entry['event'] in ACTIONS)
        asked = Counter(sent.values())
        assert all(done[event] <= asked[event] for event in done), f'the arm did {done}, asked for was {asked}'
        assert not cell.violations(), '; '.join(cell.violations())

    def arm_rests(self, over: float) -> None:
        """Wait until nothing more comes of the fault by itself and the arm stands; nothing may be commanded meanwhile.

        What moves meanwhile, the watch sees in every cycle of the controller.
        """
        cell, controller, known = self.cell, self.cell.controller, len(self.cell.commands)
        wait_until(lambda: time.monotonic() > over, PATIENCE_S)
        if cell.link == 'letters':  # the robot's own program goes on with what was commanded when a safeguard is reset
            wait_until(lambda: controller.safety != SafetyMode.SAFEGUARD_STOP, PATIENCE_S, 'the safeguard is reset')
        wait_until(lambda: self._still(controller), PATIENCE_S, 'the arm stands')
        assert self._still(controller, STILL_S), 'the arm moves without a command'
        assert len(cell.commands) == known, 'the cell commands the robot while the job is paused'

    def _still(self, controller: Any, seconds: float = 0.05) -> bool:
        before = controller.motion.joints
        time.sleep(seconds)
        return bool(controller.motion.joints == before)

    def go_on(self, job_id: str, seen: int) -> bool:
        """Do what a person does: look, bring the robot back, go on. Return whether the job came to its end."""
        cell = self.cell
        for attempt in range(TRIES):
            self.bring_back()
            if attempt and cell.link == 'letters':
                cell.recover()
            if cell.job.unresolved_trigger:
                cell.control(self.look(cell.job, seen))
                wait_until(lambda: cell.job.step != JobState.STEP_BOOK, PATIENCE_S, 'the booking')
            elif cell.job.step in IN_HAND and cell.world.simulation.world.held is None:
                cell.control(ControlJob.Request.RESOLVE_REMOVED)
                wait_until(lambda: cell.job.step != JobState.STEP_BOOK, PATIENCE_S, 'the booking')
            if cell.job.state == JobState.PAUSED:
                cell.control(ControlJob.Request.RESUME)
            if cell.wait_rest(job_id).state == JobState.DONE:
                return True
        return False

    def look(self, job: JobState, seen: int) -> int:
        """Tell what a person sees of a trigger of unknown outcome; a piece that is neither here nor there is taken out."""
        cell, world = self.cell, self.cell.world.simulation.world
        last = [entry['event'] for entry in cell.truth()[seen:] if entry['event'] != 'tray'][-1:]
        done = {JobState.STEP_PICK: 'held_up', JobState.STEP_PLACE: 'placed', JobState.STEP_REJECT: 'rejected'}.get(job.step)
        if done is None or (job.step == JobState.STEP_PICK and world.held is None and 'dropped' not in last):
            return ControlJob.Request.RESOLVE_NOT_DONE
        if last == [done]:
            return ControlJob.Request.RESOLVE_DONE
        if world.held is not None:
            cell.inject('empty', 0.0, 'hand')
        return ControlJob.Request.RESOLVE_REMOVED

    def bring_back(self) -> None:
        """Let a person at the pendant clear what is wrong; then let the robot node recover."""
        cell = self.cell
        wait_until(cell.world.simulation.ur.connected.is_set, PATIENCE_S)
        for device in {'ur', 'robot'} & set(cell.world.simulation.devices):
            cell.inject('clear', 0.0, device)
        controller, robot = cell.controller, cell.world.simulation.robot
        if robot is None:
            self._told()
        if not controller.may_move or (robot is not None and controller.runtime != RuntimeState.PLAYING):
            cell.inject('attend')
        if robot is not None:
            wait_until(lambda: controller.runtime == RuntimeState.PLAYING, PATIENCE_S, 'the program runs')
            wait_until(lambda: robot.connected.is_set() and cell.settled(), PATIENCE_S, 'the program is connected')
            return
        self._told()
        state = cell.state
        if state.message or state.last_trigger_state not in (RobotState.TRIGGER_NONE, RobotState.TRIGGER_DONE):
            for left in reversed(range(TRIES)):
                answer = cell.recover()
                if not answer.code or not left:
                    break
                time.sleep(1.0)
            assert not answer.code, answer.message
        cell.wait_ready()

    def _told(self) -> None:
        """Wait until the robot node knows what became of the robot; until then it may say what was true before the fault."""
        cell, controller = self.cell, self.cell.controller
        wait_until(
            lambda: (
                cell.state.connected and (cell.state.robot_mode, cell.state.safety_mode) == (controller.mode, controller.safety)
            ),
            PATIENCE_S,
            'the node tells what the robot is',
        )

    def tidy(self) -> None:
        """Leave nothing of the case before."""
        cell = self.cell
        if cell.job is not None and cell.job.state not in RESTING[2:]:
            if cell.job.unresolved_trigger:
                cell.control(ControlJob.Request.RESOLVE_REMOVED)
            cell.control(ControlJob.Request.CANCEL)
            wait_until(lambda: cell.job.state in RESTING[2:], PATIENCE_S, 'the job is over')
        self.bring_back()
        if cell.world.simulation.world.held is not None:
            cell.inject('empty', 0.0, 'hand')
        if cell.link == 'letters' and cell.state.last_trigger_state == RobotState.TRIGGER_UNKNOWN:
            cell.recover()
        cell.refill(PART)


class Cells:
    """The cell of the link that is tried now; one at a time, and a new one after a case that could not be cleared up."""

    def __init__(self, domain: int, factory: pytest.TempPathFactory) -> None:
        self._domain, self._factory = domain, factory
        self._campaign: Campaign | None = None
        self._link = ''

    def of(self, link: str) -> Campaign:
        if self._campaign is None or self._link != link:
            self.close()
            self._link, self._campaign = link, Campaign(self._domain, self._factory.mktemp(link), link)
        return self._campaign

    def close(self) -> None:
        if self._campaign is not None:
            self._campaign.close()
            self._campaign = None


@pytest.fixture(scope='module')
def cells(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cells]:
    from domain_coordinator import domain_id

    with domain_id() as number:
        made = Cells(int(number), tmp_path_factory)
        yield made
        made.close()
    write_table()


@pytest.mark.parametrize('link', LINKS, scope='module')
def test_an_arm_that_moves_without_a_command_is_told(cells: Cells, link: str) -> None:
    """The failing twin of the campaign's check: somebody else lets the arm move."""
    cell = cells.of(link).cell
    assert cell.commands and all(command.ended and command.succeeded for command in cell.commands)
    wait_until(lambda: time.monotonic() > cell.commands[-1].ended + STILL_S, PATIENCE_S)
    assert cell.violations() == []
    motion = cell.controller.motion
    cell.background(lambda: motion.place([motion.joints[0] + 0.01, *motion.joints[1:]], 1.0))
    wait_until(cell.violations, PATIENCE_S, 'the watch has seen it')
    cell.monitor.reset()


@pytest.mark.parametrize('fault', FAULTS)
@pytest.mark.parametrize('link', LINKS, scope='module')
def test_after_a_fault_only_what_was_placed_is_booked(cells: Cells, link: str, fault: str) -> None:
    try_at(cells, link, FAULTS[fault], moments(link, fault))


@pytest.mark.parametrize('link', ['rtde'], scope='module')
def test_a_control_process_that_is_killed_leaves_a_cell_that_tells_and_goes_on(cells: Cells, link: str) -> None:
    try_at(cells, link, CRASH, moments(link, CRASH.name) if ASKED else [REACHING])


def try_at(cells: Cells, link: str, fault: Fault, chosen: list[int]) -> None:
    failures = []
    for moment in chosen:
        try:
            outcome = cells.of(link).case(fault, moment)
        except AssertionError as problem:
            cells.close()
            outcome = 'FAILED'
            failures.append(f'moment {moment}: {problem}')
            print(f'FAILED {link} {fault.name} {failures[-1]}', flush=True)
        note(link, fault.name, moment, outcome)
    assert not failures, '\n'.join(failures)


def note(link: str, fault: str, moment: int, outcome: str) -> None:
    """Keep what became of a case; of the whole campaign also for the next run."""
    OUTCOMES[link, fault, moment] = outcome
    if ASKED:
        RESULTS.mkdir(parents=True, exist_ok=True)
        with CASES.open('a') as file:
            file.write(json.dumps([link, fault, moment, outcome]) + '\n')


def write_table() -> None:
    """Write link, fault and outcome as a table."""
    known = [json.loads(line) for line in CASES.read_text().splitlines()] if ASKED and CASES.exists() else []
    cases = {(link, fault, moment): outcome for link, fault, moment, outcome in known} | OUTCOMES
    lines = [f'| link | fault | moments | {" | ".join(COLUMNS.values())} |', '|---|---|---|' + '---|' * len(COLUMNS)]
    for link, fault in product(LINKS, [*FAULTS, CRASH.name]):
        counts = Counter(outcome for case, outcome in cases.items() if case[:2] == (link, fault))
        if counts:
            cells = ' | '.join(str(counts[column]) for column in COLUMNS)
            lines.append(f'| `{link}` | {fault} | {counts.total()} | {cells} |')
    table = '\n'.join(lines)
    RESULTS.mkdir(parents=True, exist_ok=True)
    (RESULTS / 'fault_campaign.md').write_text(f'{date.today()}\n\n{table}\n')
    print(f'\n{table}')
