"""Message filter between browser and rosbridge: decides which messages are forwarded.

rosbridge has no authentication, and its empty allow list permits everything. Therefore each message is checked here first.
Operations of rosbridge protocol v2 that are not listed below are always rejected: publish, advertise, authentication, and
fragments (part of a message cannot be checked).
Pure: no ROS, sockets, files or clock.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from cell_web.roles import Role

STATUS_ABORTED = 6
"""action_msgs/GoalStatus: the server aborted the goal."""
LARGEST_NUMBER = 1e9
"""Of ids, times in milliseconds and lengths: a day has 8.6e7 milliseconds."""
COMPRESSIONS = ('none', 'png')
_SUBSCRIBE_KEYS = {'op', 'id', 'type', 'topic', 'throttle_rate', 'queue_length', 'compression'}
JsonObject = dict[str, object]


@dataclass(frozen=True)
class MessageDecision:
    """Result of checking one message; exactly one of `forward` and `answer` is set.

    Attributes:
        forward: Message to forward, serialized from the checked object: rosbridge cannot parse it
            differently.
        answer: Response to the browser for a rejected message, in the form that roslib expects.
        reason: Reason of the rejection; "" when the message is forwarded.
    """

    forward: str = ''
    answer: str = ''
    reason: str = ''


class AllowList:
    """Checks the messages of one browser session against a role.

    The list is closed: an operation, name or key that is not listed is rejected. Message contents
    are not checked here, since each node validates its own requests.
    """

    def __init__(self, role: Role, namespace: str, origin: str = '', operator_id: str = '') -> None:
        """Resolve the names of the role in the cell's namespace.

        Args:
            role: Topics, services and actions, relative to the namespace.
            namespace: Namespace of the cell, e.g. "/cell"; "" or "/" = none.
            origin: Address of the browser, written into each command for the audit.
            operator_id: Operator who has logged in; "" = the page's own entry stays.
        """
        prefix = '/' + namespace.strip('/') + '/' if namespace.strip('/') else '/'
        self._topics = {prefix + name for name in role.topics}
        self._services = {prefix + name for name in role.services}
        self._actions = {prefix + name for name in role.actions}
        self._role = role.name
        self._stamp = {'role': role.name, 'origin': origin} | ({'operator_id': operator_id} if operator_id else {})
        self._rules: Mapping[str, Callable[[JsonObject], str]] = {
            'subscribe': self._check_subscribe,
            'unsubscribe': lambda message: self._require_allowed('topic', message, self._topics),
            'call_service': lambda message: self._check_command('service', message, self._services),
            'send_action_goal': lambda message: self._check_command('action', message, self._actions),
            'cancel_action_goal': lambda message: self._require_allowed('action', message, self._actions),
        }

    def judge(self, text: str | bytes) -> MessageDecision:
        """Check one message from the browser.

        Args:
            text: Message as received; binary ones are always rejected.

        Returns:
            The message to forward, or the response to send back. Never raises: every input has a
            decision.
        """
        message, reason = _parse(text)
        if message is None:
            return _rejected({}, reason)
        operation = message.get('op')
        rule = self._rules.get(operation) if isinstance(operation, str) else None
        if rule is None:
            return _rejected(message, f'operation {_quote(operation)} is not allowed')
        reason = _check_scalars(message) or rule(message)
        return _rejected(message, reason) if reason else MessageDecision(forward=_serialize(message))

    def _require_allowed(self, key: str, message: JsonObject, allowed: set[str]) -> str:
        name = message.get(key)
        if isinstance(name, str) and name in allowed:
            return ''
        return f'{key} {_quote(name)} is not allowed for role {self._role}'

    def _check_command(self, key: str, message: JsonObject, allowed: set[str]) -> str:
        """Check a request, and write into its command who has sent it: a browser may not choose its role."""
        if reason := self._require_allowed(key, message, allowed):
            return reason
        arguments = message.get('args') or {}
        if not isinstance(arguments, dict):
            # rosbridge takes a list as the fields in their order: the command would pass unseen.
            return f'{key}: args must be an object'
        if isinstance(arguments.get('command'), dict):
            arguments['command'].update(self._stamp)
        return ''

    def _check_subscribe(self, message: JsonObject) -> str:
        if message.get('compression', 'none') not in COMPRESSIONS:
            return f'compression {_quote(message.get("compression"))} is not supported'
        # A key that is added by a later rosbridge may have any effect, so it is refused until
        # its effect is known.
        if unknown := sorted(set(message) - _SUBSCRIBE_KEYS):
            return f'subscribe: unknown key {_quote(unknown[0])}'
        return self._require_allowed('topic', message, self._topics)


def _parse(text: str | bytes) -> tuple[JsonObject | None, str]:
    """Return the message, or None and the error."""
    if not isinstance(text, str):
        return None, 'binary messages are not supported'
    try:
        # Python's parser accepts NaN and Infinity, which JSON does not have. RecursionError: deeply
        # nested input.
        message = json.loads(text, parse_constant=_reject_constant)
    except (ValueError, RecursionError):
        return None, 'the message is not valid JSON'
    return (message, '') if isinstance(message, dict) else (None, 'the message is not a JSON object')


def _check_scalars(message: JsonObject) -> str:
    """Return what is wrong with the id or a number of a message; "" = nothing.

    rosbridge uses the id as a key and its numbers as times and lengths. An unhashable id or an endless number ends the session
    there, with all its subscriptions.
    """
    identity = message.get('id')
    if identity is not None and not _is_identity(identity):
        return f'id {_quote(identity)} must be text or a number'
    for key, value in message.items():
        # Without isfinite: an integer of 400 digits does not fit into a float.
        if isinstance(value, (int, float)) and not -LARGEST_NUMBER <= value <= LARGEST_NUMBER:
            return f'{key} {_quote(value)} is out of range'
    return ''


def _is_identity(value: object) -> bool:
    return isinstance(value, str) or (
        isinstance(value, (int, float)) and not isinstance(value, bool) and -LARGEST_NUMBER <= value <= LARGEST_NUMBER
    )


def _reject_constant(name: str) -> None:
    """Refuse NaN and Infinity, which Python's JSON parser accepts and rosbridge would pass on.

    Raises:
        ValueError: Always.
    """
    raise ValueError(name)


def _serialize(message: Mapping[str, object]) -> str:
    return json.dumps(message, ensure_ascii=False, separators=(',', ':'))


def _quote(name: object) -> str:
    """Quote input from a browser for a log line, at most 80 characters of it."""
    return json.dumps(str(name)[:80])


def _rejected(message: Mapping[str, object], reason: str) -> MessageDecision:
    """Build the response that roslib expects, so that the call fails immediately instead of timing out."""
    answer: JsonObject = {'op': 'status', 'level': 'error', 'msg': reason}
    if message.get('op') == 'call_service':
        answer = {'op': 'service_response', 'service': str(message.get('service')), 'values': reason, 'result': False}
    elif message.get('op') == 'send_action_goal':
        answer = {
            'op': 'action_result',
            'action': str(message.get('action')),
            'values': reason,
            'status': STATUS_ABORTED,
            'result': False,
        }
    if message.get('id') is not None and _is_identity(message['id']):
        answer['id'] = message['id']
    return MessageDecision(answer=_serialize(answer), reason=reason)
