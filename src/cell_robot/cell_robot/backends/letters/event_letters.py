"""Letter of each event: the reserved events and the parts of the catalogue.

Pure: no ROS, sockets, files or clock.

The letters are the contract with the program on the robot. Two events with one letter would make the arm pick the wrong part,
so a clash stops the node at its start.
"""

from __future__ import annotations

from collections.abc import Iterable

from cell_common.catalogue import EVENT_LETTERS, LETTERS, START_LETTER, Catalogue

PART_EVENT = 'PART_'


class EventLettersError(ValueError):
    """Letters clash or are not allowed; the text names them and the remedy."""


def event_letters(catalogue: Catalogue, overrides: Iterable[str] = ()) -> dict[str, str]:
    """Return event -> letter for every event of the cell and every part of the catalogue.

    Args:
        catalogue: Source of the parts' letters.
        overrides: `EVENT=letter` texts of parameter event_letters; empty ones are ignored.

    Raises:
        EventLettersError: An override is invalid, or a letter stands for two events.
    """
    letters = _apply_overrides(overrides)
    # Parts last: an override cannot take a letter away from a part without the clash being found below.
    letters |= {PART_EVENT + part.part_number: part.letter for part in catalogue.parts.values()}
    owners: dict[str, str] = {}
    for event, letter in letters.items():
        other = owners.setdefault(letter, event)
        if other != event:
            raise EventLettersError(
                f'letter {letter} stands for {other} and for {event}: change one of them in the part catalogue '
                'or in parameter event_letters'
            )
    return letters


def _apply_overrides(overrides: Iterable[str]) -> dict[str, str]:
    """Return the letters of the reserved events, changed by `EVENT=letter` texts.

    Raises:
        EventLettersError: A text is not of that form, or its letter is not allowed.
    """
    letters: dict[str, str] = dict(EVENT_LETTERS)
    for text in filter(None, overrides):
        event, equals, letter = text.partition('=')
        if not equals or event not in letters:
            raise EventLettersError(f'event_letters holds "{text}": write EVENT=letter, with one of {", ".join(letters)}')
        letters[event] = _validate(event, letter)
    return letters


def _validate(event: str, letter: str) -> str:
    """Return a letter for an event; "D" starts the program on every site and stands for nothing else.

    Raises:
        EventLettersError: It is not one of A-Z a-z 0-9, or is reserved.
    """
    if len(letter) != 1 or letter not in LETTERS:
        raise EventLettersError(f'event_letters gives {event} the letter "{letter}": use one of A-Z a-z 0-9')
    if (letter == START_LETTER) != (event == 'START_PROGRAM'):
        raise EventLettersError(
            f'event_letters gives {event} the letter {letter}: {START_LETTER} is reserved for START_PROGRAM'
        )
    return letter
