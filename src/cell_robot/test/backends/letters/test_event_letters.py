"""Letters of the events."""

from __future__ import annotations

import pytest
from cell_common.catalogue import Catalogue, Part
from cell_robot.backends.letters.event_letters import EventLettersError, event_letters

CATALOGUE = Catalogue({'EM1-2U1': Part('EM1-2U1', 'A', ())})


def test_parts_and_events_have_letters():
    assert event_letters(CATALOGUE, ['HOME=h', '']) == {
        'START_PROGRAM': 'D',
        'PLACE': 'P',
        'REJECT': 'R',
        'BENCHMARK': 'B',
        'HOME': 'h',
        'PART_EM1-2U1': 'A',
    }


def test_a_part_with_the_letter_of_an_event_needs_another_one_for_the_event():
    catalogue = Catalogue({'EM1-2U1': Part('EM1-2U1', 'B', ())})
    with pytest.raises(EventLettersError, match=r'letter B stands for BENCHMARK and for PART_EM1-2U1: .* event_letters'):
        event_letters(catalogue)
    letters = event_letters(catalogue, ['BENCHMARK=x'])
    assert (letters['PART_EM1-2U1'], letters['BENCHMARK']) == ('B', 'x')


@pytest.mark.parametrize('override', ['HOME=A', 'HOME=P', 'HOME=D', 'START_PROGRAM=S', 'HOME=', 'HOME=hh', 'HOME', 'PART_X=x'])
def test_letters_that_clash_or_make_no_sense_are_refused(override):
    with pytest.raises(EventLettersError, match='event_letters'):
        event_letters(CATALOGUE, [override])
