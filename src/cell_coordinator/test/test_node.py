import pytest
from cell_common.qos import events, latched
from cell_common.runner import StartError
from cell_common.testing import wait_until
from cell_coordinator.node import CoordinatorNode

from cell_interfaces.msg import (
    AlarmEvent,
    Inventory,
    JobState,
    MatchResult,
    ReloadRequired,
    ResultCode,
)
from cell_interfaces.srv import AdjustStock, KeepFrame

PART, OTHER = 'G8NB-17SR', 'G8NB-17SU'
PICK = f'PART_{PART}'


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
    assert cell.rows('SELECT part_number, quantity, placed, rejected, operator_id, state FROM pick_job') == [
        (PART, 3, 3, 0, 'ann', 'DONE')
    ]
    assert cell.rows('SELECT piece, tray, outcome, verdict, text FROM pick_piece ORDER BY piece') == [
        (piece, tray, 'PLACED', 'MATCH', PART) for piece, tray in ((1, 1), (2, 1), (3, 2))
    ]
    assert wait_until(lambda: cell.rows('SELECT command, operator_id, code FROM command_log') == [('run_job', 'ann', 0)])


def test_each_change_of_the_job_is_published_as_feedback(cell):
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
    wait_until(lambda: [alarm.text for alarm in alarms if alarm.key.startswith('part_rejected/') and alarm.text])
    rejected = next(alarm for alarm in alarms if alarm.key.startswith('part_rejected/') and alarm.text)
    assert why.removeprefix('wrong part: ') in rejected.text


def test_the_frame_of_a_rejected_piece_is_archived_and_a_failure_does_not_matter(cell):
    cell.up()
    cell.robot.supply.extend([OTHER, PART])
    assert cell.result(cell.run(1)).job.placed == 1
    wait_until(lambda: cell.vision.kept)
    [kept] = cell.vision.kept
    assert (kept.kind, kept.part_number, kept.verdict) == (KeepFrame.Request.REJECT, PART, f'MISMATCH {OTHER}')
    assert kept.job_id and kept.piece == 1
    assert kept.request_id == cell.captures[2].ocr.request_id, 'the reading that decided'
    assert len({capture.ocr.request_id for capture in cell.captures}) == len(cell.captures)


def test_a_piece_is_rejected_without_an_archive_of_frames(cell):
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
def test_a_piece_without_a_certain_match_is_rejected(cell, shown, why):
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


def test_a_job_with_empty_trays_waits_for_a_reload(cell):
    cell.up()
    required = cell.graph.collect(ReloadRequired, 'reload_required', events())
    cell.set_job(5)
    cell.adjust(0, tray=2)
    future = cell.run(job_id=cell.jobs[-1].job_id)
    cell.until('WAITING_RELOAD')
    wait_until(lambda: required)
    assert (required[0].missing, list(required[0].trays), cell.jobs[-1].placed) == (3, [1, 2, 3, 4], 2)
    cell.graph.call(AdjustStock, 'inventory/reload', AdjustStock.Request(part_number=PART, tray=3, count=-1))
    assert cell.result(future).job.placed == 5
    assert cell.stock()[0] == [0, 0, 7, 0]


def test_a_frame_older_than_the_pick_does_not_count(cell):
    cell.up()
    cell.vision.age_ns = 3600 * 10**9
    cell.run(1)
    assert 'older than the pick' in cell.until('PAUSED').reason
    assert 'PLACE' not in cell.robot.events()


def test_the_stock_is_queried_from_the_ledger_not_from_the_topic(cell):
    cell.up()
    publisher = cell.graph.node.create_publisher(Inventory, 'inventory', latched())
    publisher.publish(Inventory())
    assert cell.result(cell.run(1)).job.placed == 1


def test_a_database_that_cannot_be_opened_prevents_the_start(graph):
    with pytest.raises(StartError, match=r'state folder|database'):
        CoordinatorNode(**graph.options(database_url='sqlite:////proc/nowhere/cell.db'))
