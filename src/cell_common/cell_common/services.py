"""Services and actions of the cell: the one module through which requests reach a node.

Every node creates its services and action servers here; a house rule checks it. No request ends a node:

- a value outside `request_limits` is answered with INVALID_ARGUMENT, before the callback;
- an exception of the callback is answered with INTERNAL and an id, and logged once under that id with its cause;
- requests wait in a queue whose depth is a parameter. With the default of ROS, 10, the eleventh is dropped without an answer.
"""

from __future__ import annotations

import inspect
import traceback
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar, cast

from rclpy.action.server import ActionServer, CancelResponse, GoalResponse, ServerGoalHandle
from rclpy.callback_groups import CallbackGroup, ReentrantCallbackGroup
from rclpy.client import Client
from rclpy.node import Node
from rclpy.qos import DurabilityPolicy, HistoryPolicy, QoSProfile, ReliabilityPolicy
from rclpy.service import Service
from rclpy.service_introspection import ServiceIntrospectionState

from cell_common.error_code import ErrorCode
from cell_common.ids import new_id
from cell_common.parameters import declare_parameters, parameter
from cell_common.qos import events
from cell_common.request_limits import MessageLike, request_error, storable

if TYPE_CHECKING:
    # Imports SQLAlchemy, 18 MB in each process: a node without commands does not need it.
    from cell_common.command_log import Answer, CommandLog, CommandMessage

__all__ = [
    'ActionCallbacks',
    'ServiceParameters',
    'create_action_server',
    'create_client',
    'create_service',
    'guard_services',
    'internal_error',
    'publish_events',
]

RequestT = TypeVar('RequestT')
ResponseT = TypeVar('ResponseT')
ResultT = TypeVar('ResultT')
Callback = Callable[[Any, Any], Any]
# The default of rclpy is 10: the eleventh request at once would be dropped without an answer.
QUEUE_DEPTH = 1000
RESULT_TIMEOUT_S = 900
"""ROS' default: how long the result of an action can be queried."""
_GUARDED = 'cell_guarded'


@dataclass(frozen=True)
class ServiceParameters:
    """Parameters of every node with services."""

    service_queue_depth: int = parameter(
        QUEUE_DEPTH,
        'Requests that wait for each service; a further one is dropped, and its caller learns so from its timeout.',
        minimum=10,
        maximum=10_000,
    )


@dataclass(frozen=True)
class ActionCallbacks:
    """Optional callbacks of an action server; as in rclpy's ActionServer."""

    goal: Callable[[Any], GoalResponse] | None = None
    accepted: Callable[[ServerGoalHandle], None] | None = None
    cancel: Callable[[ServerGoalHandle], CancelResponse] | None = None
    commands: CommandLog | None = None
    """Audits goals and cancellations, and answers a repeated request id with its first result."""


def create_service(
    node: Node,
    kind: type,
    name: str,
    callback: Callable[[RequestT, ResponseT], ResponseT | Awaitable[ResponseT]],
    callback_group: CallbackGroup | None = None,
    commands: CommandLog | None = None,
    *,
    repeatable: bool = False,
) -> Service:
    """Create a service whose callback cannot end the node.

    Args:
        node: The node.
        kind: Service type.
        name: Name of the service, relative to the node's namespace.
        callback: Function or coroutine function of request and response; returns the response.
        callback_group: As in rclpy; with `commands` it must be reentrant, and is by default.
        commands: Audits the requests, which carry a CommandInfo, and answers a repeated request id with its first answer.
        repeatable: A repeated request is executed again, as a stop must be.
    """
    guarded = _guarded(node, name, callback)
    if commands is not None and hasattr(kind.Request(), 'command'):  # type: ignore[attr-defined]
        guarded = _logged(node, name, guarded, commands, repeatable=repeatable)
        # It awaits the database, whose answer arrives in the node's own group: in that group it would wait for itself.
        callback_group = callback_group or ReentrantCallbackGroup()
    service = node.create_service(kind, name, guarded, qos_profile=_queue_profile(node), callback_group=callback_group)
    return publish_events(node, service) if commands is not None else service


def publish_events(node: Node, service: Service) -> Service:
    """Publish each request of a service and its answer on `<name>/_service_event`, so that a recording can be replayed.

    It is the service introspection of ROS 2: `ros2 bag record` and `ros2 service echo` know these topics. Services with a
    command log do it always.

    Returns:
        The service.
    """
    service.configure_introspection(node.get_clock(), events(), ServiceIntrospectionState.CONTENTS)
    return service


def create_client(node: Node, kind: type, name: str, callback_group: CallbackGroup | None = None) -> Client:
    """Create a client whose queue takes the answers to many calls at once.

    Args:
        node: The node.
        kind: Service type.
        name: Name of the service, relative to the node's namespace.
        callback_group: As in rclpy.
    """
    return node.create_client(kind, name, qos_profile=_queue_profile(node), callback_group=callback_group)


def create_action_server(
    node: Node,
    kind: type,
    name: str,
    execute: Callable[[ServerGoalHandle], ResultT | Awaitable[ResultT]],
    callbacks: ActionCallbacks,
    callback_group: CallbackGroup | None = None,
    result_timeout: int = RESULT_TIMEOUT_S,
) -> ActionServer:
    """Create an action server whose callbacks cannot end the node.

    Args:
        node: The node.
        kind: Action type.
        name: Name of the action, relative to the node's namespace.
        execute: Executes a goal and returns its result; a goal outside the limits is aborted before.
        callbacks: The other callbacks.
        callback_group: As in rclpy.
        result_timeout: Seconds for which a result can be queried.
    """
    options: dict[str, Callable[..., object]] = {}

    async def execute_guarded(goal: ServerGoalHandle) -> ResultT:
        error = request_error(goal.request)
        if not error:
            try:
                result = execute(goal)
                return _encodable(await result if inspect.isawaitable(result) else result)
            except Exception as failure:
                code, message = ErrorCode.INTERNAL, internal_error(node, name, failure)
        else:
            code, message = ErrorCode.INVALID_ARGUMENT, error
        if goal.is_active:
            goal.abort()
        return cast('ResultT', _with_error(kind.Result(), code, message))  # type: ignore[attr-defined]

    async def run(goal: ServerGoalHandle) -> ResultT:
        if callbacks.commands is None:
            return await execute_guarded(goal)
        result_type = kind.Result  # type: ignore[attr-defined]
        result, executed = await callbacks.commands.execute(name, goal.request, result_type, lambda: execute_guarded(goal))
        if not executed:
            (goal.succeed if result.code == ErrorCode.OK else goal.abort)()
        return cast('ResultT', result)

    if callbacks.goal is not None:
        options['goal_callback'] = _or_else(node, name, callbacks.goal, GoalResponse.REJECT)
    if callbacks.cancel is not None:
        options['cancel_callback'] = _or_else(node, name, _canceling(name, callbacks), CancelResponse.REJECT)
    if callbacks.accepted is not None:
        options['handle_accepted_callback'] = _accepted(node, name, callbacks.accepted)
    profile = _queue_profile(node)
    return ActionServer(
        node,
        kind,
        name,
        run,
        callback_group=callback_group,
        result_timeout=result_timeout,
        goal_service_qos_profile=profile,
        result_service_qos_profile=profile,
        cancel_service_qos_profile=profile,
        **options,
    )


def guard_services(node: Node) -> None:
    """Guard the services that rclpy itself gave the node: its parameters and type descriptions."""
    for service in node.services:
        if not hasattr(service.callback, _GUARDED):
            service.callback = _guarded(node, service.srv_name, service.callback)


def internal_error(node: Node, name: str, error: Exception) -> str:
    """Log a defect under a new id, and return the message for the caller, which names the id.

    Args:
        node: The node whose log takes the cause.
        name: Name of the service or action.
        error: The exception, while it is handled.
    """
    error_id = new_id()
    trace = ''.join(traceback.format_exception(error))
    node.get_logger().error(f'{name}: internal error {error_id}: {storable(trace)}')
    return f'internal error {error_id}: nothing more is known to the caller; the log of node {node.get_name()} has the cause'


def _queue_profile(node: Node) -> QoSProfile:
    if node.has_parameter('service_queue_depth'):
        depth = int(node.get_parameter('service_queue_depth').value)
    else:
        depth = declare_parameters(node, ServiceParameters).service_queue_depth
    return QoSProfile(
        history=HistoryPolicy.KEEP_LAST,
        depth=depth,
        reliability=ReliabilityPolicy.RELIABLE,
        durability=DurabilityPolicy.VOLATILE,
    )


def _guarded(node: Node, name: str, callback: Callback) -> Callback:
    async def handle(request: MessageLike, response: object) -> object:
        try:
            if error := request_error(request):
                return _with_error(response, ErrorCode.INVALID_ARGUMENT, error)
            result = callback(request, response)
            answered = await result if inspect.isawaitable(result) else result
        except Exception as failure:
            return _with_error(type(response)(), ErrorCode.INTERNAL, internal_error(node, name, failure))
        return _encodable(answered)

    setattr(handle, _GUARDED, True)
    return handle


def _logged(node: Node, name: str, guarded: Callback, commands: CommandLog, *, repeatable: bool) -> Callback:
    async def handle(request: CommandMessage, response: Answer) -> object:
        try:
            if repeatable:
                answered = await guarded(request, response)
                commands.record(name, request, answered.code, answered.message)
                return answered
            return (await commands.execute(name, request, type(response), lambda: guarded(request, response)))[0]
        except Exception as failure:
            return _with_error(type(response)(), ErrorCode.INTERNAL, internal_error(node, name, failure))

    setattr(handle, _GUARDED, True)
    return handle


def _canceling(name: str, callbacks: ActionCallbacks) -> Callable[[ServerGoalHandle], CancelResponse]:
    """Return a callback that cancels a goal and audits that."""

    def cancel(goal: ServerGoalHandle) -> CancelResponse:
        answer = callbacks.cancel(goal) if callbacks.cancel is not None else CancelResponse.REJECT
        if callbacks.commands is not None:
            accepted = answer == CancelResponse.ACCEPT
            code = ErrorCode.OK if accepted else ErrorCode.WRONG_STATE
            callbacks.commands.record(f'{name}/cancel', goal.request, code, 'canceled' if accepted else 'not canceled')
        return answer

    return cancel


def _with_error(response: ResponseT, code: ErrorCode, message: str) -> ResponseT:
    """Fill in the fields for an error that the response has; services of ROS itself have others than the cell's."""
    for field, value in (('code', int(code)), ('success', False), ('message', storable(message))):
        if hasattr(response, field):
            setattr(response, field, value)
    return response


def _encodable(answer: ResponseT) -> ResponseT:
    """Return an answer that can be sent: a lone surrogate in its message, as of a file's name, would end the executor."""
    if isinstance(text := getattr(answer, 'message', None), str):
        answer.message = storable(text)  # type: ignore[attr-defined]
    return answer


def _or_else(
    node: Node, name: str, callback: Callable[[RequestT], ResultT], otherwise: ResultT
) -> Callable[[RequestT], ResultT]:
    def handle(argument: RequestT) -> ResultT:
        try:
            return callback(argument)
        except Exception as failure:
            internal_error(node, name, failure)
            return otherwise

    return handle


def _accepted(node: Node, name: str, callback: Callable[[ServerGoalHandle], None]) -> Callable[[ServerGoalHandle], None]:
    def handle(goal: ServerGoalHandle) -> None:
        try:
            if not request_error(goal.request):
                callback(goal)
                return
        except Exception as failure:
            internal_error(node, name, failure)
        goal.execute()

    return handle
