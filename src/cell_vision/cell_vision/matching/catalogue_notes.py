"""Notes on a catalogue: numbers that need a second look, and what would help; see also `catalogue_lint` for errors.

Pure: no ROS, sockets, files or clock.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import permutations

from cell_common.catalogue import Catalogue

from cell_vision.matching.confusions import ConfusionWeights
from cell_vision.matching.orientation import turned_twins
from cell_vision.ocr.engines.ctc_decoder import PRINTED

__all__ = ['catalogue_notes']

LEAST_LETTERS = 3
"""Letters and digits that a line needs to be judged, as in `matcher`."""
HELP = 'a barcode (code) or a text beside it (also) makes it sure'


def catalogue_notes(catalogue: Catalogue, weights: ConfusionWeights) -> list[str]:
    """Return a sentence for each number that the cell reads with more care, naming its treatment and what would help.

    Args:
        catalogue: Valid catalogue.
        weights: Weights of the matcher.
    """
    folded = {part.part_number: [weights.fold(text.upper()) for text in part.printed_text] for part in catalogue.parts.values()}
    return [*_unreadable(catalogue), *_suffixes(catalogue), *_longer(folded), *_turned(catalogue, weights.fold)]


def _unreadable(catalogue: Catalogue) -> Iterator[str]:
    """Yield parts whose texts are too short, or have characters that the recognizer does not know."""
    for part in catalogue.parts.values():
        # The longest of its texts decides: one readable text is enough to identify the part.
        longest = max(sum(map(str.isalnum, text)) for text in part.printed_text)
        if longest < LEAST_LETTERS and not part.code:
            yield (
                f'{part.part_number} is too short to be read alone: it will always be UNREADABLE. Give a longer text '
                'of the part (prints) or its barcode (code).'
            )
        unknown = sorted({c for text in part.printed_text for c in text if c not in PRINTED})
        if unknown:
            yield (
                f'{part.part_number} has characters that the reader does not know ({" ".join(unknown)}): it will not be '
                'matched by them. Give the text without them (prints) or a barcode (code).'
            )


def _suffixes(catalogue: Catalogue) -> Iterator[str]:
    """Yield one note for all numbers that begin and end with a digit and have no `suffixes`."""
    plain = [
        part.part_number
        for part in catalogue.parts.values()
        if part.suffixes is None and part.part_number[0].isdigit() and part.part_number[-1].isdigit()
    ]
    if plain:
        yield (
            f'{plain[0]}{" and other such numbers" if len(plain) > 1 else ""}: up to three letters after it count as those of '
            'the package, but no digit and no letter that looks like one (B, D, I, L, O, Q, S, Z). With a suffix such as B1 '
            'it is UNKNOWN until the catalogue names the suffix (suffixes).'
        )


def _longer(folded: dict[str, list[str]]) -> Iterator[str]:
    """Yield pairs in which one number is the beginning or end of the other, or has one character more.

    Args:
        folded: Part number -> its texts with look-alike characters folded.
    """
    for (short, texts), (long, others) in permutations(folded.items(), 2):
        pairs = [(one, other) for one in texts for other in others if len(one) < len(other)]
        if any(other.startswith(one) or other.endswith(one) for one, other in pairs):
            yield (
                f'{short} is the beginning or end of {long}: where its print is cut off it is AMBIGUOUS, never a match; {HELP}.'
            )
        elif any(_one_more(one, other) for one, other in pairs):
            yield (
                f'{long} is {short} with one character more: a reading of {short} with a gap in it is AMBIGUOUS and looked at '
                f'again; {HELP}.'
            )


def _one_more(one: str, other: str) -> bool:
    return len(other) == len(one) + 1 and any(other[:i] + other[i + 1 :] == one for i in range(len(other)))


def _turned(catalogue: Catalogue, fold: Callable[[str], str]) -> Iterator[str]:
    twins = turned_twins({part.part_number: part.printed_text for part in catalogue.parts.values()}, fold)
    for one, others in sorted(twins.items()):
        for other in sorted(others):
            if one < other:
                yield (
                    f'{one} and {other} turn into each other upside down: a reading is AMBIGUOUS unless another line '
                    'shows which way up the part lies. A barcode (code) or a text of only one of them (tells_apart) helps.'
                )
