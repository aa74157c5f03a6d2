"""Robot event and acknowledgement of each letter that a hub client may send.

Only letters that a page could cause are allowed: the program's start, a part's pick, and the
benchmark. Placing and rejecting follow the verdict of the cell, never a letter from outside.

Pure: no ROS, sockets, files or clock.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from cell_web.socketio_gateway.events import PART_EVENT, PROGRAM_STARTED, TriggerRequest

__all__ = ['BENCHMARK_LETTER', 'START_LETTER', 'HubTrigger', 'LetterError', 'trigger_of']

# Reserved at every site (decision 0017), so the catalogue has no part with it.
START_LETTER = 'D'
# Of a part, where the catalogue has one with it.
BENCHMARK_LETTER = 'B'
START_EVENT = 'START_PROGRAM'
BENCHMARK_EVENT = 'BENCHMARK'
MEANINGS = {
    START_EVENT: START_EVENT,
    PROGRAM_STARTED: START_EVENT,
    BENCHMARK_EVENT: BENCHMARK_EVENT,
    'PLACE': 'PLACE',
    'REJECT': 'REJECT',
    'HOME': 'HOME',
}
"""Names that stand for a movement -> event of the robot node. Any other name is the sender's own, and is only sent back."""


class LetterError(ValueError):
    """A letter is not allowed, or does not belong to the part or event that is named; the text says which one does."""


@dataclass(frozen=True)
class HubTrigger:
    """What a letter causes.

    Attributes:
        event: Event of the robot node.
        ack: Name in the acknowledgement.
    """

    event: str
    ack: str


def trigger_of(request: TriggerRequest, letters: Mapping[str, str]) -> HubTrigger:
    """Return what a letter causes. An acknowledgement never confirms anything but what the robot did.

    Args:
        request: Letter D starts the program, whatever part is named: old backends fill the field from their job. With any
            other letter the named part must have it, whether `part_number` or `event` names it.
        letters: Part number -> letter, from the catalogue.

    Returns:
        The sender's event name is acknowledged, else the name that the letter stands for.

    Raises:
        LetterError: No part and no allowed event has the letter, or a named part or event has another one.
    """
    named = request.event.removeprefix(PART_EVENT) if request.event.startswith(PART_EVENT) else ''
    allowed = {START_LETTER, BENCHMARK_LETTER, *letters.values()}
    if request.letter not in allowed:
        text = f'letter {request.letter} is refused: no part of the catalogue has it. Use one of {", ".join(sorted(allowed))}.'
        raise LetterError(f'send_trigger: {text}')
    parts = [named] if request.letter == START_LETTER else [named, request.part_number]
    for part in filter(None, parts):
        _check_part(request.letter, part, letters)
    event = _event_of(request.letter, named or request.part_number, letters)
    # RoboHubClient sends "PART_" when its caller names no part: any part's letter is right then.
    meant = PART_EVENT if request.event.startswith(PART_EVENT) else MEANINGS.get(request.event, event)
    if not event.startswith(meant):
        raise LetterError(f'send_trigger: letter {request.letter} is {event}, not {request.event}')
    return HubTrigger(event, request.event or (PROGRAM_STARTED if event == START_EVENT else event))


def _check_part(letter: str, part: str, letters: Mapping[str, str]) -> None:
    """Check that a part has a letter.

    Raises:
        LetterError: It has another one, or the catalogue has no such part.
    """
    known = letters.get(part)
    if known != letter:
        reason = f'its letter is {known}' if known else 'the catalogue has no such part'
        raise LetterError(f'send_trigger: letter {letter} does not belong to part {part}: {reason}')


def _event_of(letter: str, part: str, letters: Mapping[str, str]) -> str:
    """Return the robot node's event for an allowed letter; `part` is a part that has it, or ""."""
    if letter == START_LETTER:
        return START_EVENT
    if part:
        return f'{PART_EVENT}{part}'
    for known, own in sorted(letters.items()):
        if own == letter:
            return f'{PART_EVENT}{known}'
    return BENCHMARK_EVENT
