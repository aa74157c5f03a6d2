"""Payloads between the cell and a hub of the replaced OCR system.

Pure: no ROS, sockets, files or clock.

Out: `send_trigger {trigger: one letter, event, part_number}`. Back: `ack {event}` when the robot acknowledged. The
acknowledgement is the only answer, and the name of the event is all that it carries: no id, no reason, no refusal.

The transport is Socket.IO (protocol revision 5, Engine.IO 4) on the root namespace.
"""

from __future__ import annotations

from collections.abc import Mapping

from cell_robot.backends.trigger import TriggerCommand

SEND_TRIGGER = 'send_trigger'
ACK = 'ack'
START_PROGRAM = 'START_PROGRAM'
PROGRAM_STARTED = 'program_started'
"""The hub's name of START_PROGRAM."""
PART_EVENT = 'PART_'
MAX_EVENT = 200
"""Characters of the longest event name that is taken from a hub."""


def trigger_payload(command: TriggerCommand, letter: str) -> dict[str, str]:
    """Return the payload of `send_trigger`; the protocol has no field for id and tray.

    Args:
        command: The trigger. `PART_<number>` becomes `part_number`, START_PROGRAM the hub's own name for it.
        letter: One ASCII character, which the hub passes to the robot's program.

    Returns:
        `trigger` (the letter), `event`, and `part_number` ("" for events without a part).
    """
    part_number = command.event.removeprefix(PART_EVENT) if command.event.startswith(PART_EVENT) else ''
    event = PROGRAM_STARTED if command.event == START_PROGRAM else command.event
    return {'trigger': letter, 'event': event, 'part_number': part_number}


def acknowledged_event(payload: object) -> str | None:
    """Return the cell's name of the event in an `ack`, None when the payload is not `{event}` with a text.

    Hubs name the program's start `program_started` or `START_PROGRAM`; both mean START_PROGRAM here.

    Args:
        payload: Decoded JSON from the network, of any type and size.
    """
    event = payload.get('event') if isinstance(payload, Mapping) else None
    if not isinstance(event, str) or not event or len(event) > MAX_EVENT or not event.isprintable():
        return None
    return START_PROGRAM if event == PROGRAM_STARTED else event
