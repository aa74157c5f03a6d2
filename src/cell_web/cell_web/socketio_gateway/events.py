"""Event names and payloads of the replaced OCR backend and hub.

Pure: no ROS, sockets, files or clock.

Payloads from a page or a backend are checked here. A `PayloadError` says which field is wrong and what it should be, and is
sent back as a `status`. Ports and directions of each event are in docs/migrate.md.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass

__all__ = [
    'BACKEND_EVENTS',
    'HUB_EVENTS',
    'LARGEST_REQUESTED',
    'PAGE_EVENTS',
    'PART_EVENT',
    'PROGRAM_STARTED',
    'STOCK_TRAYS',
    'PayloadError',
    'PickJobRequest',
    'QuantityError',
    'TriggerRequest',
    'parse_job',
    'parse_message',
    'parse_optional_job',
    'parse_part',
    'parse_trigger',
    'stock_list',
    'stock_mapping',
]

PAGE_EVENTS = (
    'ping_test',
    'get_inventory',
    'reset_inventory',
    'set_job',
    'submitPartRequest',
    'start_robot',
    'start_camera',
    'stop_camera',
    'set_benchmark',
    'capture_component',
    'reload_required',
)
"""Events that a page sends to port 5001."""
BACKEND_EVENTS = (
    'pong_test',
    'update_inventory',
    'video_frame',
    'benchmark_set',
    'component_captured',
    'status',
    'job_invalid',
    'reload_required',
)
"""Events that a page receives on port 5001."""
HUB_EVENTS = ('send_trigger', 'get_inventory', 'reset_inventory', 'set_job')
"""Events that a backend sends to port 5002; it receives update_inventory, ack, job_invalid, reload_required and status."""
PROGRAM_STARTED = 'program_started'
PART_EVENT = 'PART_'
"""Begin of the event of a part's trigger; its part number follows."""
STOCK_TRAYS = 4
"""Every part has four counts in an inventory event: old pages know no more. A tray that does not exist has 0."""
# Texts go into logs and alarms.
LONGEST_TEXT = 200
LINE_CHARACTERS = '\t\n\r\v\f\x1c\x1d\x1e\x85'
"""Control characters of a text of several lines."""
MOST_PIECES = 1_000_000
MOST_DIGITS = 12
LARGEST_REQUESTED = 10**MOST_DIGITS
"""Largest quantity that `job_invalid` repeats; a larger one is shown as this one."""

Stock = Mapping[str, Mapping[int, int]]
"""Part number -> tray number, from 1 -> pieces."""


class PayloadError(ValueError):
    """An event's payload is wrong; the text names the field and what it should be."""


class QuantityError(PayloadError):
    """A job whose quantity is a whole number, but none that can be ordered: old pages expect `job_invalid` for it.

    Attributes:
        part_number: As sent.
        requested: As sent, at most LARGEST_REQUESTED.
    """

    def __init__(self, text: str, part_number: str, requested: int) -> None:
        """Store the job; `text` says what is wrong."""
        super().__init__(text)
        self.part_number = part_number
        self.requested = max(-LARGEST_REQUESTED, min(requested, LARGEST_REQUESTED))


@dataclass(frozen=True)
class PickJobRequest:
    """A part and its quantity.

    Attributes:
        part_number: As sent, without blanks around it; the coordinator checks that it exists.
        quantity: 1 to 1 000 000 pieces.
    """

    part_number: str
    quantity: int


@dataclass(frozen=True)
class TriggerRequest:
    """One letter for the robot's program.

    Attributes:
        letter: One ASCII letter or digit.
        event: Name that the acknowledgement carries; "" when the payload has none.
        part_number: "" when the payload names none.
    """

    letter: str
    event: str
    part_number: str


def parse_job(event: str, payload: object) -> PickJobRequest:
    """Return the part number and quantity of a payload.

    Args:
        event: Name of the event, for the error text.
        payload: Decoded JSON of the client, of any type.

    Raises:
        QuantityError: The quantity is a whole number out of range.
        PayloadError: A field is missing or wrong.
    """
    fields = _mapping(event, payload, '{part_number, quantity}')
    part_number, quantity = _text(event, fields, 'part_number'), _whole_number(event, fields, 'quantity')
    if not 1 <= quantity <= MOST_PIECES:
        text = f'{event}: quantity must be 1 to {MOST_PIECES}, not {_shown(quantity)}'
        raise QuantityError(text, part_number, quantity)
    return PickJobRequest(part_number, quantity)


def parse_optional_job(event: str, payload: object) -> PickJobRequest | None:
    """Return the part number and quantity of a payload, or None when it names neither.

    Args:
        event: Name of the event, for the error text.
        payload: Decoded JSON; old pages send null, {} or empty fields to start the job that is set.

    A part without a quantity is refused, and so is a quantity without a part: a start would run the job that waits, which may
    be another one than the page shows.

    Raises:
        QuantityError: The quantity is a whole number out of range.
        PayloadError: One of the two is missing or wrong.
    """
    if payload is None:
        return None
    fields = _mapping(event, payload, '{part_number, quantity} or null')
    # Old pages send empty input fields.
    if fields.get('part_number') in (None, '') and fields.get('quantity') in (None, '', 0):
        return None
    return parse_job(event, payload)


def parse_part(event: str, payload: object, field: str = 'part_number') -> str:
    """Return the part number of a payload.

    Args:
        event: Name of the event, for the error text.
        payload: Decoded JSON of the client.
        field: Key of the part number, which differs between events.

    Raises:
        PayloadError: It is missing or wrong.
    """
    return _text(event, _mapping(event, payload, f'{{{field}}}'), field)


def parse_message(event: str, payload: object) -> str:
    """Return the `msg` of a payload, "" when it has none.

    Args:
        event: Name of the event, for the error.
        payload: JSON value, or None for an event without data.

    Raises:
        PayloadError: It is no text, or too long.
    """
    fields = {} if payload is None else _mapping(event, payload, '{msg}')
    return '' if fields.get('msg') is None else _text(event, fields, 'msg', empty=True, lines=True)


def parse_trigger(payload: object) -> TriggerRequest:
    """Return the letter, event and part number of a `send_trigger`.

    Args:
        payload: Decoded JSON: `trigger` is required, `event` and `part_number` are optional.

    Raises:
        PayloadError: A field is missing or wrong.
    """
    fields = _mapping('send_trigger', payload, '{trigger, event, part_number}')
    letter = _text('send_trigger', fields, 'trigger')
    if not re.fullmatch('[A-Za-z0-9]', str(fields['trigger'])):
        raise PayloadError(f'send_trigger: trigger must be one letter A to Z or digit, not {_shown(fields["trigger"])}')
    part_number = '' if fields.get('part_number') is None else _text('send_trigger', fields, 'part_number', empty=True)
    event = '' if fields.get('event') is None else _text('send_trigger', fields, 'event', empty=True)
    return TriggerRequest(letter, event, part_number)


def stock_list(stock: Stock) -> dict[str, object]:
    """Return the payload of `update_inventory` on port 5001: a list of parts with a count for each tray."""
    return {
        'inventory': [
            {'part_number': part, **{f'tray{tray}': counts.get(tray, 0) for tray in range(1, STOCK_TRAYS + 1)}}
            for part, counts in sorted(stock.items())
        ]
    }


def stock_mapping(stock: Stock) -> dict[str, list[int]]:
    """Return the payload of `update_inventory` on port 5002: part number -> counts of trays 1 to 4."""
    return {part: [counts.get(tray, 0) for tray in range(1, STOCK_TRAYS + 1)] for part, counts in sorted(stock.items())}


def _mapping(event: str, payload: object, expected: str) -> Mapping[str, object]:
    """Return a payload as a mapping; `expected` shows its fields in the error.

    Raises:
        PayloadError: It is none.
    """
    if not isinstance(payload, Mapping):
        raise PayloadError(f'{event}: expected {expected}, not {_shown(payload)}')
    return payload


def _text(event: str, fields: Mapping[str, object], name: str, *, empty: bool = False, lines: bool = False) -> str:
    """Return a text field, without blanks around it; with `lines` as it is, line ends included.

    Raises:
        PayloadError: It is missing, no text, empty where `empty` is not set, too long, or not printable.
    """
    value = fields.get(name)
    if value is None:
        raise PayloadError(f'{event}: {name} is missing')
    if not isinstance(value, str):
        raise PayloadError(f'{event}: {name} must be a text, not {_shown(value)}')
    text = value if lines else value.strip()
    if not text and not empty:
        raise PayloadError(f'{event}: {name} is empty')
    if len(text) > LONGEST_TEXT:
        raise PayloadError(f'{event}: {name} has {len(text)} characters, at most {LONGEST_TEXT} are allowed')
    if any(_is_control(character) and not (lines and character in LINE_CHARACTERS) for character in text):
        raise PayloadError(f'{event}: {name} has a control character')
    # A part number is compared and shown in one line. A message is only sent back: emoji are joined by invisible characters.
    if not lines and not text.isprintable():
        raise PayloadError(f'{event}: {name} has a character that cannot be seen')
    return text


def _is_control(character: str) -> bool:
    """Return whether a character is a control character, or half of a pair, which cannot be sent."""
    return unicodedata.category(character) in {'Cc', 'Cs'}


def _whole_number(event: str, fields: Mapping[str, object], name: str) -> int:
    """Return a whole number, of any size; pages send it as a number or as the text of an input field.

    Raises:
        PayloadError: It is missing, or no such number.
    """
    value = fields.get(name)
    if value is None:
        raise PayloadError(f'{event}: {name} is missing')
    # JSON of some clients has 3.0 for 3.
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if isinstance(value, str) and re.fullmatch('-?[0-9]{1,9}', value.strip()):
        value = int(value)
    # True is an int in Python, but not a quantity.
    if isinstance(value, bool) or not isinstance(value, int):
        raise PayloadError(f'{event}: {name} must be a whole number, not {_shown(value)}')
    return value


def _shown(value: object) -> str:
    """Return a value for a message, cut to a readable length."""
    if value is None:
        return 'null'
    if isinstance(value, bool):
        return 'true' if value else 'false'
    # Python refuses to print integers of more than 4300 digits.
    if isinstance(value, int) and abs(value) > 10**MOST_DIGITS:
        return f'a number of more than {MOST_DIGITS} digits'
    text = f'{value:.9g}' if isinstance(value, int | float) else repr(value)
    return text if len(text) <= 40 else f'{text[:40]}...'
