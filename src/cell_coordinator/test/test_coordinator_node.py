import pytest
from builtin_interfaces.msg import Duration, Time
from cell_common.qos import events, latched
from cell_common.runner import StartError
from cell_common.testing import wait_until
from cell_coordinator.node import CoordinatorNode
from cell_inventory.node import InventoryNode
from sqlalchemy import create_engine, text

from cell_interfaces.msg import (
    AlarmEvent,
    BenchmarkSet,
    CommandInfo,
    Inventory,
    JobInvalid,
    JobState,
    MatchResult,
    ReloadRequired,
    ResultCode,
)
from cell_interfaces.srv import AdjustStock, CaptureComponent, KeepFrame, RobotCommand, SetBenchmark, SetJob

PART, OTHER = 'G8NB-17SR', 'G8NB-17SU'
PICK = f'PART_{PART}'
SUCCEEDED, NOT_SENT, REFUSED, UNKNOWN = range(4)
SILENT = 'silent'
TOO_OLD = {'issued_at': Time(sec=1), 'valid_for': Duration(sec=1)}


def rows(cell, query):
    with create_engine(cell.database_url).connect() as connection:
        return [tuple(row) for row in connection.execute(text(query))]


def set_job(cell, quantity, part=PART, **command):
    return cell.graph.call(
        SetJob,
        'set_job',
        SetJob.Request(part_number=part, quantity=quantity, command=CommandInfo(operator_id='ann', **command)),
    )


def test_three_pieces_are_picked_verified_placed_and_booked(cell):
    cell.up()
    result = cell.result(cell.run(3))
    assert (result.code, result.job.placed, result.job.rejected) == (ResultCode.OK, 3, 0), result.message
    assert cell.robot.events() == ['START_PROGRAM', *[PICK, 'PLACE'] * 3]
    assert [tray for event, tray, _ in cell.robot.sent if event == PICK] == [1, 1, 2]
    assert len({trigger_id for _, _, trigger_id in cell.robot.sent}) == 7
    assert cell.stock()[0] == [0, 2, 0, 0]
    assert cell.booked() == [(1, 1), (1, 2), (1, 3)]
    job = cell.until('DONE')
    assert job.finished_at.sec and 0.04 < job.median_read_time < 0.06 and job.last_match.part_number == PART
    assert rows(cell, 'SELECT part_number, quantity, placed, rejected, operator_id, state FROM pick_job') == [
        (PART, 3, 3, 0, 'ann', 'DONE')
    ]
    assert rows(cell, 'SELECT piece, tray, outcome, verdict, text FROM pick_piece ORDER BY piece') == [
        (piece, tray, 'PLACED', 'MATCH', PART) for piece, tray in ((1, 1), (2, 1), (3, 2))
    ]
    assert rows(cell, 'SELECT command, operator_id, code FROM command_audit') == [('run_job', 'ann', 0)]


def test_each_change_comes_as_feedback(cell):
    cell.up()
    feedback = []
    cell.run_with_feedback(1, feedback.append)
    cell.until('DONE')
    wait_until(lambda: feedback and feedback[-1].feedback.job.state == JobState.DONE)
    steps = [message.feedback.job.step for message in feedback]
    assert [step for step, before in zip(steps, [None, *steps], strict=False) if step != before] == [0, 1, 2, 3, 4, 6, 1]


def test_a_wrong_part_is_never_placed(cell):
    cell.up()
    alarms = cell.graph.collect(AlarmEvent, 'alarms/events', latched(50))
    cell.robot.supply.extend([OTHER, PART, PART])
    result = cell.result(cell.run(2))
    assert (result.job.placed, result.job.rejected) == (2, 1)
    assert cell.robot.placed == [PART, PART] and cell.robot.rejected == [OTHER]
    assert cell.booked() == [(2, 1), (1, 2), (1, 3)]
    why = f'wrong part: read {OTHER}, ordered {PART}'
    assert cell.stock()[1][-1].reason == why
    assert [capture.attempt for capture in cell.captures[:3]] == [1, 2, 3]
    assert {capture.match.verdict for capture in cell.captures[:3]} == {MatchResult.MISMATCH}
    assert [asked.careful for asked in cell.vision.asked] == [False, True, True, False, False]
    wait_until(lambda: [alarm.text for alarm in alarms if alarm.key == 'part_rejected' and alarm.text])
    assert why in next(alarm.text for alarm in alarms if alarm.key == 'part_rejected' and alarm.text)


def test_the_frame_of_a_rejected_piece_is_kept_even_though_keeping_fails(cell):
    cell.up()
    cell.robot.supply.extend([OTHER, PART])
    assert cell.result(cell.run(1)).job.placed == 1
    wait_until(lambda: cell.vision.kept)
    [kept] = cell.vision.kept
    assert (kept.kind, kept.part_number, kept.verdict) == (KeepFrame.Request.REJECT, PART, f'MISMATCH {OTHER}')
    assert kept.request_id == cell.captures[2].ocr.request_id, 'the reading that decided'
    assert len({capture.ocr.request_id for capture in cell.captures}) == len(cell.captures)


def test_a_cell_that_keeps_no_frames_rejects_as_ever(cell):
    cell.graph.executor.create_task(cell.vision.destroy_service, cell.vision.keeping)
    cell.up()
    cell.robot.supply.extend([OTHER, PART])
    result = cell.result(cell.run(1))
    assert (result.job.placed, result.job.rejected) == (1, 1) and not cell.vision.kept


@pytest.mark.parametrize(
    ('shown', 'why'),
    [
        ('G8NB?', 'ambiguous: G8NB? may be two parts'),
        ('', 'no readable text'),
        ('XYZ', f'unknown part: read "XYZ", ordered {PART}'),
    ],
)
def test_what_is_not_certain_is_rejected(cell, shown, why):
    cell.up()
    cell.robot.supply.append(shown)
    assert cell.result(cell.run(1)).job.rejected == 1
    assert cell.robot.rejected == [shown] and cell.robot.placed == [PART]
    assert cell.stock()[1][-1].reason == why


def test_too_many_rejects_in_a_row_pause_the_job(cell):
    cell.up(max_consecutive_rejects=2)
    cell.robot.supply.extend([OTHER, OTHER])
    future = cell.run(1)
    assert '2 pieces in a row' in cell.until('PAUSED').reason
    assert cell.control('RESUME').code == ResultCode.OK
    assert cell.result(future).job.placed == 1


def test_empty_trays_wait_for_a_reload_and_go_on(cell):
    cell.up()
    required = cell.graph.collect(ReloadRequired, 'reload_required', events())
    set_job(cell, 5)
    cell.adjust(0, tray=2)
    future = cell.run(job_id=cell.jobs[-1].job_id)
    cell.until('WAITING_RELOAD')
    wait_until(lambda: required)
    assert (required[0].missing, list(required[0].trays), cell.jobs[-1].placed) == (3, [1, 2, 3, 4], 2)
    cell.graph.call(AdjustStock, 'inventory/reload', AdjustStock.Request(part_number=PART, tray=3, count=-1))
    assert cell.result(future).job.placed == 5
    assert cell.stock()[0] == [0, 0, 7, 0]


RESOLVED = [
    (PICK, 'RESOLVE_DONE', [(1, 1)], [PICK, 'PLACE']),
    (PICK, 'RESOLVE_NOT_DONE', [(1, 1)], [PICK, PICK, 'PLACE']),
    (PICK, 'RESOLVE_REMOVED', [(2, 1), (1, 2)], [PICK, PICK, 'PLACE']),
    ('PLACE', 'RESOLVE_DONE', [(1, 1)], [PICK, 'PLACE']),
    ('PLACE', 'RESOLVE_NOT_DONE', [(1, 1)], [PICK, 'PLACE', 'PLACE']),
    ('PLACE', 'RESOLVE_REMOVED', [(2, 1), (1, 2)], [PICK, 'PLACE', PICK, 'PLACE']),
    ('REJECT', 'RESOLVE_DONE', [(2, 1), (1, 2)], [PICK, 'REJECT', PICK, 'PLACE']),
    ('REJECT', 'RESOLVE_NOT_DONE', [(2, 1), (1, 2)], [PICK, 'REJECT', 'REJECT', PICK, 'PLACE']),
    ('REJECT', 'RESOLVE_REMOVED', [(2, 1), (1, 2)], [PICK, 'REJECT', PICK, 'PLACE']),
]


@pytest.mark.parametrize(('trigger', 'resolution', 'booked', 'sent'), RESOLVED)
def test_a_trigger_of_unknown_outcome_is_resolved_by_a_person(cell, trigger, resolution, booked, sent):
    cell.up()
    if trigger == 'REJECT':
        cell.robot.supply.append(OTHER)
    cell.robot.script[trigger.split('_')[0]] = [UNKNOWN]
    future = cell.run(1)
    job = cell.until('PAUSED')
    assert job.unresolved_trigger and 'unknown outcome' in job.reason
    assert cell.control('RESUME').code == cell.control('CANCEL').code == ResultCode.NOT_RESOLVED
    if trigger == PICK and resolution == 'RESOLVE_DONE':
        cell.robot.in_hand = PART
    assert cell.control(resolution).code == ResultCode.OK
    if len(booked) == 2 and resolution != 'RESOLVE_NOT_DONE':
        wait_until(lambda: cell.jobs[-1].rejected == 1, what='booked at once')
    if (trigger, resolution) != ('PLACE', 'RESOLVE_DONE'):  # that was the last piece: the job is done
        assert cell.control('RESUME').code == ResultCode.OK
    assert cell.result(future).code == ResultCode.OK
    assert cell.booked() == booked
    assert cell.robot.events() == ['START_PROGRAM', *sent]
    assert sum(cell.stock()[0]) == 5 - len(booked)


@pytest.mark.parametrize(('outcome', 'reason'), [(NOT_SENT, 'nothing was sent'), (REFUSED, 'the robot refused: as scripted')])
def test_what_the_robot_did_not_do_is_done_again_on_resume(cell, outcome, reason):
    cell.up()
    cell.robot.script['PART'] = [outcome]
    future = cell.run(1)
    job = cell.until('PAUSED')
    assert reason in job.reason and not job.unresolved_trigger
    cell.control('RESUME')
    assert cell.result(future).job.placed == 1 and cell.booked() == [(1, 1)]


@pytest.mark.parametrize('died', [False, True])
def test_a_robot_node_that_never_answers_or_dies_leaves_an_unknown_outcome(cell, died):
    cell.up(trigger_timeout=60.0 if died else 1.0)
    cell.robot.script['PART'] = [SILENT]
    cell.run(1)
    wait_until(lambda: PICK in cell.robot.events())
    if died:
        cell.graph.remove(cell.robot)
    assert cell.until('PAUSED', 20).unresolved_trigger


def test_a_crash_in_mid_trigger_comes_back_paused_and_unresolved(cell):
    cell.up()
    cell.robot.script['PLACE'] = [SILENT]
    cell.run(2)
    wait_until(lambda: 'PLACE' in cell.robot.events())
    cell.crash()
    cell.jobs.clear()
    cell.up()
    job = cell.until('PAUSED')
    assert job.unresolved_trigger and 'restarted' in job.reason and job.last_match.part_number == PART
    assert cell.result(cell.run(1)).code == ResultCode.JOB_ACTIVE
    cell.control('RESOLVE_DONE')
    cell.control('RESUME')
    assert cell.until('DONE').placed == 2
    assert cell.booked() == [(1, 1), (1, 2)] and cell.robot.events().count('PLACE') == 2


def test_a_piece_placed_before_a_crash_is_booked_after_it(cell):
    cell.up(retry_time=20.0)
    cell.robot.before_end['PLACE'] = lambda: cell.graph.remove(cell.inventory)
    cell.run(1)
    wait_until(lambda: cell.jobs and cell.jobs[-1].step == JobState.STEP_BOOK)
    cell.crash()
    cell.inventory = cell.graph.add(InventoryNode(**cell.inventory_options))
    cell.up()
    assert cell.until('DONE').placed == 1
    assert cell.booked() == [(1, 1)] and cell.robot.events().count('PLACE') == 1


def test_a_crash_while_reading_comes_back_paused_and_reads_anew(cell):
    cell.up(retry_time=20.0)
    cell.vision.read_broken = 1000
    cell.run(1)
    wait_until(lambda: cell.vision.asked)
    cell.crash()
    cell.vision.read_broken = 0
    cell.jobs.clear()
    cell.up()
    job = cell.until('PAUSED')
    assert not job.unresolved_trigger and job.step == JobState.STEP_READ
    cell.control('RESUME')
    assert cell.until('DONE').placed == 1 and cell.booked() == [(1, 1)]


def test_the_ledger_may_be_away_for_a_while(cell):
    cell.up(retry_time=20.0)
    cell.robot.before_end['PLACE'] = lambda: cell.graph.remove(cell.inventory)
    future = cell.run(1)
    wait_until(lambda: cell.jobs and cell.jobs[-1].step == JobState.STEP_BOOK)
    cell.inventory = cell.graph.add(InventoryNode(**cell.inventory_options))
    assert cell.result(future, 20).job.placed == 1
    assert cell.booked() == [(1, 1)]


def test_a_reader_that_stays_broken_pauses_the_job_and_resume_reads_again(cell):
    cell.up(retry_time=0.6)
    cell.vision.read_broken = 1000
    future = cell.run(1)
    assert 'the OCR worker died' in cell.until('PAUSED').reason
    cell.vision.read_broken = 0
    cell.control('RESUME')
    assert cell.result(future).job.placed == 1 and cell.robot.events().count(PICK) == 1


def test_a_reader_that_comes_back_in_time_is_not_noticed(cell):
    cell.up(retry_time=10.0)
    cell.vision.read_broken = 1
    assert cell.result(cell.run(1)).job.placed == 1


def test_a_frame_older_than_the_pick_is_never_judged(cell):
    cell.up()
    cell.vision.age_ns = 3600 * 10**9
    cell.run(1)
    assert 'older than the pick' in cell.until('PAUSED').reason
    assert 'PLACE' not in cell.robot.events()


def test_cancelling_the_action_ends_the_job_and_books_the_piece(cell):
    cell.up()
    cell.vision.read_broken = 1
    future = cell.run(3)
    wait_until(lambda: cell.jobs and cell.jobs[-1].step == JobState.STEP_READ)
    cell.goal.cancel_goal_async()
    result = cell.result(future)
    assert result.code == ResultCode.JOB_CANCELLED and future.result().status == 5
    assert cell.robot.rejected == [PART] and cell.booked() == [(2, 1)]
    assert cell.result(cell.run(1)).code == ResultCode.OK


def test_pause_resume_and_cancel_by_command(cell):
    cell.up()
    cell.robot.script['PART'] = [SUCCEEDED, NOT_SENT]
    future = cell.run(3)
    cell.until('PAUSED')
    assert cell.control('PAUSE').code == ResultCode.WRONG_STATE
    assert cell.control('CANCEL').job.state == JobState.CANCELLED
    assert cell.result(future).code == ResultCode.JOB_CANCELLED
    assert cell.control('CANCEL').code == ResultCode.NO_JOB
    assert cell.booked() == [(1, 1)]


def test_commands_that_are_too_old_are_refused_and_audited(cell):
    cell.up()
    assert cell.result(cell.run(1, command=CommandInfo(**TOO_OLD))).code == ResultCode.EXPIRED
    assert set_job(cell, 1, **TOO_OLD).code == ResultCode.EXPIRED
    assert not cell.robot.sent and cell.jobs[-1].state == JobState.NONE
    assert rows(cell, 'SELECT command, code FROM command_audit') == [('run_job', 1), ('set_job', 1)]


@pytest.mark.parametrize(
    ('part', 'quantity', 'code', 'available'),
    [
        (PART, 0, ResultCode.INVALID_ARGUMENT, 5),
        (PART, -3, ResultCode.INVALID_ARGUMENT, 5),
        (PART, 6, ResultCode.NOT_ENOUGH_STOCK, 5),
        ('NOPE', 1, ResultCode.UNKNOWN_PART, 0),
    ],
)
def test_a_job_that_the_trays_cannot_serve_is_refused(cell, part, quantity, code, available):
    cell.up()
    invalid = cell.graph.collect(JobInvalid, 'job_invalid', events())
    wait_until(lambda: cell.coordinator.count_subscribers('job_invalid'))
    answer = set_job(cell, quantity, part)
    assert (answer.code, answer.job_id) == (code, '') and answer.message
    wait_until(lambda: invalid)
    assert (invalid[0].code, invalid[0].requested, invalid[0].available) == (code, quantity, available)
    assert cell.result(cell.run(quantity, part)).code == code and not cell.robot.sent


def test_a_set_job_may_be_replaced_before_it_begins(cell):
    cell.up()
    first, second = set_job(cell, 1), set_job(cell, 2)
    assert (first.available, cell.until('READY').quantity) == (5, 2)
    assert cell.result(cell.run(job_id=first.job_id)).code == ResultCode.NO_JOB
    assert cell.result(cell.run(job_id=second.job_id)).job.placed == 2
    assert rows(cell, 'SELECT state FROM pick_job WHERE quantity = 1') == [('CANCELLED',)]


def test_only_one_job_is_active(cell):
    cell.up()
    cell.robot.script['PART'] = [NOT_SENT]
    cell.run(1)
    cell.until('PAUSED')
    assert set_job(cell, 1).code == ResultCode.JOB_ACTIVE
    assert cell.result(cell.run(1)).code == ResultCode.JOB_ACTIVE
    assert set_benchmark(cell).code == ResultCode.JOB_ACTIVE


def set_benchmark(cell, part=PART):
    return cell.graph.call(SetBenchmark, 'set_benchmark', SetBenchmark.Request(part_number=part))


def test_a_benchmark_is_shown_read_stored_and_laid_back(cell):
    cell.up()
    published = cell.graph.collect(BenchmarkSet, 'benchmark_set', latched())
    answer = set_benchmark(cell)
    assert (answer.code, answer.benchmark.version, answer.benchmark.texts) == (ResultCode.OK, 1, [PART])
    assert answer.benchmark.frames == cell.vision.asked[-1].frames == 5
    wait_until(lambda: published)
    assert cell.robot.events() == ['BENCHMARK', 'HOME']


@pytest.mark.parametrize(
    ('script', 'supply', 'code'),
    [({'BENCHMARK': [REFUSED]}, [], ResultCode.ROBOT_REFUSED), ({}, [''], ResultCode.INVALID_ARGUMENT)],
)
def test_a_benchmark_that_cannot_be_taken_is_refused(cell, script, supply, code):
    cell.up()
    cell.robot.script.update(script)
    cell.robot.supply.extend(supply)
    assert set_benchmark(cell).code == code
    assert cell.result(cell.run(1)).code == ResultCode.OK


def test_a_single_capture_moves_nothing(cell):
    cell.up()
    cell.robot.in_hand = OTHER
    request = CaptureComponent.Request(part_number=PART)
    answer = cell.graph.call(CaptureComponent, 'capture_component', request)
    assert (answer.code, answer.capture.match.verdict, answer.capture.job_id) == (ResultCode.OK, MatchResult.MISMATCH, '')
    assert not cell.robot.sent
    assert (
        cell.graph.call(CaptureComponent, 'capture_component', CaptureComponent.Request()).code == ResultCode.INVALID_ARGUMENT
    )


def test_the_robots_program_is_started_on_request(cell):
    cell.up()
    answer = cell.graph.call(RobotCommand, 'start_robot', RobotCommand.Request())
    assert (answer.code, answer.message, cell.robot.started) == (ResultCode.OK, 'started', 1)
    late = cell.graph.call(RobotCommand, 'start_robot', RobotCommand.Request(command=CommandInfo(**TOO_OLD)))
    assert late.code == ResultCode.EXPIRED and cell.robot.started == 1


def test_a_database_that_cannot_be_opened_stops_the_start(graph):
    with pytest.raises(StartError, match=r'state folder|database'):
        CoordinatorNode(**graph.options(database_url='sqlite:////proc/nowhere/cell.db'))


def test_stock_is_asked_of_the_ledger_not_of_the_topic(cell):
    cell.up()
    publisher = cell.graph.node.create_publisher(Inventory, 'inventory', latched())
    publisher.publish(Inventory())
    assert cell.result(cell.run(1)).job.placed == 1
