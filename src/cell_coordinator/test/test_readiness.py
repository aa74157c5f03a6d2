import pytest
from cell_coordinator.health import ERROR, OK, STALE, WARN, StatusBoard, sentence

SECOND = 10**9


@pytest.fixture
def board():
    return StatusBoard('/cell', ['camera', 'robot', 'web_gateway'], ['camera', 'robot'], 3 * SECOND)


def test_a_node_never_heard_of_is_stale_and_the_cell_not_ready(board):
    board.hear('cell/camera: frames', OK, '', 0)
    failing = board.failing(0)
    assert [(line.name, line.level) for line in failing] == [('robot', STALE)]
    assert sentence(failing) == 'the cell is not ready: robot is STALE (never heard of: is the node running?)'


def test_warnings_do_not_hold_a_job_up(board):
    board.hear('cell/camera: frames', WARN, 'dark', 0)
    board.hear('cell/robot: link', OK, '', 0)
    assert board.failing(0) == []
    assert [line.level for line in board.lines(0)] == [WARN, OK, STALE]


def test_the_worst_task_of_a_node_counts(board):
    assert board.hear('cell/robot: link', OK, '', 0)
    assert board.hear('cell/robot: controller', ERROR, 'protective stop', 0)
    assert not board.hear('cell/robot: link', OK, '', 1)
    assert (board.line('robot', 1).level, board.line('robot', 1).message) == (ERROR, 'protective stop')


def test_silence_makes_a_node_stale_after_the_limit_only(board):
    board.hear('cell/robot: link', OK, '', 0)
    assert board.line('robot', 3 * SECOND).level == OK
    assert board.line('robot', 3 * SECOND + 1).level == STALE


def test_other_cells_and_other_nodes_are_not_heard(board):
    assert not board.hear('cell2/robot: link', OK, '', 0)
    assert not board.hear('other/robot: link', OK, '', 0)
    assert not board.hear('cell/rviz: frames', ERROR, '', 0)
    assert board.line('robot', 0).level == STALE


def test_a_cell_without_a_namespace_hears_its_nodes():
    board = StatusBoard('/', ['robot'], ['robot'], SECOND)
    assert board.hear('robot: link', OK, '', 0)
