"""The messages of the rosbridge protocol v2: their text, and the globs that limit names.

Source: ROSBRIDGE_PROTOCOL.md of RobotWebTools/rosbridge_suite, and what roslib 2.1 sends and expects. Wording of errors
follows upstream, since clients match it.
"""

from __future__ import annotations

import fnmatch
import json
import math
from typing import Any

LONGEST_S = 86400.0
"""Longest time that a client can ask for; threads and loops of Python cannot wait for arbitrary times."""
LONGEST_QUEUE = 10000
LEVELS = {'info': 0, 'warning': 1, 'error': 2, 'none': 3}
STATUS_UNKNOWN = 0  # action_msgs/msg/GoalStatus
MISSING: Any = object()


class ProtocolError(Exception):
    """A client asked for something that cannot be done; the text goes to the client."""

    def __init__(self, text: str, level: str = 'error') -> None:
        """Keep the text and the level of the status message."""
        super().__init__(text)
        self.level = level


def encode(message: dict[str, Any]) -> bytes:
    """Return the wire form of a message."""
    return json.dumps(message, separators=(',', ':')).encode()


def decode(text: str) -> dict[str, Any]:
    """Return one message of a client.

    Raises:
        ProtocolError: It is not a JSON object with a field `op`.
    """
    try:
        message = json.loads(text)
    except (ValueError, RecursionError) as problem:
        raise ProtocolError(f'not valid JSON: {problem}') from None
    if not isinstance(message, dict):
        raise ProtocolError('a message must be a JSON object')
    if not isinstance(message.get('op'), str):
        raise ProtocolError("Received a message without an op. All messages require 'op' field")
    return message


def field(message: dict[str, Any], name: str, kinds: type | tuple[type, ...], default: Any = MISSING) -> Any:
    """Return a field of a message; null counts as left out.

    Args:
        message: Decoded message.
        name: Name of the field.
        kinds: Allowed types; bool is not an int here, although Python says so.
        default: Value if the field is left out; MISSING = the field is required.

    Raises:
        ProtocolError: The field is missing or of another type.
    """
    value = message.get(name)
    if value is None:
        if default is MISSING:
            raise ProtocolError(f"{message['op']}: field '{name}' is missing")
        return default
    wanted = kinds if isinstance(kinds, tuple) else (kinds,)
    if not isinstance(value, wanted) or (isinstance(value, bool) and bool not in wanted):
        names = ' or '.join(kind.__name__ for kind in wanted)
        raise ProtocolError(f"{message['op']}: field '{name}' must be {names}, got {value!r:.60}")
    return value


def number(message: dict[str, Any], name: str, default: float, highest: float) -> float:
    """Return a number from 0 to `highest`; one beyond these is set to the nearest of them, as upstream does.

    Args:
        message: Decoded message.
        name: Name of the field.
        default: Value if the field is left out.
        highest: Largest value that is of use.

    Raises:
        ProtocolError: The field is no number, or NaN.
    """
    value = field(message, name, (int, float), default)
    # isnan converts to float, into which an integer of 400 digits does not fit.
    if isinstance(value, float) and math.isnan(value):
        raise ProtocolError(f"{message['op']}: field '{name}' must be a number, got NaN")
    return float(min(max(value, 0), highest))


def identity_of(message: dict[str, Any]) -> Any:
    """Return the field `id` for the response; None where it is left out or nothing that a client can match (see `check_id`)."""
    identity = message.get('id')
    return identity if _is_identity(identity) else None


def check_id(message: dict[str, Any]) -> None:
    """Check that the field `id` is text or a finite number: it becomes a key here, and JSON has no NaN.

    Raises:
        ProtocolError: It is something else.
    """
    identity = message.get('id')
    if identity is not None and not _is_identity(identity):
        raise ProtocolError(f"{message['op']}: field 'id' must be text or a number, got {identity!r:.60}")


def _is_identity(value: Any) -> bool:
    if isinstance(value, float):
        return math.isfinite(value)
    return isinstance(value, (str, int)) and not isinstance(value, bool)


def refusal(message: dict[str, Any], reason: str) -> bytes | None:
    """Return the response to a call or goal that is refused; None for other messages.

    A client waits for a response of this form. After a mere status message its callback would never be called.
    """
    identity = identity_of(message)
    if message['op'] == 'call_service':
        return service_response(str(message.get('service')), reason, False, identity)
    if message['op'] == 'send_action_goal':
        return action_result(str(message.get('action')), reason, STATUS_UNKNOWN, False, identity)
    return None


def publication(topic: str, values: dict[str, Any]) -> bytes:
    """Return a message of a subscribed topic."""
    return encode({'op': 'publish', 'topic': topic, 'msg': values})


def status(level: str, text: str, identity: Any = None) -> bytes:
    """Return a status message."""
    return encode(_with_id({'op': 'status', 'level': level, 'msg': text}, identity))


def service_response(service: str, values: Any, result: bool, identity: Any) -> bytes:
    """Return the answer to `call_service`; `values` is the response, or the reason as text when `result` is false."""
    return encode(_with_id({'op': 'service_response', 'service': service, 'values': values, 'result': result}, identity))


def action_feedback(action: str, values: Any, identity: Any) -> bytes:
    """Return feedback on a goal."""
    return encode(_with_id({'op': 'action_feedback', 'action': action, 'values': values}, identity))


def action_result(action: str, values: Any, code: int, result: bool, identity: Any) -> bytes:
    """Return the end of a goal; `code` is a status of action_msgs/msg/GoalStatus."""
    message = {'op': 'action_result', 'action': action, 'values': values, 'status': code, 'result': result}
    return encode(_with_id(message, identity))


def _with_id(message: dict[str, Any], identity: Any) -> dict[str, Any]:
    if identity is not None:
        message['id'] = identity
    return message


class Globs:
    """Names that clients may use, given as text such as `[/cell/job, '/cell/weighing/*']`; empty allows every name.

    The form is that of upstream's parameters topics_glob, services_glob and actions_glob.
    """

    def __init__(self, text: str) -> None:
        """Read the list."""
        self.patterns = [part for entry in text.strip()[1:-1].split(',') if (part := entry.strip().strip('\'"'))]

    def allows(self, name: str) -> bool:
        """Return whether a name may be used."""
        return not self.patterns or any(fnmatch.fnmatchcase(name, pattern) for pattern in self.patterns)

    def check(self, kind: str, name: str) -> None:
        """Check that a name may be used.

        Args:
            kind: topic, service or action, for the message.
            name: As the client writes it.

        Raises:
            ProtocolError: The name is not listed.
        """
        if not self.allows(name):
            raise ProtocolError(f"{kind} '{name}' is not allowed by this server's {kind}s_glob")
