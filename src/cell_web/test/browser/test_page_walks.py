"""Scripted walks of an operator with counted taps at three sizes, and a way out of every state of job, robot and link."""

from __future__ import annotations

import time
from typing import Any

import cell_scene as scene
import pytest
from cell_common.testing import FULL, wait_until
from page_fixtures import NEEDS, PREFLIGHT, ScriptedCell, shoot
from playwright.sync_api import Page, expect

from cell_interfaces.msg import Alarm, AlarmList, InventoryEvent, JobState, RobotState
from cell_interfaces.srv import ControlJob

pytestmark = NEEDS

SIZES = {'tablet': (1280, 800), 'panel': (1920, 1080), 'phone': (390, 844)}
FIRST_LOAD_BYTES = 150_000
PREFLIGHT_SERVICE = '/cell/robot/preflight'


class Operator:
    """Touches the page and counts the taps."""

    def __init__(self, page: Page, cell: ScriptedCell) -> None:
        self.page, self.cell, self.taps = page, cell, 0
        self._tapped_ms = 0.0

    def walk(self, *names: str, at_most: int) -> None:
        """Tap named elements, the first of each; `name=value` chooses from a list: two taps."""
        self.taps = 0
        for name in names:
            test_id, _, value = name.partition('=')
            element = self.page.get_by_test_id(test_id).first
            if value:
                element.select_option(value)
                self.taps += 2
            else:
                # The page ignores the second tap of a double tap; a machine would tap as fast.
                self.page.wait_for_function('(at) => performance.now() - at > 450', arg=self._tapped_ms)
                element.tap()
                self._tapped_ms = self.page.evaluate('performance.now()')
                self.taps += 1
        assert self.taps <= at_most


def ledger_with_a_reload(cell: ScriptedCell) -> None:
    event = InventoryEvent(
        sequence=24,
        stamp=scene.stamp(time.time(), 0.2),
        kind=InventoryEvent.RELOAD,
        part_number='EM1-2U4',
        tray=4,
        delta=24,
        count_after=24,
        operator_id='Ada',
    )
    stock = scene.written(scene.inventory(time.time()))
    cell.answers['/cell/inventory/get'] = {'code': 0, 'message': '', 'inventory': stock, 'events': [scene.written(event)]}


def protective_stop(cell: ScriptedCell) -> None:
    """Stop the robot in a step: the job pauses with a question, and the robot waits for a recovery."""
    cell.publish('robot/state', scene.robot(time.time(), backend='rtde', safety_mode=RobotState.SAFETY_PROTECTIVE_STOP))
    reason = 'Protective stop: PLACE of piece 5 not confirmed.\n1 Clear the robot area.\n2 Recover the robot.'
    cell.publish(
        'job', scene.job(time.time(), JobState.PAUSED, unresolved_trigger=True, step=JobState.STEP_PLACE, reason=reason)
    )


@pytest.mark.parametrize('size', SIZES)
def test_every_walk_takes_few_taps(cell: ScriptedCell, rosbridge: Any, open_page: Any, size: str) -> None:
    page = open_page(*SIZES[size])
    operator = Operator(page, cell)

    protective_stop(cell)
    expect(page.get_by_test_id('job-reason')).to_be_in_viewport()  # why did it pause: no tap
    operator.walk('robot-recover', 'confirm-yes', at_most=2)
    (goal,) = wait_until(lambda: cell.of('/cell/robot/recover'))
    about = {'id': goal['id'], 'action': '/cell/robot/recover', 'status': 4, 'result': True}
    rosbridge.send({'op': 'action_result', **about, 'values': {'code': 0, 'message': 'The robot is ready.'}})
    operator.walk('recover-close', 'resolve-done', 'confirm-resume', at_most=3)  # five in all
    actions = wait_until(lambda: len(cell.of('/cell/control_job')) == 2 and cell.of('/cell/control_job'))
    assert [call['args']['action'] for call in actions] == [ControlJob.Request.RESOLVE_DONE, ControlJob.Request.RESUME]

    cell.restart()
    cell.publish('job', scene.job(time.time(), JobState.DONE, placed=5))
    operator.walk('part-select=EM1-2U1', 'start-job', 'confirm-yes', at_most=4)
    wait_until(lambda: cell.of('/cell/run_job'))
    cell.publish('job', scene.job(time.time(), JobState.RUNNING, job_id='j2', placed=0))
    expect(page.get_by_test_id('job-state')).to_have_attribute('data-state', 'RUNNING')

    reject = Alarm(alarm_id='r4', key='part_rejected/4/read-4', state=Alarm.RETURNED, text='Piece 4 rejected', count=1)
    reject.raised_at = scene.stamp(time.time(), 3700)
    cell.publish('alarms', AlarmList(stamp=scene.stamp(time.time()), alarms=[reject]))
    operator.walk('reject-correct', 'correction-EM2-2U1', at_most=2)
    wait_until(lambda: cell.of('/cell/alarms/acknowledge'))

    ledger_with_a_reload(cell)
    operator.walk('reload-EM1-2U4', 'reload-full', 'reload-confirm', at_most=3)
    wait_until(lambda: cell.of('/cell/inventory/reload'))
    expect(page.get_by_test_id('toast-action')).to_be_in_viewport()
    operator.walk('toast-action', at_most=2)
    wait_until(lambda: cell.of('/cell/inventory/undo'))

    operator.walk('view-weigh', 'weigh-open', 'weigh-preset', 'weigh-start', at_most=4)
    wait_until(lambda: cell.of('/cell/weighing/start_job'))
    shoot(page, f'walked-{size}')


def test_the_first_load_is_small(cell: ScriptedCell, open_page: Any) -> None:
    page = open_page()
    sizes = page.evaluate("""performance.getEntriesByType('navigation').concat(performance.getEntriesByType('resource'))
        .filter((entry) => !entry.name.endsWith('.mjpg') && !entry.name.startsWith('blob:'))
        .map((entry) => entry.transferSize)""")
    assert 50_000 < sum(sizes) < FIRST_LOAD_BYTES


JOBS: dict[str, dict[str, Any]] = {
    'NONE': {'state': JobState.NONE, 'job_id': ''},
    'READY': {'state': JobState.READY, 'step': JobState.STEP_IDLE},
    'RUNNING': {'state': JobState.RUNNING},
    'PAUSED': {'state': JobState.PAUSED, 'step': JobState.STEP_IDLE},
    'PAUSED with a piece': {'state': JobState.PAUSED, 'step': JobState.STEP_PLACE},
    'PAUSED in a step': {'state': JobState.PAUSED, 'step': JobState.STEP_PLACE, 'unresolved_trigger': True},
    'PAUSED, can continue': {
        'state': JobState.PAUSED,
        'step': JobState.STEP_PLACE,
        'unresolved_trigger': True,
        'can_continue': True,
    },
    'WAITING RELOAD': {'state': JobState.WAITING_RELOAD, 'step': JobState.STEP_IDLE},
    'DONE': {'state': JobState.DONE, 'placed': 5},
    'CANCELLED': {'state': JobState.CANCELLED},
    'FAILED': {'state': JobState.FAILED, 'reason': 'x'},
}
STATES_OF_A_JOB = range(JobState.NONE, JobState.FAILED + 1)
ROBOTS: dict[str, dict[str, Any]] = {
    'ready': {},
    'protective stop': {'safety_mode': RobotState.SAFETY_PROTECTIVE_STOP},
    'not connected': {'connected': False, 'message': 'Check the cable.'},
    'unknown outcome': {'last_trigger_state': RobotState.TRIGGER_UNKNOWN, 'message': 'Recover the robot.'},
}
OTHER_ROBOTS: dict[str, dict[str, Any]] = {
    f'{field} {value}': {field: value, 'message': f'Look at the pendant: {field} {value}.'}
    for field, values in {
        'safety_mode': range(RobotState.SAFETY_UNKNOWN, RobotState.SAFETY_FAULT + 1),
        'robot_mode': range(RobotState.MODE_UNKNOWN, RobotState.MODE_UPDATING_FIRMWARE + 1),
        'program_state': range(RobotState.PROGRAM_UNKNOWN, RobotState.PROGRAM_PAUSED + 1),
        'last_trigger_state': range(RobotState.TRIGGER_NONE, RobotState.TRIGGER_INTERRUPTED + 1),
    }.items()
    for value in values
}
"""One value of the robot's state each; the robot node names the remedy of what is not ready."""
GRIPPERS = ('holds a piece', 'empty', 'no sensor')
OFFERED = """() => [...document.querySelectorAll('main .first .panel:first-child button, [data-testid=robot-panel] button')]
  .filter((button) => button.checkVisibility()).map((button) => ({
    id: button.dataset.testid ?? '', enabled: !button.disabled,
    why: [...button.closest('.panel').querySelectorAll('.soft, .box')].some((note) => note.textContent.trim().length > 8) }))"""
WAYS_OUT = {
    'NONE': {'start-job', 'part-select'},
    'READY': {'job-run', 'job-cancel'},
    'RUNNING': {'job-pause', 'job-cancel'},
    'PAUSED': {'job-resume', 'job-cancel'},
    'PAUSED with a piece': {'job-resume', 'job-cancel', 'correct-answer'},
    'PAUSED in a step': {'resolve-done', 'resolve-not-done', 'resolve-removed'},
    'PAUSED, can continue': {'job-resume', 'resolve-done', 'resolve-not-done', 'resolve-removed'},
    'WAITING RELOAD': {'job-resume', 'job-cancel'},
}


@pytest.mark.parametrize('gripper', GRIPPERS)
def test_every_state_has_a_way_out_and_each_button_acts_or_says_why_not(
    cell: ScriptedCell, open_page: Any, gripper: str
) -> None:
    line = {'name': 'gripper sensor', 'ok': True, 'message': gripper}
    cell.answers['/cell/robot/preflight'] = {'code': 0, 'message': '', 'checks': [*PREFLIGHT, line]}
    page = open_page()
    assert {fields['state'] for fields in JOBS.values()} == set(STATES_OF_A_JOB)
    for index, (job, fields) in enumerate(JOBS.items()):
        # A third of the other states for each gripper, spread over the jobs; all of them in the long form.
        step = 1 if FULL else len(GRIPPERS) * len(JOBS)
        others = list(OTHER_ROBOTS.items())[(index * len(GRIPPERS) + GRIPPERS.index(gripper)) % step :: step]
        for robot, state in [*ROBOTS.items(), *others]:
            where = f'{job}, robot {robot}'
            cell.publish('robot/state', scene.robot(time.time(), backend='rtde', **state))
            cell.publish('job', scene.job(time.time(), **{'reason': where, **fields}))
            if fields.get('job_id', 'j1'):
                expect(page.get_by_test_id('job-reason').or_(page.get_by_test_id('job-state')).first).to_be_visible()
                page.wait_for_function('(text) => document.body.innerText.includes(text)', arg=fields.get('reason', where))
            if robot in ROBOTS:
                recoverable = robot in ('protective stop', 'unknown outcome')
                expect(page.get_by_test_id('robot-recover')).to_have_count(int(recoverable))
            else:
                expect(page.get_by_test_id('robot-message')).to_have_text(state['message'])
            offered = page.evaluate(OFFERED)
            enabled = {button['id'] for button in offered if button['enabled']}
            if job in WAYS_OUT and job != 'NONE':
                assert enabled >= WAYS_OUT[job], where
            else:
                expect(page.get_by_test_id('part-select')).to_be_enabled()
            assert [button for button in offered if not button['enabled'] and not button['why']] == [], where


def test_each_offered_button_does_something(cell: ScriptedCell, open_page: Any) -> None:
    page = open_page()
    # No notices: one of an earlier button is no effect of this one.
    asked = page.get_by_role('dialog').or_(page.get_by_test_id('piece-question'))
    for job, buttons in WAYS_OUT.items():
        for test_id in sorted(buttons - {'start-job', 'part-select'}):
            cell.publish('job', scene.job(time.time(), **{'reason': f'{job} {test_id}', **JOBS[job]}))
            expect(page.get_by_test_id('job-reason')).to_have_text(f'{job} {test_id}')
            expect(page.get_by_test_id(test_id)).to_be_enabled()
            calls, open_before = len(cell.calls), asked.count()
            page.get_by_test_id(test_id).click()
            # A question may need the pre-flight first: that call alone is no effect of the button.
            wait_until(
                lambda before=calls, asked_before=open_before: (
                    [call for call in cell.calls[before:] if call.get('service') != PREFLIGHT_SERVICE]
                    or asked.count() > asked_before
                ),
                what=f'{job}: {test_id}',
            )
            if page.get_by_test_id('confirm-no').count():
                page.get_by_test_id('confirm-no').click()


@pytest.mark.parametrize('link', ['silent', 'lost'])
def test_without_a_link_the_page_says_what_it_waits_for(cell: ScriptedCell, rosbridge: Any, open_page: Any, link: str) -> None:
    page = open_page()
    cell.silent.set()
    if link == 'lost':
        rosbridge.stop()
        expect(page.get_by_test_id('stale').get_by_role('button')).to_be_enabled()
    expect(page.get_by_test_id('stale')).to_contain_text('Commands are disabled')
    if link == 'silent':
        expect(page.get_by_test_id('stop-cell')).to_be_enabled()
