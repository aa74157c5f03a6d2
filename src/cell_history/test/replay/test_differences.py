"""Two lists of decisions are compared by value; what they are about is not compared."""

from __future__ import annotations

import pytest
from cell_history.replay.decisions import DecisionKind, DecisionRecord, DecisionsError, parse_lines, to_lines
from cell_history.replay.differences import compare


def match(key: str, verdict: str, at_ns: int = 0, **values: object) -> DecisionRecord:
    return DecisionRecord(DecisionKind.MATCH, key, at_ns, {'verdict': verdict, **values}, {'piece': 1})


def test_equal_lists_have_no_difference():
    assert compare([match('a', 'MATCH')], [match('a', 'MATCH', reason='other words')]) == []


def test_a_changed_verdict_is_named_with_both_values():
    (found,) = compare([match('a', 'MATCH')], [match('a', 'AMBIGUOUS')])
    assert (found.name, found.before, found.after, found.about) == ('verdict', 'MATCH', 'AMBIGUOUS', {'piece': 1})


def test_a_decision_of_one_side_only_differs():
    (gone,) = compare([match('a', 'MATCH')], [])
    (new,) = compare([], [match('a', 'MATCH')])
    assert (gone.after, new.before) == ('nothing', 'nothing') and 'MATCH' in str(gone.before)


def test_a_value_that_one_side_does_not_know_is_no_difference():
    assert compare([match('a', 'MATCH')], [match('a', 'MATCH', score=0.5)]) == []


def test_a_repeated_request_is_compared_with_its_repetition():
    twice = [match('a', 'MATCH', 1), match('a', 'MISMATCH', 2)]
    assert compare(twice, twice) == []
    assert [item.name for item in compare(twice, twice[:1])] == ['decision']


def test_differences_are_in_the_order_of_the_recording():
    before, after = [match('b', 'MATCH', 1), match('a', 'MATCH', 3)], [match('a', 'UNKNOWN', 3), match('b', 'UNKNOWN', 1)]
    assert [item.key for item in compare(before, after)] == ['b', 'a']


def test_decisions_survive_their_lines():
    decisions = [match('a', 'MATCH', score=0.1234), match('ü', 'UNKNOWN')]
    assert parse_lines(to_lines(decisions)) == decisions


@pytest.mark.parametrize('text', ['{', '{}', '[]', '{"kind": "guess"}'])
def test_a_line_that_is_no_decision_is_named(text: str):
    with pytest.raises(DecisionsError, match='line 1'):
        parse_lines(text)
