"""Services of the robot node for teaching, and for facts about the arm."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from importlib.metadata import version
from typing import TypeVar

from cell_common.command_log import CommandLog
from cell_common.commands import expiry_error
from cell_common.error_code import ErrorCode
from cell_common.inbox import ExecutorQueue
from cell_common.services import create_service
from cell_common.time import now_ns
from cell_common.yaml_model import YamlError
from rclpy.callback_groups import ReentrantCallbackGroup
from rclpy.node import Node
from rclpy.task import Future as RosFuture

from cell_interfaces.msg import PreflightCheck, TaughtPlace
from cell_interfaces.srv import GetPlaces, GetRobotDetails, SetFreedrive, TeachPlace
from cell_robot.backends.base import Backend, CommandResult, TeachError, Teaching
from cell_robot.motion.recipe import CellRecipe
from cell_robot.teaching.recipe_store import StoreError
from cell_robot.teaching.recipe_text import Place
from cell_robot.teaching.teacher import Teacher, TeachResult

T = TypeVar('T')
SHORTEST_S, LONGEST_S = 1.0, 600.0
KINEMATICS = {
    None: GetRobotDetails.Response.KINEMATICS_UNKNOWN,
    True: GetRobotDetails.Response.KINEMATICS_AGREE,
    False: GetRobotDetails.Response.KINEMATICS_DIFFER,
}


async def wait_in_executor(node: Node, queue: ExecutorQueue[Callable[[], None]], future: Future[T]) -> T:
    """Await a future of another thread in a node's executor.

    rclpy's futures may be completed in the executor's thread only, hence the queue.

    Args:
        node: Node of the executor.
        queue: Executes functions in the executor's thread.
        future: Future of the other thread.
    """
    waiting = RosFuture(executor=node.executor)
    future.add_done_callback(lambda _: queue.put(lambda: waiting.set_result(None)))
    await waiting
    return future.result()


class TeachingServices:
    """robot/teaching/get, take and freedrive, and robot/get_details."""

    def __init__(
        self,
        node: Node,
        backend: Backend,
        recipe_file: str,
        commands: CommandLog | None,
        on_recipe: Callable[[CellRecipe], None],
    ) -> None:
        """Create the services.

        Args:
            node: Robot node.
            backend: Its backend; it may be without teaching.
            recipe_file: Path of the recipe; "" = none.
            commands: Audits the commands.
            on_recipe: Called in the executor's thread with each new recipe.
        """
        self._node, self._backend, self._recipe_file, self._on_recipe = node, backend, recipe_file, on_recipe
        self._teacher: Teacher | None = None
        self._queue: ExecutorQueue[Callable[[], None]] = ExecutorQueue(node, lambda work: work())
        # One worker: two requests never write the recipe at once. Inverse kinematics must not stop the executor.
        self._worker = ThreadPoolExecutor(1, thread_name_prefix='teaching')
        group = ReentrantCallbackGroup()
        create_service(node, GetPlaces, 'robot/teaching/get', self._on_get, group)
        create_service(node, TeachPlace, 'robot/teaching/take', self._on_take, group, commands)
        create_service(node, SetFreedrive, 'robot/teaching/freedrive', self._on_freedrive, group, commands, repeatable=True)
        create_service(node, GetRobotDetails, 'robot/get_details', self._on_details, group)

    def close(self) -> None:
        """End the worker."""
        self._worker.shutdown(wait=False, cancel_futures=True)

    @property
    def _unsupported(self) -> str:
        return f'Backend {self._backend.name} knows no arm: the waypoints are in the program on the pendant.'

    def _teaching(self) -> Teaching | None:
        return self._backend.teaching if self._recipe_file else None

    async def _on_get(self, _request: GetPlaces.Request, response: GetPlaces.Response) -> GetPlaces.Response:
        teaching = self._teaching()
        if teaching is None:
            response.code, response.message = ErrorCode.NOT_SUPPORTED, self._unsupported
            return response
        try:
            places = await self._run(lambda: self._open().places())
        except (StoreError, YamlError) as error:
            response.code, response.message = ErrorCode.STORAGE_FAILED, str(error)
            return response
        response.places = [place_message(place) for place in places]
        response.recipe_file, response.freedrive = self._recipe_file, teaching.freedrive
        return response

    async def _on_take(self, request: TeachPlace.Request, response: TeachPlace.Response) -> TeachPlace.Response:
        result = await self._take(request)
        response.code, response.message = result.code, result.message
        response.checks = [
            PreflightCheck(name=finding.name, ok=finding.ok, message=finding.message) for finding in result.findings
        ]
        response.taught = place_message(result.place) if result.place is not None else TaughtPlace()
        response.former_version = str(result.former or '')
        return response

    async def _take(self, request: TeachPlace.Request) -> TeachResult:
        teaching = self._teaching()
        if teaching is None:
            return TeachResult(ErrorCode.NOT_SUPPORTED, self._unsupported)
        if error := expiry_error(request.command, now_ns(self._node)):
            return TeachResult(ErrorCode.EXPIRED, error)
        try:
            reading = teaching.reading()
            result = await self._run(lambda: self._open().take(request.place, reading, check_only=request.check_only))
        except TeachError as error:
            return TeachResult(ErrorCode.NOT_READY, str(error))
        except (StoreError, YamlError) as error:
            return TeachResult(ErrorCode.STORAGE_FAILED, str(error))
        if result.recipe is not None:
            self._node.get_logger().info(f'{result.message} Former version: {result.former}')
            teaching.use_recipe(result.recipe)
            self._on_recipe(result.recipe)
        return result

    async def _on_freedrive(self, request: SetFreedrive.Request, response: SetFreedrive.Response) -> SetFreedrive.Response:
        result = await self._freedrive(request)
        response.code, response.message = result.code, result.message
        return response

    async def _freedrive(self, request: SetFreedrive.Request) -> CommandResult:
        teaching = self._teaching()
        if teaching is None:
            return CommandResult(ErrorCode.NOT_SUPPORTED, self._unsupported)
        if request.on and not SHORTEST_S <= request.seconds <= LONGEST_S:
            return CommandResult(ErrorCode.INVALID_ARGUMENT, f'seconds must be {SHORTEST_S:g} to {LONGEST_S:g}')
        if request.on and (error := expiry_error(request.command, now_ns(self._node))):
            return CommandResult(ErrorCode.EXPIRED, error)
        return await wait_in_executor(self._node, self._queue, teaching.set_freedrive(request.on, float(request.seconds)))

    async def _on_details(
        self, _request: GetRobotDetails.Request, response: GetRobotDetails.Response
    ) -> GetRobotDetails.Response:
        teaching = self._teaching()
        if teaching is None:
            response.code, response.message = ErrorCode.NOT_SUPPORTED, self._unsupported
            return response
        found = await wait_in_executor(self._node, self._queue, teaching.details())
        response.joints, response.tool = list(found.joints), list(found.tool)
        response.tool_speed, response.payload, response.recipe_payload = found.tool_speed, found.payload, found.recipe_payload
        response.model, response.recipe_model = found.model, found.recipe_model
        response.serial_number, response.software = found.serial_number, found.software
        response.cell_version = version('cell_robot')
        response.kinematics, response.distance = KINEMATICS[found.agree], found.distance
        response.kinematics_text = found.kinematics_text
        return response

    def _open(self) -> Teacher:
        if self._teacher is None:
            self._teacher = Teacher(self._recipe_file)
        return self._teacher

    async def _run(self, work: Callable[[], T]) -> T:
        return await wait_in_executor(self._node, self._queue, self._worker.submit(work))


def place_message(place: Place) -> TaughtPlace:
    """Return the message of a place."""
    return TaughtPlace(
        name=place.name,
        kind=int(place.kind),
        description=place.description,
        taught=place.taught,
        value=place.value,
        also=list(place.also),
    )
