"""Barcodes as a second witness: do they name the part that the print names?

The catalogue may say what the code on a part reads like (`code`). A code that agrees makes a verdict more certain and tells
twins apart; one that contradicts the print is never overruled: then the part is not placed.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from cell_common.catalogue import Catalogue

from cell_vision.matching.matcher import Decision, Verdict
from cell_vision.ocr.barcode_formats import CHECKED
from cell_vision.types import Code

DOUBT_LEFT = 0.1
"""Share of the doubt that is left when print and code agree."""
CODE_SCORE = 0.99
"""Score of a verdict that a code decided: one that passes its own error detection is read right."""
READ_BY_PRINT = (Verdict.MATCH, Verdict.MISMATCH)


@dataclass(frozen=True)
class Witnessed:
    """A verdict after the codes were heard."""

    decision: Decision
    by_code: bool = False
    """The code decided; the print alone could not."""


@dataclass(frozen=True)
class _Named:
    part_number: str
    code: Code


class CodeWitness:
    """Knows which code belongs to which part."""

    def __init__(self, catalogue: Catalogue) -> None:
        """Take the codes of a catalogue whose patterns were checked when it was loaded."""
        self._patterns: Mapping[str, re.Pattern[str]] = {
            part.part_number: re.compile(part.code) for part in catalogue.parts.values() if part.code
        }

    def judge(self, expected: str, decision: Decision, codes: Sequence[Code]) -> Witnessed:
        """Return a verdict on the print, corrected by what the codes in the frame say.

        Args:
            expected: The ordered part.
            decision: The verdict on the print.
            codes: All codes of the frame; those that no part of the catalogue carries say nothing.
        """
        named = self._named(codes)
        parts = sorted({item.part_number for item in named})
        if not parts:
            return Witnessed(decision)
        if len(parts) > 1:
            return Witnessed(_unsure(decision, f'the codes in view belong to {" and ".join(parts)}', parts))
        witness = named[0]
        if decision.verdict in READ_BY_PRINT:
            return Witnessed(_compared(decision, witness))
        return _decided(expected, decision, witness)

    def _named(self, codes: Sequence[Code]) -> list[_Named]:
        return [
            _Named(part, code) for code in codes for part, pattern in self._patterns.items() if pattern.fullmatch(code.text)
        ]


def _compared(decision: Decision, witness: _Named) -> Decision:
    """Return a verdict that the print reached, with a witness for or against it."""
    if witness.part_number != decision.part_number:
        told = f'"{decision.text}" is {decision.part_number}, but the code "{witness.code.text}" is {witness.part_number}'
        return _unsure(decision, told, [witness.part_number])
    score = 1 - DOUBT_LEFT * (1 - decision.score)
    first = tuple((part, score if part == decision.part_number else other) for part, other in decision.candidates)
    return replace(decision, score=score, candidates=first, reason=f'{decision.reason}; its code agrees')


def _decided(expected: str, decision: Decision, witness: _Named) -> Witnessed:
    """Let a code decide where the print could not, unless the print speaks against it."""
    part, text = witness.part_number, witness.code.text
    if decision.verdict is Verdict.UNKNOWN:
        return Witnessed(replace(decision, reason=f'{decision.reason}, but the code "{text}" is {part}'))
    if decision.verdict is Verdict.AMBIGUOUS and part not in {name for name, _ in decision.candidates}:
        return Witnessed(_unsure(decision, f'{decision.reason}, but the code "{text}" is {part}', [part]))
    if decision.verdict is Verdict.UNREADABLE and witness.code.format not in CHECKED:
        return Witnessed(replace(decision, reason=f'{decision.reason}; a {witness.code.format} alone does not decide'))
    verdict = Verdict.MATCH if part == expected else Verdict.MISMATCH
    told = f'the code "{text}" is {part}' + ('' if part == expected else f', not {expected}')
    others = tuple((name, score) for name, score in decision.candidates if name != part)
    return Witnessed(
        Decision(
            verdict,
            f'{told}; the print alone does not tell: {decision.reason}',
            part,
            CODE_SCORE,
            ((part, CODE_SCORE), *others),
            text=text,
            polygon=witness.code.polygon,
        ),
        by_code=True,
    )


def _unsure(decision: Decision, reason: str, parts: Sequence[str]) -> Decision:
    known = {name for name, _ in decision.candidates}
    more = tuple((part, CODE_SCORE) for part in parts if part not in known)
    return replace(decision, verdict=Verdict.AMBIGUOUS, part_number='', reason=reason, candidates=(*decision.candidates, *more))
