import pytest
from cell_inventory.stock_file import changed_counts, parse_stock
from cell_inventory.stock_file_history import StockFileHistory, content_of, contents_before, counts_in


def trays(*counts, **members):
    return {
        **{('A', tray): count for tray, count in enumerate(counts, 1)},
        **{(name, 0): value for name, value in members.items()},
    }


def booked(contents, saved):
    """Return the counts that are booked when a program saves a content, and the newest one is the ledger's."""
    history = StockFileHistory(contents[0])
    for content in contents[1:]:
        history.add(content)
    return changed_counts(counts_in(saved), counts_in(history.base_of(saved)), counts_in(history.newest))


PICKED = [trays(5, 5, 5, 5), trays(5, 4, 5, 5)]
EMPTIED = [trays(5, 5, 5, 5), trays(4, 5, 5, 5), trays(4, 4, 5, 5), trays(4, 4, 4, 5), trays(4, 4, 4, 4)]


@pytest.mark.parametrize(
    ('contents', 'saved', 'expected'),
    [
        pytest.param(PICKED, trays(5, 5, 5, 7), {('A', 4)}, id='old copy with a change'),
        pytest.param(PICKED, trays(5, 4, 5, 7), {('A', 4)}, id='newest content with a change'),
        pytest.param(PICKED, trays(5, 5, 5, 5), {('A', 2)}, id='count set back'),
        pytest.param(EMPTIED, trays(5, 5, 5, 5), {('A', 1), ('A', 2), ('A', 3), ('A', 4)}, id='all set back'),
        pytest.param(EMPTIED, trays(5, 5, 5, 4), {('A', 1), ('A', 2), ('A', 3)}, id='all but one set back'),
        pytest.param(EMPTIED, trays(4, 5, 5, 9), {('A', 4)}, id='copy of the middle'),
        pytest.param(PICKED, trays(5, 9, 5, 5), {('A', 2)}, id='same tray: the file wins; both contents are as near'),
        pytest.param(PICKED, trays(5, 4, 5, 5), set(), id='nothing changed'),
        pytest.param([{}, trays(5, 5, 5, 5)], trays(1, 5, 5, 5), {('A', 1)}, id='after the first file'),
        pytest.param([trays(5, 5, 5, 5)], trays(5, 5, 5, 7), {('A', 4)}, id='one content'),
    ],
)
def test_only_what_the_program_changed_is_booked(contents, saved, expected):
    assert booked(contents, saved).keys() == expected


def test_of_two_contents_that_are_as_near_the_newest_is_the_base():
    history = StockFileHistory(trays(5, 5, 5, 5))
    history.add(trays(4, 5, 5, 5))
    assert history.base_of(trays(3, 5, 5, 5)) == trays(4, 5, 5, 5)


def test_an_old_copy_with_another_job_sets_no_count_back():
    contents = [trays(5, 5, 5, 5, job={'quantity': 0}), trays(5, 4, 5, 5, job={'quantity': 0})]
    assert booked(contents, trays(5, 5, 5, 5, job={'quantity': 2})) == {}


def test_a_copy_of_what_another_program_saved_is_known():
    contents = [*PICKED, trays(5, 5, 5, 7), trays(5, 4, 5, 7)]
    assert booked(contents, trays(5, 5, 1, 7)) == {('A', 3): 1}


def test_a_copy_older_than_the_kept_contents_is_compared_with_these():
    contents = [trays(5, 5, 5, 5), trays(5, 4, 5, 5), *(trays(count % 2, 4, 5, 5) for count in range(1002))]
    assert booked(contents, trays(5, 5, 5, 7)) == {('A', 1): 5, ('A', 2): 5, ('A', 4): 7}


def test_the_content_of_a_file_is_its_counts_and_its_members():
    file = parse_stock('{"current": {"A": [1, 0, 0, 0]}, "job": {"quantity": 1}}', {'A': {1: 5}})
    assert content_of(file) == {('A', 1): 1, ('job', 0): {'quantity': 1}}
    assert counts_in(content_of(file)) == {('A', 1): 1}


@pytest.mark.parametrize(
    ('agreed', 'expected'),
    [
        ({('A', 1): 3, ('A', 2): 2}, 0),
        ({('A', 1): 4, ('A', 2): 2}, 1),
        ({('A', 1): 4, ('A', 2): 9}, 2),
        ({('A', 1): 7, ('A', 2): 7}, 3),
    ],
    ids=['in step', 'one entry not in the file', 'two', 'never'],
)
def test_the_contents_before_a_start_are_those_of_the_ledger(agreed, expected):
    changes = [{('A', 1): 4}, {('A', 2): 9}, {('A', 1): 5}]
    assert list(contents_before(agreed, {('A', 1): 3, ('A', 2): 2}, changes)) == changes[expected:]


def test_a_tray_that_the_file_does_not_have_is_no_difference():
    history = StockFileHistory({('A', 1): 3}, [{('A', 2): 9}, {('A', 1): 4}])
    assert history.base_of({('A', 1): 4, ('A', 2): 1}) == {('A', 1): 4}
