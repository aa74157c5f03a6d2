"""Every fault of a robot at every moment of a piece, over every backend: recorded pieces are placed, placed ones verified.

CI runs one moment of each fault, drawn by a seed. The whole campaign: CELL_CAMPAIGN=full pytest test/test_fault_campaign.py,
or parts of it with -k, or CELL_CAMPAIGN=4,9 for these moments of each fault. Each case is then appended to
fault_campaign.jsonl in the folder of test results, where the newest one counts. The table of backend, fault and outcome is
written to fault_campaign.md in the same folder, and printed.
"""

from __future__ import annotations

import json
import math
import os
import random
import signal
import time
from collections import Counter
from collections.abc import Iterator
from datetime import date
from itertools import product
from pathlib import Path

import pytest
from cell_common.testing import NodeGraph, wait_until
from cell_robot.robot_modes import RuntimeState, SafetyMode
from cell_sim.ur_controller.controller import Controller
from robot_cell import BACKENDS, RESTING, RobotCell
from robot_faults import CONTROL, CRASH, FAULTS, MOMENTS, PEOPLE, Fault

from cell_interfaces.msg import InventoryEvent, JobState, RobotState
from cell_interfaces.srv import ControlJob

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1200)]
SELECTION = os.environ.get('CELL_CAMPAIGN', '')
"""`full`, or the moments to run, such as 4,5,9."""
CI_MOMENTS = 1
SELECTED_ONLY = ('registers_taken', 'wrong_model', 'part_lost')
"""Faults that CI tries on the backends alone: src/cell_sim/test/links."""
REACHING = 1
"""Moment at which the arm approaches the tray."""
SEED = 2024
PART = 'EM1-2U1'
TIME_SCALES = {'letters': 20.0, 'rtde': 20.0, 'ros_driver': 6.0}
TIMEOUT_S = 10.0
STILL_S = 0.3
TRIES = 4
RETRY_S = 3.0
HOLDING_STEPS = (JobState.STEP_READ, JobState.STEP_MATCH, JobState.STEP_PLACE, JobState.STEP_REJECT)
FAST_LINK = {'ack_timeout': 0.5, 'done_timeout': 2.0, 'heartbeat_timeout': 1.2}
ACTIONS = {'picked': 'PART', 'placed': 'PLACE', 'rejected': 'REJECT'}
RESULTS = Path(os.environ.get('CELL_TEST_RESULTS', 'build/test'))
CASES = RESULTS / 'fault_campaign.jsonl'
COLUMNS = {'finished': 'finished', 'paused, then finished': 'paused', 'paused, then canceled': 'canceled', 'FAILED': 'failed'}
OUTCOMES: dict[tuple[str, str, int], str] = {}


def moments(backend: str, fault: str) -> list[int]:
    chosen = random.Random(f'{SEED}/{backend}/{fault}').sample(range(MOMENTS), CI_MOMENTS)
    if SELECTION:
        return [moment for moment in range(MOMENTS) if SELECTION == 'full' or str(moment) in SELECTION.split(',')]
    return sorted(chosen)


class Campaign:
    """One cell that runs one case after the other."""

    def __init__(self, domain: int, folder: Path, backend: str) -> None:
        self.graph = NodeGraph(domain)
        self._recovery_at = self._over_at = -math.inf
        try:
            self.cell = RobotCell(self.graph, folder, backend, seed=SEED, time_scale=TIME_SCALES[backend], **FAST_LINK)
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
        """Wait for the trigger of the job's first pick; return its time."""

        def sent() -> bool:
            return any(
                state.last_trigger_id.startswith(job_id) and state.last_trigger_event.startswith('PART')
                for state in list(self.cell.states)
            )

        wait_until(sent, TIMEOUT_S, f'the pick; the job is at {self.cell.job.step}: {self.cell.job.reason}')
        return time.monotonic()

    def case(self, fault: Fault, moment: int) -> str:
        """Run one case and return its outcome."""
        cell = self.cell
        cell.monitor.reset()
        wait_until(lambda: time.monotonic() > self._over_at, TIMEOUT_S, 'the end of the former fault')
        self.tidy()
        seen, states = len(cell.truth()), len(cell.states)
        job_id = cell.start(PART, 1)
        begun = self._picking(job_id)
        due = begun + (moment + 0.5) / MOMENTS * self.piece_s
        wait_until(lambda: time.monotonic() >= due, TIMEOUT_S, 'the moment of the fault')
        for device, name, value in fault.on(cell.backend):
            if device == CONTROL:
                self.kill_control()
            else:
                cell.inject(name, value, device)
        injected = time.monotonic()
        over = self._over_at = injected + fault.lasts
        job = cell.wait_rest(job_id)
        assert job.state == JobState.DONE or time.monotonic() < injected + fault.within, 'the reason came late'
        self.check(job_id, seen, states)
        if job.state == JobState.DONE:
            return 'finished'
        assert fault.true(cell.backend, job.reason), f'{fault.name} on {cell.backend} gave as its reason: {job.reason}'
        self.arm_rests(over)
        self.check(job_id, seen, states)
        proceeds = fault.proceeds and cell.job.can_continue
        finished = (proceeds and self.proceed(job_id)) or self.resume(job_id, seen)
        self.check(job_id, seen, states)
        return 'paused, then finished' if finished else 'paused, then canceled'

    def kill_control(self) -> None:
        """Kill the control process, as a crash would."""
        if pid := self.cell.robot.backend.control_pid:
            os.kill(pid, signal.SIGKILL)

    def check(self, job_id: str, seen: int, states: int) -> None:
        """Check the invariants against the ground truth."""
        cell, truth = self.cell, self.cell.truth()[seen:]
        placed = [str(entry['serial']) for entry in truth if entry['event'] == 'placed']
        recorded = [piece for kind, piece in cell.entries(job_id) if kind == InventoryEvent.PLACE]
        assert len(recorded) == len(set(recorded)) <= len(placed), f'recorded {recorded}, placed {placed}'
        assert set(placed) <= set(cell.vision.verified), f'placed without a verdict: {placed}'
        sent = {state.last_trigger_id: state.last_trigger_event.partition('_')[0] for state in list(cell.states)[states:]}
        done = Counter(ACTIONS[str(entry['event'])] for entry in truth if entry['event'] in ACTIONS)
        commanded = Counter(sent.values())
        # A piece that drops at once leaves an empty gripper: the same trigger then tries the next slot, once.
        commanded['PART'] += min(commanded['PART'], sum(entry['event'] == 'dropped' for entry in truth))
        assert all(done[event] <= commanded[event] for event in done), f'the arm did {done}, commanded was {commanded}'
        assert not cell.violations(), '; '.join(cell.violations())

    def arm_rests(self, over: float) -> None:
        """Wait until the fault has no further effect and the arm stands; nothing may be commanded in this time.

        The monitor sees motion in every cycle of the controller.
        """
        cell, controller, known = self.cell, self.cell.controller, len(self.cell.commands)
        wait_until(lambda: time.monotonic() > over, TIMEOUT_S)
        if cell.backend == 'letters':  # the robot's own program continues when the safeguard is reset
            wait_until(lambda: controller.safety != SafetyMode.SAFEGUARD_STOP, TIMEOUT_S, 'the safeguard is reset')
        wait_until(lambda: self._still(controller), TIMEOUT_S, 'the arm stands')
        assert self._still(controller, STILL_S), 'the arm moves without a command'
        assert len(cell.commands) == known, 'the cell commands the robot while the job is paused'

    def _still(self, controller: Controller, seconds: float = 0.05) -> bool:
        before, end = controller.motion.joints, time.monotonic() + seconds
        wait_until(lambda: time.monotonic() >= end or controller.motion.joints != before, TIMEOUT_S)
        return bool(controller.motion.joints == before)

    def resume(self, job_id: str, seen: int) -> bool:
        """Act as the operator: look, bring the robot back, resume. Return True if the job has finished."""
        cell = self.cell
        for attempt in range(TRIES):
            self.bring_back()
            if attempt and cell.backend == 'letters':
                cell.recover()
            if cell.job.unresolved_trigger:
                cell.control(self.look(cell.job, seen))
                wait_until(lambda: cell.job.step != JobState.STEP_BOOK, TIMEOUT_S, 'the ledger entry')
            elif cell.job.step in HOLDING_STEPS and cell.world.simulation.world.held is None:
                cell.control(ControlJob.Request.RESOLVE_REMOVED)
                wait_until(lambda: cell.job.step != JobState.STEP_BOOK, TIMEOUT_S, 'the ledger entry')
            if cell.job.state == JobState.PAUSED:
                cell.control(ControlJob.Request.RESUME)
            if cell.wait_rest(job_id).state == JobState.DONE:
                return True
        return False

    def proceed(self, job_id: str) -> bool:
        """Act as the operator: leave the area, close the safeguard, press Continue. Return True if the job has finished."""
        cell = self.cell
        wait_until(lambda: cell.controller.safety == SafetyMode.NORMAL, TIMEOUT_S, 'the safeguard is closed')
        self._wait_consistent()
        recoveries = cell.state.recoveries
        cell.control(ControlJob.Request.RESUME)
        done = cell.wait_rest(job_id).state == JobState.DONE
        assert cell.state.recoveries == recoveries, 'no recovery is needed'
        return done

    def look(self, job: JobState, seen: int) -> int:
        """Return how the operator resolves a trigger of unknown outcome; a piece in between is removed."""
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
        """Clear the stop at the pendant, then recover through the robot node."""
        cell = self.cell
        wait_until(cell.world.simulation.ur.connected.is_set, TIMEOUT_S)
        for device in [*({'ur', 'robot'} & set(cell.world.simulation.devices)), 'gripper']:
            cell.inject('clear', 0.0, device)
        controller, robot = cell.controller, cell.world.simulation.robot
        if robot is None:
            self._wait_consistent()
        if not controller.may_move or (robot is not None and controller.runtime != RuntimeState.PLAYING):
            cell.inject('attend')
        if robot is not None:
            wait_until(lambda: controller.runtime == RuntimeState.PLAYING, TIMEOUT_S, 'the program runs')
            cell.wait_settled(robot.connected.is_set)
            return
        self._wait_consistent()
        state = cell.state
        if state.message or state.last_trigger_state not in (RobotState.TRIGGER_NONE, RobotState.TRIGGER_DONE):
            wait_until(self._recovered, TRIES * RETRY_S, 'the recovery')
        cell.wait_ready()

    def _recovered(self) -> bool:
        """Try a recovery at most once a second; return True on success."""
        if time.monotonic() - self._recovery_at < 1.0:
            return False
        answer = self.cell.recover()
        self._recovery_at = time.monotonic()
        return not answer.code

    def _wait_consistent(self) -> None:
        """Wait until the robot node reports the state of the controller; until then its state may be older than the fault."""
        cell, controller = self.cell, self.cell.controller
        wait_until(
            lambda: (
                cell.state.connected and (cell.state.robot_mode, cell.state.safety_mode) == (controller.mode, controller.safety)
            ),
            TIMEOUT_S,
            'the node reports the state of the robot',
        )

    def tidy(self) -> None:
        """Remove all traces of the previous case."""
        cell = self.cell
        if cell.job is not None and cell.job.state not in RESTING[2:]:
            if cell.job.unresolved_trigger:
                cell.control(ControlJob.Request.RESOLVE_REMOVED)
            cell.control(ControlJob.Request.CANCEL)
            wait_until(lambda: cell.job.state in RESTING[2:], TIMEOUT_S, 'the job is over')
        self.bring_back()
        if cell.world.simulation.world.held is not None:
            cell.inject('empty', 0.0, 'hand')
        if cell.backend == 'letters' and cell.state.last_trigger_state == RobotState.TRIGGER_UNKNOWN:
            cell.recover()
        cell.refill(PART)


class Cells:
    """Cell of the current backend; one at a time, and a new one after a failed case."""

    def __init__(self, domain: int, factory: pytest.TempPathFactory) -> None:
        self._domain, self._factory = domain, factory
        self._campaign: Campaign | None = None
        self._link = ''

    def of(self, backend: str) -> Campaign:
        if self._campaign is None or self._link != backend:
            self.close()
            self._link, self._campaign = backend, Campaign(self._domain, self._factory.mktemp(backend), backend)
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


@pytest.mark.parametrize('backend', BACKENDS, scope='module')
def test_an_arm_that_moves_without_a_command_is_reported(cells: Cells, backend: str) -> None:
    """Counterpart of the campaign's check: the arm moves without a command."""
    cell = cells.of(backend).cell
    assert cell.commands and all(command.ended and command.succeeded for command in cell.commands)
    wait_until(lambda: time.monotonic() > cell.commands[-1].ended + STILL_S, TIMEOUT_S)
    assert cell.violations() == []
    motion = cell.controller.motion
    cell.run_in_world(lambda: motion.place([motion.joints[0] + 0.01, *motion.joints[1:]], 1.0))
    wait_until(cell.violations, TIMEOUT_S, 'a violation')
    cell.monitor.reset()


@pytest.mark.parametrize('fault', FAULTS)
@pytest.mark.parametrize('backend', BACKENDS, scope='module')
def test_after_a_fault_only_placed_pieces_are_recorded(cells: Cells, backend: str, fault: str) -> None:
    try_at(cells, backend, FAULTS[fault], moments(backend, fault))


@pytest.mark.parametrize('fault', PEOPLE if SELECTION else [name for name in PEOPLE if name not in SELECTED_ONLY])
@pytest.mark.parametrize('backend', ['rtde', 'ros_driver'], scope='module')
def test_interventions_at_the_robot_are_reported_and_nothing_moves_without_a_command(
    cells: Cells, backend: str, fault: str
) -> None:
    try_at(cells, backend, PEOPLE[fault], moments(backend, fault))


@pytest.mark.parametrize('backend', ['rtde'], scope='module')
def test_a_killed_control_process_leaves_a_cell_that_reports_it_and_recovers(cells: Cells, backend: str) -> None:
    try_at(cells, backend, CRASH, moments(backend, CRASH.name) if SELECTION else [REACHING])


def try_at(cells: Cells, backend: str, fault: Fault, chosen: list[int]) -> None:
    failures = []
    for moment in chosen:
        try:
            outcome = cells.of(backend).case(fault, moment)
        except AssertionError as error:
            cells.close()
            outcome = 'FAILED'
            failures.append(f'moment {moment}: {error}')
            print(f'FAILED {backend} {fault.name} {failures[-1]}', flush=True)
        record(backend, fault.name, moment, outcome)
    assert not failures, '\n'.join(failures)


def record(backend: str, fault: str, moment: int, outcome: str) -> None:
    """Record the outcome of a case; with a selection also for the next run."""
    OUTCOMES[backend, fault, moment] = outcome
    if SELECTION:
        RESULTS.mkdir(parents=True, exist_ok=True)
        with CASES.open('a') as file:
            file.write(json.dumps([backend, fault, moment, outcome]) + '\n')


def write_table() -> None:
    """Write the table of backend, fault and outcome."""
    known = [json.loads(line) for line in CASES.read_text().splitlines()] if SELECTION and CASES.exists() else []
    cases = {(backend, fault, moment): outcome for backend, fault, moment, outcome in known} | OUTCOMES
    lines = [f'| backend | fault | moments | {" | ".join(COLUMNS.values())} |', '|---|---|---|' + '---|' * len(COLUMNS)]
    for backend, fault in product(BACKENDS, [*FAULTS, *PEOPLE, CRASH.name]):
        counts = Counter(outcome for case, outcome in cases.items() if case[:2] == (backend, fault))
        if counts:
            cells = ' | '.join(str(counts[column]) for column in COLUMNS)
            lines.append(f'| `{backend}` | {fault} | {counts.total()} | {cells} |')
    table = '\n'.join(lines)
    RESULTS.mkdir(parents=True, exist_ok=True)
    (RESULTS / 'fault_campaign.md').write_text(f'{date.today()}\n\n{table}\n')
    print(f'\n{table}')
