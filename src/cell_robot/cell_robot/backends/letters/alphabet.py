"""Which letter stands for which event."""

from __future__ import annotations

from collections.abc import Iterable

from cell_common.catalogue import EVENT_LETTERS, LETTERS, START_LETTER, Catalogue

PART_EVENT = 'PART_'


class AlphabetError(ValueError):
    """Letters clash or are not allowed; the text says which and what to do."""


def alphabet(catalogue: Catalogue, overrides: Iterable[str] = ()) -> dict[str, str]:
    """Return event -> letter for every event of the cell and every part of the catalogue.

    Args:
        catalogue: Gives the parts' letters.
        overrides: `EVENT=letter` texts of the deployment; empty ones are ignored.

    Raises:
        AlphabetError: An override is not understood, or a letter stands for two things.
    """
    letters = _events(overrides)
    letters |= {PART_EVENT + part.part_number: part.letter for part in catalogue.parts.values()}
    owners: dict[str, str] = {}
    for event, letter in letters.items():
        other = owners.setdefault(letter, event)
        if other != event:
            raise AlphabetError(
                f'letter {letter} stands for {other} and for {event}: change one of them in the part catalogue '
                'or in parameter event_letters'
            )
    return letters


def _events(overrides: Iterable[str]) -> dict[str, str]:
    letters: dict[str, str] = dict(EVENT_LETTERS)
    for text in filter(None, overrides):
        event, equals, letter = text.partition('=')
        if not equals or event not in letters:
            raise AlphabetError(f'event_letters holds "{text}": write EVENT=letter, with one of {", ".join(letters)}')
        letters[event] = _checked(event, letter)
    return letters


def _checked(event: str, letter: str) -> str:
    if len(letter) != 1 or letter not in LETTERS:
        raise AlphabetError(f'event_letters gives {event} the letter "{letter}": use one of A-Z a-z 0-9')
    if (letter == START_LETTER) != (event == 'START_PROGRAM'):
        raise AlphabetError(f'event_letters gives {event} the letter {letter}: {START_LETTER} means START_PROGRAM alone')
    return letter
