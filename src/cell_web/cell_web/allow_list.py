"""Which rosbridge messages of a browser are passed on. Pure: decides, sends nothing.

rosbridge itself has no authentication, and an empty list there allows everything; so the decision is made here, for each
message, before rosbridge sees it. Operations of rosbridge protocol v2 that are not named below never pass: publishing,
advertising, fragments (a message in pieces could not be judged) and authentication.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from cell_web.roles import Role

STATUS_ABORTED = 6
"""action_msgs/GoalStatus: the goal was ended by the server."""
COMPRESSIONS = ('none', 'png')
_SUBSCRIBE_KEYS = {'op', 'id', 'type', 'topic', 'throttle_rate', 'queue_length', 'compression'}


@dataclass(frozen=True)
class Verdict:
    """What becomes of one message: exactly one of the two is set."""

    forward: str = ''
    """The message to pass on, written anew from what was judged so that no second reading of it can differ."""
    answer: str = ''
    """The answer to the browser when it is refused."""
    reason: str = ''
    """Why it is refused; "" when it is passed on."""


class AllowList:
    """Judges the messages of one browser session."""

    def __init__(self, role: Role, namespace: str) -> None:
        """Take the role and the cell's namespace, e.g. "/cell"."""
        prefix = '/' + namespace.strip('/') + '/' if namespace.strip('/') else '/'
        self._topics = {prefix + name for name in role.topics}
        self._services = {prefix + name for name in role.services}
        self._actions = {prefix + name for name in role.actions}
        self._role = role.name
        self._rules: Mapping[str, Callable[[dict[str, Any]], str]] = {
            'subscribe': self._subscribe,
            'unsubscribe': lambda message: self._named('topic', message, self._topics),
            'call_service': lambda message: self._named('service', message, self._services),
            'send_action_goal': lambda message: self._named('action', message, self._actions),
            'cancel_action_goal': lambda message: self._named('action', message, self._actions),
        }

    def judge(self, text: str | bytes) -> Verdict:
        """Judge one message as it came from the browser."""
        message, problem = _read(text)
        if message is None:
            return _refused({}, problem)
        operation = message.get('op')
        rule = self._rules.get(operation) if isinstance(operation, str) else None
        if rule is None:
            return _refused(message, f'operation {_shown(operation)} is not allowed here')
        problem = rule(message)
        return _refused(message, problem) if problem else Verdict(forward=_write(message))

    def _named(self, key: str, message: dict[str, Any], allowed: set[str]) -> str:
        name = message.get(key)
        if isinstance(name, str) and name in allowed:
            return ''
        return f'{key} {_shown(name)} is not allowed for role {self._role}'

    def _subscribe(self, message: dict[str, Any]) -> str:
        if message.get('compression', 'none') not in COMPRESSIONS:
            return f'compression {_shown(message.get("compression"))} is not offered here'
        if unknown := sorted(set(message) - _SUBSCRIBE_KEYS):
            return f'subscribe knows no {_shown(unknown[0])}'
        return self._named('topic', message, self._topics)


def _read(text: str | bytes) -> tuple[dict[str, Any] | None, str]:
    """Return the message, or None and what is wrong with it."""
    if not isinstance(text, str):
        return None, 'only text messages are taken'
    try:
        message = json.loads(text, parse_constant=_reject)
    except (ValueError, RecursionError):
        return None, 'the message is not JSON'
    return (message, '') if isinstance(message, dict) else (None, 'the message is not a JSON object')


def _reject(name: str) -> None:
    raise ValueError(name)


def _write(message: Mapping[str, Any]) -> str:
    return json.dumps(message, ensure_ascii=False, separators=(',', ':'))


def _shown(name: object) -> str:
    """Quote what a browser sent, cut to what fits a log line."""
    return json.dumps(str(name)[:80])


def _refused(message: Mapping[str, Any], reason: str) -> Verdict:
    """Answer in the form that the browser's client waits for, so that a call fails at once instead of timing out."""
    answer: dict[str, Any] = {'op': 'status', 'level': 'error', 'msg': reason}
    if isinstance(identity := message.get('id'), str):
        answer['id'] = identity
        if message.get('op') == 'call_service':
            answer = {
                'op': 'service_response',
                'id': identity,
                'service': str(message.get('service')),
                'values': reason,
                'result': False,
            }
        elif message.get('op') == 'send_action_goal':
            answer = {
                'op': 'action_result',
                'id': identity,
                'action': str(message.get('action')),
                'values': reason,
                'status': STATUS_ABORTED,
                'result': False,
            }
    return Verdict(answer=_write(answer), reason=reason)
