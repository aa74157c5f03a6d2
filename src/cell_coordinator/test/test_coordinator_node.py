from builtin_interfaces.msg import Duration, Time

from cell_interfaces.msg import CommandInfo, JobState, ResultCode

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


def test_a_wrong_part_is_never_placed(cell):
    cell.up()
    cell.robot.supply.extend([OTHER, PART, PART])
    result = cell.result(cell.run(2))
    assert (result.job.placed, result.job.rejected) == (2, 1)
    assert cell.robot.placed == [PART, PART] and cell.robot.rejected == [OTHER]
    assert cell.booked() == [(2, 1), (1, 2), (1, 3)]
    assert cell.stock()[1][-1].reason == f'wrong part: read {OTHER}, ordered {PART}'
    assert [capture.attempt for capture in cell.captures[:3]] == [1, 2, 3]


def test_an_expired_command_is_refused(cell):
    cell.up()
    result = cell.result(cell.run(1, command=CommandInfo(issued_at=Time(sec=1), valid_for=Duration(sec=1))))
    assert result.code == ResultCode.EXPIRED and not cell.robot.sent
    assert result.job.state == JobState.NONE
