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


@pytest.mark.parametrize('override', ['HOME=A', 'HOME=P', 'HOME=D', 'START_PROGRAM=S', 'HOME=', 'HOME=hh', 'HOME', 'PART_X=x'])
def test_letters_that_clash_or_make_no_sense_are_refused(override):
    with pytest.raises(EventLettersError, match='event_letters'):
        event_letters(CATALOGUE, [override])
