from cell_coordinator.diagnostics_aggregator.analyzers import (
    ERROR,
    OK,
    STALE,
    WARN,
    Aggregator,
    Analyzer,
    StatusReport,
)

SECOND = 1_000_000_000
ARM = Analyzer('Robot', startswith=('robot: ',), expected=('robot: link',), remove_prefix=('robot: ',))
EYES = Analyzer('Vision/Camera', startswith=('camera: ',))
READER = Analyzer('Vision/Reading', startswith=('ocr: ',))


def aggregator(*analyzers):
    return Aggregator('/cell', 'Cell', analyzers or (ARM, EYES, READER))


def levels(tree):
    return {status.path: status.level for status in tree}


def report(name, level=OK, message='', values=()):
    return StatusReport(name, level, message, values=values)


def test_reports_are_below_their_group_and_the_root_is_as_bad_as_the_worst():
    cell = aggregator()
    cell.update(report('cell/robot: link', WARN, 'slow', (('port', '50010'),)), 0)
    cell.update(report('/cell/camera: capture'), 0)
    tree = cell.tree(SECOND)
    assert levels(tree) == {
        '/Cell': WARN,
        '/Cell/Robot': WARN,
        '/Cell/Robot/link': WARN,
        '/Cell/Vision': OK,
        '/Cell/Vision/Camera': OK,
        '/Cell/Vision/Camera/camera: capture': OK,
    }
    assert [status.path for status in tree][:3] == ['/Cell', '/Cell/Robot', '/Cell/Robot/link']
    link = tree[2]
    assert (link.message, link.values, link.age_s) == ('slow', (('port', '50010'),), 1.0)
    assert tree[1].values == (('link', 'slow'),)


def test_reports_of_another_cell_are_not_shown():
    cell = aggregator(EYES)
    cell.update(report('cell2/camera: capture', ERROR), 0)
    cell.update(report('camera: capture', ERROR), 0)
    assert [(status.path, status.level) for status in cell.tree(0)] == [('/Cell', STALE)]


def test_reports_that_stop_are_stale_and_count_again_when_they_return():
    cell = aggregator(ARM)
    cell.update(report('cell/robot: link', ERROR, 'no robot'), 0)
    assert levels(cell.tree(5 * SECOND))['/Cell/Robot/link'] == ERROR
    stale = cell.tree(6 * SECOND)
    assert levels(stale) == {'/Cell': STALE, '/Cell/Robot': STALE, '/Cell/Robot/link': STALE}
    assert 'stopped' in stale[2].message
    cell.update(report('cell/robot: link'), 7 * SECOND)
    assert levels(cell.tree(7 * SECOND))['/Cell'] == OK


def test_an_expected_report_that_never_came_is_stale_and_makes_the_cell_an_error():
    cell = aggregator()
    cell.update(report('cell/camera: capture'), 0)
    tree = cell.tree(0)
    assert levels(tree)['/Cell/Robot'] == STALE
    assert levels(tree)['/Cell'] == ERROR
    assert 'no report' in next(status for status in tree if status.path == '/Cell/Robot/link').message


def test_a_group_of_which_some_is_stale_is_an_error():
    cell = aggregator(ARM)
    cell.update(report('cell/robot: link'), 0)
    cell.update(report('cell/robot: gripper'), 9 * SECOND)
    assert levels(cell.tree(9 * SECOND))['/Cell/Robot'] == ERROR


def test_old_reports_of_a_group_that_comes_and_goes_are_left_out():
    cell = aggregator(Analyzer('Recording', startswith=('recorder: ',), discard_stale=True), EYES)
    cell.update(report('cell/recorder: recording'), 0)
    cell.update(report('cell/camera: capture'), 9 * SECOND)
    assert '/Cell/Recording' not in levels(cell.tree(9 * SECOND))
    assert levels(cell.tree(9 * SECOND))['/Cell'] == OK


def test_timeout_zero_is_never_stale():
    cell = aggregator(Analyzer('Robot', startswith=('robot: ',), timeout_s=0.0))
    cell.update(report('cell/robot: link'), 0)
    assert levels(cell.tree(10**6 * SECOND))['/Cell'] == OK


def test_a_report_that_no_group_takes_is_below_other_and_is_forgotten_when_old():
    cell = aggregator(EYES)
    cell.update(report('cell/extra: a/b', ERROR), 0)
    assert levels(cell.tree(0)) == {'/Cell': ERROR, '/Cell/Other': ERROR, '/Cell/Other/extra: a b': ERROR}
    assert levels(cell.tree(60 * SECOND)) == {'/Cell': STALE}
    cell.update(report('cell/camera: capture'), 60 * SECOND)
    assert levels(cell.tree(60 * SECOND))['/Cell'] == OK
