"""Node `markers`: publishes the shapes of the cell on `markers`, latched, when stock, job or path change."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from builtin_interfaces.msg import Time
from cell_common.diagnostics import Diagnostics, Health
from cell_common.parameters import declare_parameters, parameter
from cell_common.qos import events, latched
from cell_common.runner import StartError, node_main
from cell_common.timers import create_steady_timer
from geometry_msgs.msg import Point, PoseStamped
from rclpy.node import Node
from std_msgs.msg import ColorRGBA
from visualization_msgs.msg import Marker, MarkerArray

from cell_interfaces.msg import Inventory, JobState
from cell_robot.description import BASE
from cell_robot.recipe_file import RecipeError, load_recipe
from cell_robot.scene.shapes import Path, Shape, ShownJob, ShownTray, scene_shapes

__all__ = ['MarkersNode', 'MarkersParameters', 'main']

PERIOD_S = 0.5
KINDS = {'cube': Marker.CUBE, 'cubes': Marker.CUBE_LIST, 'text': Marker.TEXT_VIEW_FACING, 'line': Marker.LINE_STRIP}


@dataclass(frozen=True)
class MarkersParameters:
    """Parameters of node `markers`."""

    recipe_file: str = parameter('config/recipe.yaml', 'Recipe of the cell: where its trays stand.')
    frame_prefix: str = parameter('', 'Prefix of the frame names, as that of node robot, e.g. cell2/.')


class MarkersNode(Node):
    """Publishes markers (MarkerArray) at most twice a second, and only while something changes.

    A node of its own: drawing must cost the robot node no time.
    """

    def __init__(self, **options: Any) -> None:
        """Read the recipe and subscribe.

        Args:
            options: Arguments of rclpy's Node.

        Raises:
            StartError: The recipe cannot be used.
        """
        super().__init__('markers', **options)
        settings = declare_parameters(self, MarkersParameters)
        try:
            self._recipe = load_recipe(settings.recipe_file, reach=False, partial=True)
        except RecipeError as error:
            raise StartError(str(error)) from error
        self._frame = settings.frame_prefix + BASE
        self._stock: dict[tuple[str, int], ShownTray] = {}
        self._job = ShownJob()
        self._path = Path()
        self._changed = True
        self._known: set[tuple[str, int]] = set()
        self._publisher = self.create_publisher(MarkerArray, 'markers', latched())
        self.create_subscription(Inventory, 'inventory', self._on_inventory, latched())
        self.create_subscription(JobState, 'job', self._on_job, latched())
        self.create_subscription(PoseStamped, 'robot/tool_pose', self._on_tool_pose, events(10))
        Diagnostics(self).add('markers', lambda: Health(0, '', {'shapes': str(len(self._known))}))
        create_steady_timer(self, PERIOD_S, self._publish)

    def _on_inventory(self, message: Inventory) -> None:
        self._stock = {
            (part.part_number, tray.tray): ShownTray(tray.count, tray.capacity, tray.state)
            for part in message.parts
            for tray in part.trays
        }
        self._changed = True

    def _on_job(self, message: JobState) -> None:
        job = ShownJob(message.part_number, message.placed, message.rejected)
        self._changed = self._changed or job != self._job
        self._job = job

    def _on_tool_pose(self, message: PoseStamped) -> None:
        position = message.pose.position
        self._changed = self._path.add((position.x, position.y, position.z)) or self._changed

    def _publish(self) -> None:
        """Publish all shapes; those that are gone are deleted."""
        if not self._changed:
            return
        self._changed = False
        path = self._path.shape()
        shapes = [*scene_shapes(self._recipe, self._stock, self._job), *([path] if path else [])]
        stamp = self.get_clock().now().to_msg()
        shown = {(shape.group, shape.number) for shape in shapes}
        gone = [Marker(ns=group, id=number, action=Marker.DELETE) for group, number in sorted(self._known - shown)]
        for marker in gone:
            marker.header.frame_id, marker.header.stamp = self._frame, stamp
        self._known = shown
        self._publisher.publish(MarkerArray(markers=[*gone, *(to_marker(shape, self._frame, stamp) for shape in shapes)]))


def to_marker(shape: Shape, frame: str, stamp: Time) -> Marker:
    """Return a shape as a marker.

    Args:
        shape: The shape.
        frame: Base frame of the controller, with its prefix.
        stamp: Time of the marker.
    """
    red, green, blue, opacity = shape.color
    marker = Marker(ns=shape.group, id=shape.number, type=KINDS[shape.kind], action=Marker.ADD, text=shape.text)
    marker.header.frame_id, marker.header.stamp = frame, stamp
    marker.color = ColorRGBA(r=red, g=green, b=blue, a=opacity)
    marker.scale.x, marker.scale.y, marker.scale.z = shape.size
    marker.pose.position.x, marker.pose.position.y, marker.pose.position.z = shape.position
    marker.pose.orientation.z, marker.pose.orientation.w = math.sin(shape.yaw / 2.0), math.cos(shape.yaw / 2.0)
    marker.points = [Point(x=x, y=y, z=z) for x, y, z in shape.points]
    return marker


main = node_main(MarkersNode)
