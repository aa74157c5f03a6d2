"""Checks a decision on the print against the barcodes in the frame.

The catalogue may give the content of the code on a part (`code`). A code that agrees makes a decision more certain and
distinguishes parts that print alike. A code that contradicts the print is never overruled: the part is not placed.
Pure: no ROS, sockets, files or clock.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from cell_common.catalogue import Catalogue

from cell_vision.matching.matcher import Decision, MatchOutcome
from cell_vision.ocr.barcodes import CHECKED
from cell_vision.types import Barcode

DOUBT_LEFT = 0.1
"""Share of the doubt that remains when print and code agree."""
CODE_SCORE = 0.99
"""Score of a decision by a code that passed its own error detection."""
READ_BY_PRINT = (MatchOutcome.MATCH, MatchOutcome.MISMATCH)


@dataclass(frozen=True)
class CheckedDecision:
    """A decision after the codes were checked.

    Attributes:
        decision: The decision, possibly changed.
        by_code: The code decided because the print alone could not.
    """

    decision: Decision
    by_code: bool = False


@dataclass(frozen=True)
class _IdentifiedPart:
    part_number: str
    code: Barcode


class BarcodeCheck:
    """Assigns codes to parts.

    Parts without `code` in the catalogue are decided by their print alone; their codes are ignored.
    """

    def __init__(self, catalogue: Catalogue) -> None:
        """Compile the codes of a catalogue, whose patterns were validated when it was loaded."""
        self._patterns: Mapping[str, re.Pattern[str]] = {
            part.part_number: re.compile(part.code) for part in catalogue.parts.values() if part.code
        }

    def apply(self, expected: str, decision: Decision, codes: Sequence[Barcode]) -> CheckedDecision:
        """Return a decision on the print, corrected by the codes in the frame.

        Args:
            expected: The ordered part.
            decision: The decision on the print.
            codes: All codes of the frame; codes of no part in the catalogue are ignored.
        """
        named = self._identify(codes)
        parts = sorted({item.part_number for item in named})
        if not parts:
            return CheckedDecision(decision)
        if len(parts) > 1:
            return CheckedDecision(_undecided(decision, f'the codes in view belong to {" and ".join(parts)}', parts))
        code_part = named[0]
        # The print has decided: a code can confirm it or cast doubt on it, but never name another
        # part.
        if decision.verdict in READ_BY_PRINT:
            return CheckedDecision(_compared(decision, code_part))
        return _decided(expected, decision, code_part)

    def _identify(self, codes: Sequence[Barcode]) -> list[_IdentifiedPart]:
        named = [
            _IdentifiedPart(part, code)
            for code in codes
            for part, pattern in self._patterns.items()
            if pattern.fullmatch(code.text)
        ]
        # A code that passed its own error detection decides, wherever in the list it stands.
        return sorted(named, key=lambda item: (item.code.format not in CHECKED, item.code.format, item.code.text))


def _compared(decision: Decision, code_part: _IdentifiedPart) -> Decision:
    """Return a decision by the print after a code that supports or contradicts it."""
    if code_part.part_number != decision.part_number:
        reason = f'"{decision.text}" is {decision.part_number}, but the code "{code_part.code.text}" is {code_part.part_number}'
        return _undecided(decision, reason, [code_part.part_number])
    score = 1 - DOUBT_LEFT * (1 - decision.score)
    first = tuple((part, score if part == decision.part_number else other) for part, other in decision.candidates)
    return replace(decision, score=score, candidates=first, reason=f'{decision.reason}; its code agrees')


def _decided(expected: str, decision: Decision, code_part: _IdentifiedPart) -> CheckedDecision:
    """Let a code decide where the print could not, unless the print contradicts it."""
    part, text = code_part.part_number, code_part.code.text
    # Print of a part that is not in the catalogue: a code next to it may belong to the packaging.
    if decision.verdict is MatchOutcome.UNKNOWN:
        return CheckedDecision(replace(decision, reason=f'{decision.reason}, but the code "{text}" is {part}'))
    if decision.verdict is MatchOutcome.AMBIGUOUS and part not in {name for name, _ in decision.candidates}:
        return CheckedDecision(_undecided(decision, f'{decision.reason}, but the code "{text}" is {part}', [part]))
    if decision.verdict is MatchOutcome.UNREADABLE and code_part.code.format not in CHECKED:
        return CheckedDecision(replace(decision, reason=f'{decision.reason}; a {code_part.code.format} alone does not decide'))
    verdict = MatchOutcome.MATCH if part == expected else MatchOutcome.MISMATCH
    reason = f'the code "{text}" is {part}' + ('' if part == expected else f', not {expected}')
    others = tuple((name, score) for name, score in decision.candidates if name != part)
    return CheckedDecision(
        Decision(
            verdict,
            f'{reason}; the print alone does not decide: {decision.reason}',
            part,
            CODE_SCORE,
            ((part, CODE_SCORE), *others),
            text=text,
            polygon=code_part.code.polygon,
        ),
        by_code=True,
    )


def _undecided(decision: Decision, reason: str, parts: Sequence[str]) -> Decision:
    known = {name for name, _ in decision.candidates}
    more = tuple((part, CODE_SCORE) for part in parts if part not in known)
    return replace(
        decision, verdict=MatchOutcome.AMBIGUOUS, part_number='', reason=reason, candidates=(*decision.candidates, *more)
    )
