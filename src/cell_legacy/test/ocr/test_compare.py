import itertools
import time

import numpy as np
import pytest
from cell_legacy.ocr.compare import TextComparator
from hypothesis import given
from hypothesis import strategies as st

best = TextComparator.best_match


@pytest.mark.parametrize(
    ('text', 'cleaned'),
    [
        ('G8NB-17SR', 'g8nb17sr'),
        (' 24 VDC. ', '24vdc'),
        ('EM1-2U1\n', 'em12u1'),
        ('---', ''),
        ('', ''),
        (None, ''),
        ('Größe', 'größe'),
        (0, '0'),
        (12, '12'),
        ('A²½①', 'a'),
    ],
)
def test_cleaned_text_keeps_letters_and_digits_in_lower_case(text, cleaned):
    assert TextComparator.clean_text(text) == cleaned


@pytest.mark.parametrize(
    ('a', 'b', 'ratio'),
    [
        ('G8NB-17SR', 'g8nb 17sr', 1.0),
        ('abcd', 'abxx', 0.5),
        ('abc', 'xyz', 0.0),
        ('abcd', 'abc', 6 / 7),
        ('', '', 0.0),
        ('-', '.', 0.0),
    ],
)
def test_similarity_is_the_sequence_matcher_ratio_of_the_cleaned_texts(a, b, ratio):
    assert TextComparator.similarity(a, b) == pytest.approx(ratio)
    assert TextComparator.compare_texts(a, b) == TextComparator.similarity(a, b)


def test_the_most_similar_pair_is_found():
    assert best(['OMRON', 'G8NB-17SR'], ['24VDC', 'G8NB 17SR']) == (True, ('G8NB-17SR', 'G8NB 17SR'), 1.0)


def test_a_number_split_into_two_texts_matches_in_either_order():
    assert best(['G8NB-17SR'], ['17SR', 'G8NB']) == (True, ('G8NB-17SR', 'G8NB17SR'), 1.0)
    assert best(['17SR', 'G8NB'], ['G8NB-17SR']) == (True, ('G8NB17SR', 'G8NB-17SR'), 1.0)


def test_a_text_is_not_joined_with_itself():
    match, _, score = best(['ABAB'], ['AB'], threshold=0.9)
    assert not match and score < 0.9


def test_the_threshold_is_inclusive():
    score = TextComparator.similarity('abcd', 'abxx')
    assert best(['abcd'], ['abxx'], threshold=score)[0]
    assert not best(['abcd'], ['abxx'], threshold=score + 1e-9)[0]


def test_the_threshold_is_0_6_unless_given():
    assert best(['abcde'], ['abcxy'])[::2] == (True, pytest.approx(0.6))
    assert not best(['abcd'], ['abxx'])[0]


@pytest.mark.parametrize('texts', [None, [], [''], ['--', '..'], [None]])
def test_without_texts_nothing_matches(texts):
    assert best(texts, ['A']) == (False, ('', ''), 0.0)
    assert best(['A'], texts) == (False, ('', ''), 0.0)
    assert best(texts, texts, threshold=0.0) == (False, ('', ''), 0.0)


def test_single_texts_come_before_joined_ones():
    assert best(['AB', 'A', 'B'], ['AB', 'A', 'B'])[1] == ('AB', 'AB')


def test_two_single_texts_come_before_a_joined_one_of_the_same_score():
    # "AB" and "A" + "B" are equal, too, and come first in the lists.
    assert best(['AB', 'XY'], ['A', 'B', 'XY'])[1] == ('XY', 'XY')


def test_a_string_is_one_text():
    assert best('G8NB-17SR', 'G8NB 17SR') == (True, ('G8NB-17SR', 'G8NB 17SR'), 1.0)
    assert not best('G8NB-17SR', ['GX'])[0]


def test_any_iterable_of_texts_is_taken():
    assert best(np.array(['A1', 'B2']), (text for text in ('B2', 'C3')))[1] == ('B2', 'B2')


def test_many_texts_are_compared_without_waiting():
    texts = [f'TEXT{n}-{n * 37 % 11}AB' for n in range(60)]
    other = [f'{n * 91 % 97}RX{n}-{n}QZ' for n in range(60)]
    began = time.monotonic()
    assert best(texts, texts[::-1])[2] == 1.0
    assert best(texts, other)[2] < 1.0
    assert time.monotonic() - began < 10.0


def by_every_pair(benchmark_texts, component_texts):
    """The highest similarity, without any shortcut."""

    def candidates(texts):
        return [*texts, *(a + b for a, b in itertools.permutations(texts, 2))]

    return max(TextComparator.similarity(a, b) for a in candidates(benchmark_texts) for b in candidates(component_texts))


TEXTS = st.lists(st.text('AB1-', max_size=5), min_size=1, max_size=4)


@given(TEXTS, TEXTS)
def test_the_shortcuts_find_the_highest_similarity(benchmark, component):
    _, pair, score = best(benchmark, component)
    assert score == by_every_pair(benchmark, component)
    assert score == TextComparator.similarity(*pair)


@given(st.lists(st.text(max_size=8), max_size=4), st.lists(st.text(max_size=8), max_size=4))
def test_any_texts_give_a_score_between_0_and_1(benchmark, component):
    match, pair, score = best(benchmark, component)
    assert 0.0 <= score <= 1.0
    assert match == (score >= 0.6)
    assert all(isinstance(text, str) for text in pair)
