import pytest
from cell_web.history_openapi import history_document
from cell_web.history_query import QueryError, filter_values, page_values


@pytest.mark.parametrize(
    ('text', 'expected'),
    [
        ('1970-01-01T00:00:01Z', 10**9),
        ('1970-01-01T01:00:01+01:00', 10**9),
        ('1970-01-01T01:00:01 01:00', 10**9),
        ('1970-01-01', 0),
        ('1970-01-01 00:00:02', 2 * 10**9),
    ],
)
def test_times(text, expected):
    assert filter_values({'since': text})['since_ns'] == expected


def test_all_fields_and_their_defaults():
    assert filter_values({'part': 'X1', 'faults': '1'}) == {
        'part': 'X1', 'job': '', 'station': '', 'text': '', 'since_ns': 0, 'until_ns': 0, 'faults': True,
    }  # fmt: skip
    assert (page_values({}), page_values({'limit': '500', 'cursor': 'x'})) == ((50, ''), (500, 'x'))


@pytest.mark.parametrize('query', [{'since': 'x'}, {'until': '9' * 40}, {'faults': 'yes'}, {'text': 'x' * 101}, {'part': '\0'}])
def test_a_wrong_filter_is_refused(query):
    with pytest.raises(QueryError, match=next(iter(query))):
        filter_values(query)


@pytest.mark.parametrize('query', [{'limit': '0'}, {'limit': '501'}, {'limit': '-1'}, {'limit': '²'}, {'cursor': 'x' * 501}])
def test_a_wrong_page_is_refused(query):
    with pytest.raises(QueryError):
        page_values(query)


def test_the_description_has_every_filter_and_unique_operations():
    paths = history_document('1')['paths']
    operations = [path['get'] for path in paths.values()]
    assert len({operation['operationId'] for operation in operations}) == len(operations) == 19
    names = {item['name'] for item in paths['/api/history/pieces']['get']['parameters']}
    assert names == {*filter_values({}), 'since', 'until', 'limit', 'cursor'} - {'since_ns', 'until_ns'}
