"""Frames and shape of the arm: one tree, as URDF text and as transforms.

Pure: no ROS, sockets, files or clock.

Frames are named and placed as in the vendor's ROS description (REP 103 and 105; Universal_Robots_ROS2_Description). base_link
is rotated by half a turn about z against `base`, the base frame of the controller and of the pendant; tool0 is the flange as
the pendant shows it. Kinematics are the nominal ones of `motion.kinematics`. The visuals are simple cylinders of about the
arm's size; nothing checks collisions with them.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from xml.etree import ElementTree

import numpy as np

from cell_robot.motion.kinematics import FULL_TURN_RAD, JOINTS, ArmModel
from cell_robot.motion.poses import Matrix, rotation_matrix, rotation_vector, rpy_to_rotation_vector
from cell_robot.motion.recipe import CellRecipe

HALF = math.pi / 2
ROOT, BASE, TOOL0 = 'base_link', 'base', 'tool0'
EFFORT = {
    'ur3e': (56.0, 28.0, 12.0),
    'ur5e': (150.0, 150.0, 28.0),
    'ur10e': (330.0, 150.0, 56.0),
    'ur16e': (330.0, 150.0, 56.0),
    'ur7e': (150.0, 150.0, 28.0),
    'ur12e': (330.0, 150.0, 56.0),
    'ur8long': (433.0, 204.0, 70.0),
    'ur15': (433.0, 204.0, 70.0),
    'ur18': (433.0, 204.0, 70.0),
    'ur20': (738.0, 433.0, 107.0),
    'ur30': (738.0, 433.0, 107.0),
}
"""Nm: base and shoulder, elbow, wrists; from the vendor's data sheets. URDF requires a number."""


@dataclass(frozen=True)
class JointFrame:
    """One joint of the tree with its child frame; matrices are 4x4 transforms in meters."""

    name: str
    parent: str
    child: str
    origin: Matrix
    """Child in the parent, at angle 0."""
    moves: bool = False
    """The joint rotates about its z axis."""


@dataclass(frozen=True)
class CylinderVisual:
    """Cylinder of a link; lengths in meters."""

    link: str
    radius: float
    length: float
    origin: Matrix
    """Center in the link; the axis is z."""


@dataclass(frozen=True)
class FramePose:
    """Pose of a frame in its parent."""

    parent: str
    child: str
    translation: tuple[float, float, float]
    """Meters."""
    quaternion: tuple[float, float, float, float]
    """x, y, z, w."""


def arm_frames(arm: ArmModel) -> list[JointFrame]:
    """Return the frames of an arm, base_link to tool0."""
    upright, half_turn = (HALF, 0.0, 0.0), (0.0, 0.0, math.pi)
    wrist_3 = origin_transform((0.0, arm.d6, 0.0), (HALF, math.pi, math.pi))
    return [
        JointFrame('base_link-base_fixed_joint', ROOT, BASE, origin_transform(rpy=half_turn)),
        JointFrame('base_link-base_link_inertia', ROOT, 'base_link_inertia', origin_transform(rpy=half_turn)),
        JointFrame(JOINTS[0], 'base_link_inertia', 'shoulder_link', origin_transform((0.0, 0.0, arm.d1)), True),
        JointFrame(JOINTS[1], 'shoulder_link', 'upper_arm_link', origin_transform(rpy=upright), True),
        JointFrame(JOINTS[2], 'upper_arm_link', 'forearm_link', origin_transform((arm.a2, 0.0, 0.0)), True),
        JointFrame(JOINTS[3], 'forearm_link', 'wrist_1_link', origin_transform((arm.a3, 0.0, arm.d4)), True),
        JointFrame(JOINTS[4], 'wrist_1_link', 'wrist_2_link', origin_transform((0.0, -arm.d5, 0.0), upright), True),
        JointFrame(JOINTS[5], 'wrist_2_link', 'wrist_3_link', wrist_3, True),
        JointFrame('wrist_3-flange', 'wrist_3_link', 'flange', origin_transform(rpy=(0.0, -HALF, -HALF))),
        JointFrame('flange-tool0', 'flange', TOOL0, origin_transform(rpy=(HALF, 0.0, HALF))),
    ]


def cell_frames(recipe: CellRecipe) -> list[JointFrame]:
    """Return the frames that a recipe adds: the tool, the targets, and the first slot of each tray.

    A tray that several parts use at the same place is one frame `tray_<number>`. At another place its name carries the part
    number.

    Args:
        recipe: Checked recipe; its poses are in the controller's base frame, so `base` is the parent.
    """
    frames = {name: target.pose for name, target in recipe.targets.items()}
    for part_number, trays in recipe.parts.items():
        for tray, targets in trays.items():
            known = frames.setdefault(f'tray_{tray}', targets.slots[0].pose)
            if not np.allclose(known, targets.slots[0].pose):
                frames[f'tray_{tray}_{_to_word(part_number)}'] = targets.slots[0].pose
    return [
        JointFrame('tool0-tool', TOOL0, 'tool', recipe.cell.tool),
        *(JointFrame(f'base-{name}', BASE, name, pose) for name, pose in frames.items()),
    ]


def urdf(arm: ArmModel, tree: Sequence[JointFrame]) -> str:
    """Return the URDF text of a tree of this arm.

    Args:
        arm: Gives joint limits and visuals.
        tree: Result of `arm_frames`, with the frames of the cell behind it.
    """
    robot = ElementTree.Element('robot', name=arm.name)
    visuals = _visuals(arm)
    for link in dict.fromkeys([ROOT, *(joint.child for joint in tree)]):
        element = ElementTree.SubElement(robot, 'link', name=link)
        for visual in visuals:
            if visual.link == link:
                _add_visual(element, visual)
    for joint in tree:
        element = ElementTree.SubElement(robot, 'joint', name=joint.name, type='revolute' if joint.moves else 'fixed')
        ElementTree.SubElement(element, 'parent', link=joint.parent)
        ElementTree.SubElement(element, 'child', link=joint.child)
        _add_origin(element, joint.origin)
        if joint.moves:
            _add_limits(element, arm, JOINTS.index(joint.name))
    ElementTree.indent(robot)
    return '<?xml version="1.0"?>\n' + ElementTree.tostring(robot, encoding='unicode') + '\n'


def fixed_frames(tree: Sequence[JointFrame]) -> list[FramePose]:
    """Return the frames that never move."""
    return [_frame_pose(joint, joint.origin) for joint in tree if not joint.moves]


def moving_frames(tree: Sequence[JointFrame], angles: Mapping[str, float]) -> list[FramePose]:
    """Return the moving frames at joint angles in radians; joints without an angle are left out.

    Args:
        tree: Frames of the arm.
        angles: Joint name -> radians, in any order.
    """
    return [
        _frame_pose(joint, joint.origin @ _rotation_about_z(angles[joint.name]))
        for joint in tree
        if joint.moves and joint.name in angles
    ]


def origin_transform(
    xyz: tuple[float, float, float] = (0.0, 0.0, 0.0), rpy: tuple[float, float, float] = (0.0, 0.0, 0.0)
) -> Matrix:
    """Return the transform of a URDF `origin` element, shape (4, 4).

    Args:
        xyz: Translation, meters.
        rpy: Radians about the fixed axes x, y and z, in this order.
    """
    result = np.eye(4)
    result[:3, :3], result[:3, 3] = rotation_matrix(rpy_to_rotation_vector(*rpy)), xyz
    return result


def rpy_of(transform: Matrix) -> tuple[float, float, float]:
    """Return roll, pitch and yaw of a transform in radians, in the convention of a URDF origin.

    Roll and yaw lie in -pi..pi, pitch in -pi/2..pi/2.
    """
    rotation = transform[:3, :3]
    horizontal = math.hypot(rotation[0, 0], rotation[1, 0])
    pitch = math.atan2(-rotation[2, 0], horizontal)
    if horizontal < 1e-9:  # roll and yaw share one axis: all of the rotation goes into roll
        return math.atan2(-rotation[1, 2], rotation[1, 1]), pitch, 0.0
    return math.atan2(rotation[2, 1], rotation[2, 2]), pitch, math.atan2(rotation[1, 0], rotation[0, 0])


def _rotation_about_z(angle: float) -> Matrix:
    result = np.eye(4)
    result[:2, :2] = [[math.cos(angle), -math.sin(angle)], [math.sin(angle), math.cos(angle)]]
    return result


def _frame_pose(joint: JointFrame, transform: Matrix) -> FramePose:
    """Return a transform as translation and unit quaternion."""
    vector = rotation_vector(transform[:3, :3])
    angle = math.sqrt(sum(value * value for value in vector))
    # sin(a/2)/a tends to 1/2 for small angles.
    share = math.sin(angle / 2.0) / angle if angle > 0.0 else 0.5
    x, y, z = (float(value) for value in transform[:3, 3])
    return FramePose(
        joint.parent, joint.child, (x, y, z), (vector[0] * share, vector[1] * share, vector[2] * share, math.cos(angle / 2.0))
    )


def _visuals(arm: ArmModel) -> list[CylinderVisual]:
    """Return the cylinders of an arm: one for each link and for the joints that stand out."""
    thick = arm.radius
    thin, wrist = 0.8 * thick, 0.7 * thick
    sideways = (0.0, HALF, 0.0)
    # Upper arm and forearm are offset from the shoulder by d4, as wrist 1 is.
    upper_arm = origin_transform((arm.a2 / 2.0, 0.0, arm.d4), sideways)
    return [
        CylinderVisual('base_link_inertia', 1.3 * thick, arm.d1 * 0.5, origin_transform((0.0, 0.0, arm.d1 * 0.25))),
        CylinderVisual('shoulder_link', thick, 2.2 * thick, origin_transform()),
        CylinderVisual('upper_arm_link', 1.05 * thick, arm.d4, origin_transform((0.0, 0.0, arm.d4 / 2.0))),
        CylinderVisual('upper_arm_link', thick, -arm.a2, upper_arm),
        CylinderVisual('forearm_link', thin, arm.d4 + 2.0 * thin, origin_transform((0.0, 0.0, arm.d4 / 2.0))),
        CylinderVisual('forearm_link', thin, -arm.a3, origin_transform((arm.a3 / 2.0, 0.0, 0.0), sideways)),
        CylinderVisual('wrist_1_link', wrist, arm.d4, origin_transform((0.0, 0.0, -arm.d4 / 2.0))),
        CylinderVisual('wrist_2_link', wrist, arm.d5, origin_transform((0.0, 0.0, -arm.d5 / 2.0))),
        CylinderVisual('wrist_3_link', wrist, arm.d6, origin_transform((0.0, 0.0, -arm.d6 / 2.0))),
    ]


def _add_visual(link: ElementTree.Element, cylinder: CylinderVisual) -> None:
    visual = ElementTree.SubElement(link, 'visual')
    _add_origin(visual, cylinder.origin)
    geometry = ElementTree.SubElement(visual, 'geometry')
    ElementTree.SubElement(geometry, 'cylinder', radius=f'{cylinder.radius:.4f}', length=f'{cylinder.length:.4f}')
    material = ElementTree.SubElement(visual, 'material', name='arm')
    ElementTree.SubElement(material, 'color', rgba='0.62 0.68 0.74 1')


def _add_origin(element: ElementTree.Element, transform: Matrix) -> None:
    xyz, rpy = (' '.join(repr(float(value)) for value in values) for values in (transform[:3, 3], rpy_of(transform)))
    ElementTree.SubElement(element, 'origin', xyz=xyz, rpy=rpy)


def _add_limits(joint: ElementTree.Element, arm: ArmModel, number: int) -> None:
    """Add axis and limits of a joint; speeds and torques are those of the data sheet."""
    base, elbow, wrist = EFFORT[arm.name]
    # As in the vendor's description, which keeps planners away from the folded elbow.
    highest = math.pi if number == 2 else FULL_TURN_RAD
    ElementTree.SubElement(joint, 'axis', xyz='0 0 1')
    ElementTree.SubElement(
        joint,
        'limit',
        lower=repr(-highest),
        upper=repr(highest),
        velocity=repr(arm.speed[number]),
        effort=repr((base, base, elbow, wrist, wrist, wrist)[number]),
    )


def _to_word(text: str) -> str:
    """Return a text as part of a frame name: letters, digits and underscores."""
    return ''.join(sign if sign.isalnum() else '_' for sign in text).lower()
