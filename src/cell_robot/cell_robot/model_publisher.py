"""Publishes robot_description and the frames of the arm, with the topics and QoS of robot_state_publisher and tf2."""

from __future__ import annotations

from collections.abc import Sequence

from builtin_interfaces.msg import Time
from cell_common.qos import events, latched
from geometry_msgs.msg import TransformStamped
from rclpy.node import Node
from std_msgs.msg import String
from tf2_msgs.msg import TFMessage

from cell_robot.backends.base import JointPositions
from cell_robot.description import FramePose, JointFrame, arm_frames, cell_frames, fixed_frames, moving_frames, urdf
from cell_robot.motion.kinematics import ARMS
from cell_robot.motion.recipe import CellRecipe
from cell_robot.parameters import RobotParameters
from cell_robot.recipe_file import RecipeError, load_recipe


class ModelPublisher:
    """Arm model for RViz and for users of TF.

    Frames of moving links need joint data: without it nothing is drawn where the arm may not be.
    """

    def __init__(self, node: Node, parameters: RobotParameters) -> None:
        """Publish the static parts; nothing when the arm model is unknown.

        Args:
            node: Node of the publishers.
            parameters: arm_model, recipe_file, publish_tf and frame_prefix are used.
        """
        self._node, self._prefix = node, parameters.frame_prefix
        self._tree: list[JointFrame] = []
        self._tf = node.create_publisher(TFMessage, '/tf', events())
        self._static = node.create_publisher(TFMessage, '/tf_static', latched())
        # Latched like the description of robot_state_publisher: RViz may start later.
        self._description = node.create_publisher(String, 'robot_description', latched())
        self._publish_arm = parameters.publish_tf
        model, more = _load_model(parameters, node)
        if not model:
            return
        arm = arm_frames(ARMS[model])
        self._tree = [*arm, *more]
        self._description.publish(String(data=urdf(ARMS[model], self._tree)))
        self._static.publish(self._message(fixed_frames(self._tree if self._publish_arm else more)))

    def use_recipe(self, recipe: CellRecipe) -> None:
        """Publish the frames of another recipe for the same arm."""
        more = cell_frames(recipe)
        self._static.publish(self._message(fixed_frames([*arm_frames(recipe.cell.arm), *more] if self._publish_arm else more)))

    def move(self, joints: JointPositions) -> None:
        """Publish the frames of the moving links.

        Args:
            joints: Fresh joint data; do not call it with old data.
        """
        if self._publish_arm and self._tree:
            angles = dict(zip(joints.names, joints.positions, strict=True))
            self._tf.publish(self._message(moving_frames(self._tree, angles)))

    def _message(self, frames: Sequence[FramePose]) -> TFMessage:
        stamp = self._node.get_clock().now().to_msg()
        return TFMessage(transforms=[self._transform(frame, stamp) for frame in frames])

    def _transform(self, frame: FramePose, stamp: Time) -> TransformStamped:
        """Return a frame as a message, with the prefix before both of its names."""
        result = TransformStamped(child_frame_id=self._prefix + frame.child)
        result.header.stamp, result.header.frame_id = stamp, self._prefix + frame.parent
        pose = result.transform
        pose.translation.x, pose.translation.y, pose.translation.z = frame.translation
        pose.rotation.x, pose.rotation.y, pose.rotation.z, pose.rotation.w = frame.quaternion
        return result


def _load_model(parameters: RobotParameters, node: Node) -> tuple[str, list[JointFrame]]:
    """Return the arm model ("" = unknown) and the frames of the cell."""
    if not parameters.recipe_file:
        return parameters.arm_model, []
    try:
        recipe = load_recipe(parameters.recipe_file, reach=False, partial=True)
    except RecipeError as error:
        node.get_logger().warning(f'no frames of the cell in TF: {error}')
        return parameters.arm_model, []
    return parameters.arm_model or recipe.cell.arm.name, cell_frames(recipe)
