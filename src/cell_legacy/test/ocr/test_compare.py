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


@given(st.lists(st.text(max_size=8), max_size=4), st.lists(st.text(max_size=8), max_size=4))
def test_any_texts_give_a_score_between_0_and_1(benchmark, component):
    match, pair, score = best(benchmark, component)
    assert 0.0 <= score <= 1.0
    assert match == (score >= 0.6)
    assert all(isinstance(text, str) for text in pair)
