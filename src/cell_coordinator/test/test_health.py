import pytest
from cell_coordinator.health import ERROR, OK, STALE, WARN, SubsystemHealth, not_ready_message

SECOND = 10**9


@pytest.fixture
def health():
    return SubsystemHealth('/cell', ['camera', 'robot', 'web_gateway'], ['camera', 'robot'], 3 * SECOND)


def test_a_node_without_a_report_is_stale_and_the_cell_not_ready(health):
    health.update('cell/camera: frames', OK, '', 0)
    failing = health.not_ready(0)
    assert [(status.name, status.level) for status in failing] == [('robot', STALE)]
    assert not_ready_message(failing) == 'the cell is not ready: robot is STALE (no status received: is the node running?)'


def test_a_warning_does_not_prevent_a_job(health):
    health.update('cell/camera: frames', WARN, 'dark', 0)
    health.update('cell/robot: link', OK, '', 0)
    assert health.not_ready(0) == []
    assert [status.level for status in health.statuses(0)] == [WARN, OK, STALE]


def test_the_worst_task_of_a_node_counts(health):
    assert health.update('cell/robot: link', OK, '', 0)
    assert health.update('cell/robot: controller', ERROR, 'protective stop', 0)
    assert not health.update('cell/robot: link', OK, '', 1)
    assert (health.status_of('robot', 1).level, health.status_of('robot', 1).message) == (ERROR, 'protective stop')


def test_a_node_is_stale_only_after_the_time_limit(health):
    health.update('cell/robot: link', OK, '', 0)
    assert health.status_of('robot', 3 * SECOND).level == OK
    assert health.status_of('robot', 3 * SECOND + 1).level == STALE


def test_other_cells_and_other_nodes_are_ignored(health):
    assert not health.update('cell2/robot: link', OK, '', 0)
    assert not health.update('other/robot: link', OK, '', 0)
    assert not health.update('cell/rviz: frames', ERROR, '', 0)
    assert health.status_of('robot', 0).level == STALE


def test_a_cell_without_a_namespace_accepts_reports_without_one():
    health = SubsystemHealth('/', ['robot'], ['robot'], SECOND)
    assert health.update('robot: link', OK, '', 0)


def test_pictures_that_are_late_stop_a_job_before_it_starts_and_say_what_to_do():
    health = SubsystemHealth('cell', ('camera', 'ocr'), ('camera', 'ocr'), 3_000_000_000)
    for task, level, message in (
        ('camera: capture', 0, ''),
        ('ocr: engine', 0, ''),
        ('ocr: pictures', 2, 'the pictures of the camera are 1.6 s late: use a stream with low latency'),
    ):
        health.update(f'cell/{task}', level, message, 0)
    assert [status.name for status in health.not_ready(0)] == ['ocr']
    assert '1.6 s late: use a stream with low latency' in not_ready_message(health.not_ready(0))
    health.update('cell/ocr: pictures', 0, '', 1)
    assert not health.not_ready(1)
