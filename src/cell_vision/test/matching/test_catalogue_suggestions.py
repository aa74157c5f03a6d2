"""What a trial suggests to correct in a catalogue."""

from __future__ import annotations

from dataclasses import dataclass

import pytest
from cell_common.catalogue import Catalogue, Part
from cell_vision.matching.catalogue_suggestions import suggestions
from cell_vision.types import MISSING


@dataclass(frozen=True)
class Tried:
    verdict: str
    texts: tuple[str, ...]


def suggested(parts, *texts, never_seen=(), verdict='UNKNOWN'):
    catalogue = Catalogue({part.part_number: part for part in parts})
    return suggestions(catalogue, [Tried(verdict, (text,)) for text in texts], never_seen)


def test_a_prefix_that_the_rule_does_not_name_is_suggested():
    (sentence,) = suggested([Part('74LS00', 'A', (), prefixes=('HD',))], 'SN74LS00N', f'SN74LS00N {MISSING}')
    assert '"SN" is printed before the number' in sentence and "prefixes: ['HD', 'SN']" in sentence and '2 pictures' in sentence


def test_a_makers_suffix_is_suggested():
    (sentence,) = suggested([Part('74LS09', 'A', ())], '74LS09B1')
    assert "suffixes: ['B1']" in sentence


def test_a_mistyped_number_is_named_with_the_part_that_was_never_recognized():
    parts = [Part('74LS715', 'A', ()), Part('74LS00', 'C', ())]
    (sentence,) = suggested(parts, 'SN74LS175N', never_seen=['74LS715'])
    assert '74LS715 is similar' in sentence and '1 picture.' in sentence


@pytest.mark.parametrize(
    ('text', 'never_seen', 'verdict'),
    [
        ('SN74LS175N', [], 'UNKNOWN'),
        ('31AE11KE4', ['74LS715'], 'UNKNOWN'),
        ('N', ['74LS715'], 'UNKNOWN'),
        ('SN74LS175N', ['74LS715'], 'AMBIGUOUS'),
    ],
)
def test_nothing_is_suggested_without_reason(text, never_seen, verdict):
    assert suggested([Part('74LS715', 'A', ())], text, never_seen=never_seen, verdict=verdict) == []
