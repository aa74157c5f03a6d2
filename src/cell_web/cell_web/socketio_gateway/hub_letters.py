"""Robot event of each letter that a hub client may send.

Only letters that a page could cause are allowed: the program's start, a part's pick, and the
benchmark. Placing and rejecting follow the verdict of the cell, never a letter from outside.

Pure: no ROS, sockets, files or clock.
"""

from __future__ import annotations

from collections.abc import Mapping

__all__ = ['BENCHMARK_LETTER', 'START_LETTER', 'LetterError', 'event_of_letter']

# Reserved at every site (decision 0017), so the catalogue has no part with it.
START_LETTER = 'D'
# Of a part, where the catalogue has one with it.
BENCHMARK_LETTER = 'B'


class LetterError(ValueError):
    """A letter is not allowed, or does not belong to the part that is named; the text says which letters are."""


def event_of_letter(letter: str, part_number: str, letters: Mapping[str, str]) -> str:
    """Return the robot node's event for a letter.

    Args:
        letter: One letter, as sent.
        part_number: The part that the sender names; "" when it names none.
        letters: Part number -> letter, from the catalogue.

    Raises:
        LetterError: No part and no allowed event has the letter, or the named part has another one.
    """
    if part_number and letters.get(part_number) != letter:
        known = letters.get(part_number)
        reason = f'its letter is {known}' if known else 'the catalogue has no such part'
        raise LetterError(f'send_trigger: letter {letter} does not belong to part {part_number}: {reason}')
    if letter == START_LETTER:
        return 'START_PROGRAM'
    for part, own in sorted(letters.items()):
        if own == letter:
            return f'PART_{part}'
    if letter == BENCHMARK_LETTER:
        return 'BENCHMARK'
    allowed = ', '.join(sorted({START_LETTER, BENCHMARK_LETTER, *letters.values()}))
    raise LetterError(f'send_trigger: letter {letter} is refused: no part of the catalogue has it. Use one of {allowed}.')
