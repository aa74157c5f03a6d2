"""One client: its requests, and the operations of the protocol."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Coroutine
from typing import Any

from rclpy.impl.implementation_singleton import rclpy_implementation

from rosbridge_server import protocol
from rosbridge_server.calls import GoalRefused
from rosbridge_server.message_conversion import FieldError
from rosbridge_server.outbox import Outbox
from rosbridge_server.protocol import LEVELS, ProtocolError
from rosbridge_server.publications import QUEUE_SIZE
from rosbridge_server.session_state import Bridge, Goal, Subscribed
from rosbridge_server.subscriptions import Feed

log = logging.getLogger(__name__)
RCLError: type[Exception] = rclpy_implementation.RCLError
TELL_EVERY_S = 1.0
NOT_COVERED = (
    'advertise_service',
    'unadvertise_service',
    'service_response',
    'advertise_action',
    'unadvertise_action',
    'action_feedback',
    'action_result',
    'fragment',
    'png',
    'auth',
)


class Session:
    """The state of one connection; all of it lives in the server's event loop.

    Messages of a client are handled one after another, so `publish` after `advertise` finds the publisher. Calls and goals run
    as tasks, since they may take long.

    Attributes:
        outbox: Messages to send.
        wake: Set when something is to be sent.
        overflow: Set when the client is too far behind.
    """

    def __init__(self, bridge: Bridge, clock: Callable[[], float]) -> None:
        """Create the session of a new connection.

        Args:
            bridge: Shared by all sessions.
            clock: Monotonic time in seconds.
        """
        self.outbox = Outbox(bridge.backlog_limit)
        self.wake = asyncio.Event()  # something is to be sent
        self.overflow = asyncio.Event()  # the client is too far behind
        self._bridge = bridge
        self._clock = clock
        self._level = LEVELS['error']
        self._subscribed: dict[str, Subscribed] = {}
        self._advertised: set[str] = set()
        self._goals: dict[Any, Goal] = {}
        self._reported: set[tuple[str, int]] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._operations: dict[str, Callable[[dict[str, Any]], Coroutine[Any, Any, None]]] = {
            'subscribe': self._subscribe,
            'unsubscribe': self._unsubscribe,
            'advertise': self._advertise,
            'unadvertise': self._unadvertise,
            'publish': self._publish,
            'call_service': self._call_service,
            'send_action_goal': self._send_goal,
            'cancel_action_goal': self._cancel_goal,
            'set_level': self._set_level,
        }

    async def handle(self, text: str) -> None:
        """Execute one message of the client; an error becomes a status message.

        Args:
            text: As received.
        """
        try:
            message = protocol.decode(text)
        except ProtocolError as problem:
            self.status(problem.level, str(problem))
            return
        try:
            protocol.check_id(message)
            await self._operation(message['op'])(message)
        except ProtocolError as problem:
            self._refuse(message, str(problem), problem.level)
        except (FieldError, RCLError) as problem:
            self._refuse(message, f'{message["op"]}: {problem}')
        except Exception as problem:
            self._refuse(message, self._internal(message['op'], problem))

    def status(self, level: str, text: str, identity: Any = None) -> None:
        """Send a status message if the client wants to see its level.

        Args:
            level: A key of LEVELS.
            text: For the client.
            identity: Field `id` of the message that caused it; None = none.
        """
        if LEVELS[level] >= self._level:
            self._answer(protocol.status(level, text, identity))

    def deliver(self, feed: Feed, message: Any) -> None:
        """Queue a message of a subscribed topic.

        Args:
            feed: Its feed; one that the client has left is ignored.
            message: ROS message, encoded only if the lane wants it.
        """
        subscribed = self._subscribed.get(feed.topic)
        now_s = self._clock()
        if subscribed is None or subscribed.feed not in (feed, None) or not subscribed.lane.wants(now_s):
            return
        self.outbox.put(subscribed.lane, feed.payload(message), now_s)
        if subscribed.lane.dropped and now_s - subscribed.notified_s > TELL_EVERY_S:
            self._tell_dropped(feed.topic, subscribed, now_s)
        self._notify()

    def close(self) -> None:
        """Release all subscriptions and publishers of the client; running goals are not canceled.

        A page that was reloaded must not stop a robot by that.
        """
        for task in self._tasks:
            task.cancel()
        for subscribed in self._subscribed.values():
            self._leave(subscribed)
        self._subscribed.clear()
        for topic in self._advertised:
            self._release(topic)
        self._advertised.clear()

    def _tell_dropped(self, topic: str, subscribed: Subscribed, now_s: float) -> None:
        """Tell the client that it missed messages; whatever level of status it wants, unless it wants none."""
        text = f'{subscribed.lane.dropped} messages of {topic} were dropped: this client reads too slowly for it'
        subscribed.lane.dropped, subscribed.notified_s = 0, now_s
        if self._level < LEVELS['none']:
            self._answer(protocol.status('warning', text))

    def _refuse(self, message: dict[str, Any], reason: str, level: str = 'error') -> None:
        """Answer a message that is not carried out: with a status, and with the response that a call or goal waits for."""
        self.status(level, reason, protocol.identity_of(message))
        response = protocol.refusal(message, reason)
        if response is not None:
            self._answer(response)

    def _internal(self, operation: str, problem: Exception) -> str:
        """Return the text for the client about an error of this server, and log the error.

        Each place in the code is logged once for each client, which may repeat its message for ever.
        """
        trace = problem.__traceback__
        while trace is not None and trace.tb_next is not None:
            trace = trace.tb_next
        place = (type(problem).__name__, trace.tb_lineno if trace else 0)
        if place not in self._reported:
            self._reported.add(place)
            log.error('operation %s failed', operation, exc_info=problem)
        return f'{operation}: internal error {type(problem).__name__}; see the log of rosbridge_websocket'

    def _operation(self, name: str) -> Callable[[dict[str, Any]], Coroutine[Any, Any, None]]:
        """Return the handler of an operation of rosbridge's protocol.

        Raises:
            ProtocolError: The operation is unknown, or is one that this server leaves out.
        """
        operation = self._operations.get(name)
        if operation is not None:
            return operation
        if name in NOT_COVERED:
            raise ProtocolError(f"Operation '{name}' is not supported by this server")
        raise ProtocolError(f'Unknown operation: {name}. Allowed operations: {list(self._operations)}')

    def _answer(self, payload: bytes) -> None:
        self.outbox.answer(payload, self._clock())
        self._notify()

    def _notify(self) -> None:
        self.wake.set()
        if self.outbox.full:
            self.overflow.set()

    def _start(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    # topics

    async def _subscribe(self, message: dict[str, Any]) -> None:
        """Subscribe the client to a topic, or add a further subscription with another id to it.

        Fields: topic, type (that of the graph if absent), throttle_rate (milliseconds), queue_length (messages), id.

        Raises:
            ProtocolError: A field is wrong, the topic is not allowed, or the type is not that of the topic.
        """
        topic = protocol.field(message, 'topic', str)
        kind = protocol.field(message, 'type', str, None)
        interval_s = protocol.number(message, 'throttle_rate', 0, protocol.LONGEST_S * 1000.0) / 1000.0
        queue_length = int(protocol.number(message, 'queue_length', 0, protocol.LONGEST_QUEUE))
        _refuse_compression(message)
        self._bridge.topics.check('topic', topic)
        identity = message.get('id')
        subscribed = self._subscribed.get(topic)
        if subscribed is not None and kind is not None and subscribed.feed is not None:
            subscribed.feed.check_type(kind)
        fresh = subscribed is None
        subscribed = subscribed or Subscribed(kind)
        subscribed.requested[identity] = (interval_s, queue_length)
        subscribed.combine()
        if fresh:
            await self._join(topic, subscribed)
        self.status('info', f'Subscribed to {topic}', identity)

    async def _join(self, topic: str, subscribed: Subscribed) -> None:
        """Subscribe to a topic; registered here before, because a latched message may arrive immediately."""
        self._subscribed[topic] = subscribed
        try:
            subscribed.feed = await self._bridge.ros.run(self._bridge.subscriptions.join, topic, subscribed.kind, self)
        except BaseException:
            del self._subscribed[topic]
            raise

    async def _unsubscribe(self, message: dict[str, Any]) -> None:
        """End the subscription with an id, or all subscriptions of the topic without one; a warning if there is none."""
        topic = protocol.field(message, 'topic', str)
        identity = message.get('id')
        subscribed = self._subscribed.get(topic)
        if subscribed is None:
            raise ProtocolError(f'Not subscribed to {topic}', 'warning')
        if identity is None:
            subscribed.requested.clear()
        else:
            subscribed.requested.pop(identity, None)
        if subscribed.requested:
            subscribed.combine()
            return
        del self._subscribed[topic]
        self.outbox.forget(subscribed.lane)
        self._leave(subscribed)

    def _leave(self, subscribed: Subscribed) -> None:
        feed = subscribed.feed
        if feed is not None:
            self._bridge.ros.post(lambda: self._bridge.subscriptions.leave(feed, self))

    async def _advertise(self, message: dict[str, Any]) -> None:
        """Create a publisher for the client; clients that advertise the same topic share it.

        Fields: topic, type, latch (keep the last message for late subscribers), queue_size (messages).

        Raises:
            ProtocolError: A field is wrong, the topic is not allowed, or has another type.
        """
        topic = protocol.field(message, 'topic', str)
        kind = protocol.field(message, 'type', str)
        latch = protocol.field(message, 'latch', bool, False)
        queue_size = int(protocol.number(message, 'queue_size', QUEUE_SIZE, protocol.LONGEST_QUEUE))
        self._bridge.topics.check('topic', topic)
        await self._bridge.ros.run(self._bridge.publications.advertise, topic, kind, self, latch, queue_size)
        self._advertised.add(topic)
        self.status('info', f'Advertised {topic}', message.get('id'))

    async def _unadvertise(self, message: dict[str, Any]) -> None:
        topic = protocol.field(message, 'topic', str)
        if topic not in self._advertised:
            raise ProtocolError(f'{topic} was not advertised by this client', 'warning')
        self._advertised.discard(topic)
        self._release(topic)

    def _release(self, topic: str) -> None:
        """Stop advertising a topic; its publisher is removed later, if no client has advertised it again by then."""
        publications, ros = self._bridge.publications, self._bridge.ros
        ros.post(lambda: publications.release(topic, self))
        asyncio.get_running_loop().call_later(
            self._bridge.unregister_timeout_s, ros.post, lambda: publications.remove_unused(topic)
        )

    async def _publish(self, message: dict[str, Any]) -> None:
        """Publish a message; a topic that was not advertised is advertised first with the type that the graph knows.

        Raises:
            ProtocolError: The topic is not allowed, or its type is unknown.
            FieldError: A field of the message does not fit.
        """
        topic = protocol.field(message, 'topic', str)
        self._bridge.topics.check('topic', topic)
        publication = self._bridge.publications.held(topic, self)
        if publication is None:
            publication = await self._bridge.ros.run(self._bridge.publications.advertise, topic, None, self)
            self._advertised.add(topic)
        self._bridge.publications.publish(publication, message.get('msg'))

    # services and actions

    async def _call_service(self, message: dict[str, Any]) -> None:
        service = protocol.field(message, 'service', str)
        timeout_s = protocol.number(message, 'timeout', self._bridge.call_timeout_s, protocol.LONGEST_S)
        _refuse_compression(message)
        self._start(self._await_response(service, message.get('args'), timeout_s, message.get('id')))

    async def _await_response(self, service: str, arguments: Any, timeout_s: float, identity: Any) -> None:
        """Call a service and answer with its response, or with `result: false` and the reason.

        The arguments are the request's fields as an object or a list, None for an empty request; the id is that of the call.
        """
        try:
            self._bridge.services.check('service', service)
            values: Any = await self._bridge.callers.call(service, arguments, timeout_s)
            response = protocol.service_response(service, values, True, identity)
        except (ProtocolError, FieldError, RCLError) as problem:
            response = protocol.service_response(service, str(problem), False, identity)
        except Exception as problem:
            response = protocol.service_response(service, self._internal('call_service', problem), False, identity)
        self._answer(response)

    async def _send_goal(self, message: dict[str, Any]) -> None:
        """Send a goal; its result follows when the action ends.

        Fields: action, action_type, args, feedback (whether the client receives it), id.

        Raises:
            ProtocolError: A field is wrong, or a goal with this id is in progress.
        """
        action = protocol.field(message, 'action', str)
        kind = protocol.field(message, 'action_type', str)
        feedback = protocol.field(message, 'feedback', bool, False)
        identity = message.get('id')
        _refuse_compression(message)
        if identity is not None and identity in self._goals:
            raise ProtocolError(f"A goal with id '{identity}' is in progress")
        goal = self._goals[identity] = Goal(action)
        self._start(self._follow_goal(goal, kind, message.get('args'), feedback, identity))

    async def _follow_goal(self, goal: Goal, kind: str, arguments: Any, feedback: bool, identity: Any) -> None:
        """Send a goal, pass its feedback on, and answer with the result, or with `result: false` and the reason.

        A goal that the client cancels before it is accepted is canceled afterwards.
        """

        def on_feedback(values: dict[str, Any]) -> None:
            self._answer(protocol.action_feedback(goal.action, values, identity))

        callers = self._bridge.callers
        try:
            self._bridge.actions.check('action', goal.action)
            goal.handle = await callers.send_goal(goal.action, kind, arguments, on_feedback if feedback else None)
            if goal.cancelled:
                await callers.cancel(goal.handle)
            values, code = await callers.result(goal.handle)
            answer = protocol.action_result(goal.action, values, code, True, identity)
        except (ProtocolError, FieldError, GoalRefused, RCLError) as problem:
            answer = protocol.action_result(goal.action, str(problem), protocol.STATUS_UNKNOWN, False, identity)
        except Exception as problem:
            reason = self._internal('send_action_goal', problem)
            answer = protocol.action_result(goal.action, reason, protocol.STATUS_UNKNOWN, False, identity)
        finally:
            self._goals.pop(identity, None)
        self._answer(answer)

    async def _cancel_goal(self, message: dict[str, Any]) -> None:
        """Cancel the goal with the client's id; its result then says how it ended.

        Raises:
            ProtocolError: No goal with this id is in progress on the action; a warning.
        """
        action = protocol.field(message, 'action', str)
        goal = self._goals.get(message.get('id'))
        if goal is None or goal.action != action:
            raise ProtocolError(f"No goal with id '{message.get('id')}' is in progress on {action}", 'warning')
        goal.cancelled = True
        if goal.handle is not None:
            self._start(self._bridge.callers.cancel(goal.handle))

    async def _set_level(self, message: dict[str, Any]) -> None:
        level = protocol.field(message, 'level', str)
        if level in LEVELS:  # "If a bad string is specified, the message is dropped."
            self._level = LEVELS[level]


def _refuse_compression(message: dict[str, Any]) -> None:
    """Check that no compression is requested.

    Raises:
        ProtocolError: It is another one than "none".
    """
    compression = protocol.field(message, 'compression', str, 'none')
    if compression != 'none':
        raise ProtocolError(f"{message['op']}: compression '{compression}' is not supported by this server, use 'none'")
