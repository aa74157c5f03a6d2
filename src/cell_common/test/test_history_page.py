import pytest
from cell_common.history_page import CursorError, PageRequest, matches_text, read_page, to_cursor
from sqlalchemy import column, create_engine, select, table, text

from cell_common import history_page

ROWS = table('rows', column('at_ns'), column('name'))


@pytest.fixture
def connection():
    engine = create_engine('sqlite://')
    with engine.connect() as connection:
        connection.execute(text('CREATE TABLE rows (at_ns INTEGER, name TEXT)'))
        connection.execute(text("INSERT INTO rows VALUES (1, 'a'), (2, 'b'), (2, 'c'), (3, 'd%'), (4, 'A')"))
        yield connection
    engine.dispose()


def names(connection, limit=50, cursor='', wanted=None):
    scanned = (lambda rows: [matches_text(wanted, rows.c.name)]) if wanted else None
    page = read_page(connection, select(ROWS), ('at_ns', 'name'), PageRequest(limit, cursor), scanned)
    return [row.name for row in page.items], page.next


def test_pages_follow_each_other_also_within_one_time(connection):
    first, cursor = names(connection, 3)
    assert (first, names(connection, 3, cursor)) == (['A', 'd%', 'c'], (['b', 'a'], ''))


def test_a_text_is_found_in_either_case_and_is_no_pattern(connection):
    assert names(connection, wanted='a') == (['A', 'a'], '') and names(connection, wanted='%') == (['d%'], '')


def test_a_search_goes_on_where_a_page_stopped(connection, monkeypatch):
    monkeypatch.setattr(history_page, 'MOST_SCANNED', 2)
    found, cursor, pages = [], '', 0
    while pages < 10:
        some, cursor = names(connection, wanted='b', cursor=cursor)
        found, pages = found + some, pages + 1
        if not cursor:
            break
    assert (found, pages) == (['b'], 3)


@pytest.mark.parametrize(
    'cursor', ['x', '!!', to_cursor([1]), to_cursor([1, None]), to_cursor([2**63, 'a']), to_cursor([True, 'a'])]
)
def test_a_wrong_cursor_is_refused(connection, cursor):
    with pytest.raises(CursorError):
        names(connection, cursor=cursor)
