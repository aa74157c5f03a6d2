"""Publishes robot_description and the frames of the arm: topics, types and latching of robot_state_publisher and tf2."""

from __future__ import annotations

from collections.abc import Sequence

from cell_common.qos import events, latched
from geometry_msgs.msg import TransformStamped
from rclpy.node import Node
from std_msgs.msg import String
from tf2_msgs.msg import TFMessage

from cell_robot.backends.base import Joints
from cell_robot.description import Joint, Placed, arm_tree, cell_tree, fixed_frames, moving_frames, urdf
from cell_robot.motion.kinematics import ARMS
from cell_robot.motion.recipe_file import RecipeError, load_recipe
from cell_robot.parameters import RobotParameters


class ModelPublisher:
    """The arm for RViz and whoever asks where its tool is.

    Without joints there are no frames of moving links: nothing is drawn where the arm may not be.
    """

    def __init__(self, node: Node, parameters: RobotParameters) -> None:
        """Publish what never changes; nothing at all when the model of the arm is not known."""
        self._node, self._prefix = node, parameters.frame_prefix
        self._tree: list[Joint] = []
        self._tf = node.create_publisher(TFMessage, '/tf', events())
        self._static = node.create_publisher(TFMessage, '/tf_static', latched())
        self._description = node.create_publisher(String, 'robot_description', latched())
        self._moving = parameters.publish_tf
        model, more = _model(parameters, node)
        if not model:
            return
        arm = arm_tree(ARMS[model])
        self._tree = [*arm, *more]
        self._description.publish(String(data=urdf(ARMS[model], self._tree)))
        self._static.publish(self._message(fixed_frames(self._tree if self._moving else more)))

    def move(self, joints: Joints) -> None:
        """Publish where the moving links are."""
        if self._moving and self._tree:
            angles = dict(zip(joints.names, joints.positions, strict=True))
            self._tf.publish(self._message(moving_frames(self._tree, angles)))

    def _message(self, frames: Sequence[Placed]) -> TFMessage:
        stamp = self._node.get_clock().now().to_msg()
        return TFMessage(transforms=[self._transform(frame, stamp) for frame in frames])

    def _transform(self, frame: Placed, stamp: object) -> TransformStamped:
        result = TransformStamped(child_frame_id=self._prefix + frame.child)
        result.header.stamp, result.header.frame_id = stamp, self._prefix + frame.parent
        place = result.transform
        place.translation.x, place.translation.y, place.translation.z = frame.translation
        place.rotation.x, place.rotation.y, place.rotation.z, place.rotation.w = frame.quaternion
        return result


def _model(parameters: RobotParameters, node: Node) -> tuple[str, list[Joint]]:
    """Return the model of the arm ("" = not known) and the frames of the cell."""
    if not parameters.recipe_file:
        return parameters.arm_model, []
    try:
        recipe = load_recipe(parameters.recipe_file, reach=False)
    except RecipeError as problem:
        node.get_logger().warning(f'no frames of the cell in TF: {problem}')
        return parameters.arm_model, []
    return parameters.arm_model or recipe.cell.arm.name, cell_tree(recipe)
