"""ROS node of the simulated world. It reads the ledger, the weigh jobs and the robot state, and publishes no data.

The node is a bridge between two threads. ROS callbacks run in the executor's thread; the devices
run on an asyncio loop in a background thread. Callbacks pass data on with `call_soon_threadsafe`,
so the world and the devices need no locks.
"""

from __future__ import annotations

import logging
from collections.abc import Coroutine
from typing import Any, TypeVar

import cv2
from cell_common.background import AsyncioThread
from cell_common.catalogue import CatalogueError
from cell_common.catalogue_file import load_catalogue
from cell_common.diagnostics import Diagnostics, Health
from cell_common.parameters import declare_parameters
from cell_common.qos import events, latched
from cell_common.runner import StartError, node_main
from cell_common.services import create_service
from cell_robot.recipe_file import RecipeError, load_recipe
from rclpy.node import Node

from cell_interfaces.msg import Inventory, InventoryEvent, ResultCode, RobotState, WeighJob, WeighJobList
from cell_interfaces.srv import InjectFault
from cell_sim.camera.photo_scene import PhotoError, PhotoScene, load_photo_set
from cell_sim.faults import UnknownFaultError
from cell_sim.parameters import WorldParameters
from cell_sim.scales.filler import FillOrder
from cell_sim.simulation import Simulation, SimulationConfig
from cell_sim.world.parts import TrayMix
from cell_sim.world.stock_sync import StockChange

__all__ = ['WorldNode', 'main']

# Picks are missing on purpose: the simulated robot has removed those parts itself.
OPERATOR_ENTRIES = (InventoryEvent.ADJUST, InventoryEvent.RELOAD, InventoryEvent.RESET, InventoryEvent.UNDO)
T = TypeVar('T')
TIMEOUT_S = 15.0
"""Limit for starting and stopping the devices, and for a fault to take effect."""


class WorldNode(Node):
    """Runs the simulated world in one process, next to the nodes of the cell.

    Attributes:
        simulation: The world; touch it only in the event loop, with `run` or
            `call_soon_threadsafe`.
    """

    def __init__(self, **options: Any) -> None:
        """Switch the simulated devices on.

        Raises:
            StartError: The catalogue, a port or the ground truth log cannot be used.
        """
        super().__init__('world', **options)
        self._p = declare_parameters(self, WorldParameters)
        self._background = AsyncioThread('world')
        try:
            self.simulation = self._create_simulation()
            self._background.run(self.simulation.start(), TIMEOUT_S)
        except (CatalogueError, PhotoError, RecipeError, OSError) as error:
            self._background.close()
            raise StartError(f'{error}. Correct the parameters of the simulated world.') from error
        self.create_subscription(Inventory, 'inventory', self._on_stock, latched())
        self.create_subscription(InventoryEvent, 'inventory/events', self._on_ledger_entry, events())
        self.create_subscription(WeighJobList, 'weighing/job', self._on_weigh_jobs, latched())
        self.create_subscription(RobotState, 'robot/state', self._on_robot, latched())
        create_service(self, InjectFault, 'sim/fault', self._on_fault)
        Diagnostics(self, 'simulated').add('devices', self._health)
        self.get_logger().info(f'This cell is simulated: no real arm moves and no real scale weighs. {self._camera_address()}')

    def run(self, work: Coroutine[Any, Any, T], timeout: float = TIMEOUT_S) -> T:
        """Run a coroutine in the event loop of the devices and return its result.

        Blocks the calling thread; never call it from the event loop itself.

        Args:
            work: Coroutine to run.
            timeout: Seconds.

        Raises:
            TimeoutError: The coroutine has not ended within `timeout` seconds.
        """
        return self._background.run(work, timeout)

    def destroy_node(self) -> None:
        """Switch the devices off, then destroy the node.

        Raises:
            TimeoutError: A device did not stop in time.
        """
        self._background.run(self.simulation.stop(), TIMEOUT_S)
        self._background.close()
        super().destroy_node()

    def _create_simulation(self) -> Simulation:
        p = self._p
        catalogue = load_catalogue(p.catalogue_file)
        parts = tuple(catalogue.parts)
        scene = None
        if p.camera and p.scene == 'photos':
            photos = load_photo_set(p.folder)
            photos.require(parts)
            scene = PhotoScene(photos, p.seed)
        return Simulation(
            SimulationConfig(
                catalogue,
                TrayMix(parts, p.seed, p.wrong_share, p.unreadable_share),
                robot=p.robot(),
                camera=p.network_camera(),
                scales=p.scales(),
                scene=scene,
                ur_address=p.ur_address,
                recipe=load_recipe(p.recipe_file) if p.ur_address and p.recipe_file else None,
                time_scale=p.time_scale,
                truth_file=p.truth_file,
                stock_wait=p.stock_wait,
            )
        )

    def _camera_address(self) -> str:
        camera = self.simulation.camera
        return f'Camera: http://{self._p.camera_address}:{camera.port}/camera.mjpg' if camera is not None else 'No camera.'

    def _on_stock(self, message: Inventory) -> None:
        stock = [(part.part_number, tray.tray, tray.count) for part in message.parts for tray in part.trays]
        self._background.loop.call_soon_threadsafe(self.simulation.report_stock, message.sequence, stock)

    def _on_ledger_entry(self, message: InventoryEvent) -> None:
        # The sequence number lets StockSync drop an entry that the first stock report already
        # includes: the two topics have no common order.
        if message.kind in OPERATOR_ENTRIES:
            change = StockChange(message.sequence, message.part_number, message.tray, message.delta)
            self._background.loop.call_soon_threadsafe(self.simulation.stock_sync.apply, change)

    def _on_robot(self, message: RobotState) -> None:
        """Set up the trays of the part that the robot was commanded to pick: parts share the places of their trays."""
        kind, _, part_number = message.last_trigger_event.partition('_')
        if kind == 'PART':
            self._background.loop.call_soon_threadsafe(self.simulation.world.present_part, part_number)

    def _on_weigh_jobs(self, message: WeighJobList) -> None:
        orders = {
            job.station: FillOrder(job.weigh_job_id, float(job.target_weight), job.unit)
            for job in message.jobs
            if job.state == WeighJob.ACTIVE
        }
        self._background.loop.call_soon_threadsafe(self.simulation.order_bags, orders)

    def _on_fault(self, request: InjectFault.Request, response: InjectFault.Response) -> InjectFault.Response:
        try:
            work = self.simulation.inject(request.device, request.fault, float(request.value))
            response.message = self._background.run(work, TIMEOUT_S)
        except UnknownFaultError as error:
            response.code, response.message = ResultCode.INVALID_ARGUMENT, str(error)
        return response

    def _health(self) -> Health:
        if not self.simulation.stock_sync.started:
            return Health(0, 'the trays are empty until the ledger reports its stock')
        devices = {'robot': self.simulation.robot, **self.simulation.scales}
        offline = [name for name, device in devices.items() if device is not None and not device.connected.is_set()]
        return Health(0, f'not connected: {", ".join(offline)}' if offline else '')


def main() -> None:
    """Run the node; the devices log to standard error."""
    # Set before the first image: OpenCV starts its thread pool on first use.
    cv2.setNumThreads(1)  # the images are small, and the nodes of the cell share the cores
    logging.basicConfig(level=logging.INFO, format='[world] %(message)s')
    node_main(WorldNode)()
