"""What the arm looks like and which frames it has: one tree, as URDF text and as transforms. No ROS, no clock.

Frames are named and placed as in the maker's own ROS description (REP 103 and 105; Universal_Robots_ROS2_Description):
base_link is turned by half a turn about z against `base`, which is the base frame of the controller and of the pendant; tool0
is the flange as the pendant shows it. The kinematics are the nominal ones of `motion.kinematics`; the shapes are simple
cylinders of about the arm's size, for the eye only: nothing checks collisions with them.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from xml.etree import ElementTree

import numpy as np

from cell_robot.motion.kinematics import JOINTS, TURN, Arm
from cell_robot.motion.poses import Matrix, from_rpy, rotation, rotation_vector
from cell_robot.motion.recipe import Recipe

HALF = math.pi / 2
ROOT, BASE, TOOL0 = 'base_link', 'base', 'tool0'
EFFORT = {
    'ur3e': (56.0, 28.0, 12.0),
    'ur5e': (150.0, 150.0, 28.0),
    'ur10e': (330.0, 150.0, 56.0),
    'ur16e': (330.0, 150.0, 56.0),
}
"""Nm: base and shoulder, elbow, wrists; from the makers' data sheets. URDF demands a number."""
THICKNESS = {'ur3e': 0.045, 'ur5e': 0.055, 'ur10e': 0.07, 'ur16e': 0.07}
"""Radius of the upper arm, metres."""


@dataclass(frozen=True)
class Joint:
    """One edge of the tree."""

    name: str
    parent: str
    child: str
    place: Matrix
    """Of the child in the parent, at angle 0."""
    moves: bool = False
    """It turns about its z axis."""


@dataclass(frozen=True)
class Shape:
    """A cylinder of a link."""

    link: str
    radius: float
    length: float
    place: Matrix
    """Of its middle in the link; its axis is z."""


@dataclass(frozen=True)
class Placed:
    """A frame in another one."""

    parent: str
    child: str
    translation: tuple[float, float, float]
    """Metres."""
    quaternion: tuple[float, float, float, float]
    """x, y, z, w."""


def arm_tree(arm: Arm) -> list[Joint]:
    """Return the frames of an arm, base_link to tool0."""
    return [
        Joint('base_link-base_fixed_joint', ROOT, BASE, placed(rpy=(0.0, 0.0, math.pi))),
        Joint('base_link-base_link_inertia', ROOT, 'base_link_inertia', placed(rpy=(0.0, 0.0, math.pi))),
        Joint(JOINTS[0], 'base_link_inertia', 'shoulder_link', placed((0.0, 0.0, arm.d1)), True),
        Joint(JOINTS[1], 'shoulder_link', 'upper_arm_link', placed(rpy=(HALF, 0.0, 0.0)), True),
        Joint(JOINTS[2], 'upper_arm_link', 'forearm_link', placed((arm.a2, 0.0, 0.0)), True),
        Joint(JOINTS[3], 'forearm_link', 'wrist_1_link', placed((arm.a3, 0.0, arm.d4)), True),
        Joint(JOINTS[4], 'wrist_1_link', 'wrist_2_link', placed((0.0, -arm.d5, 0.0), (HALF, 0.0, 0.0)), True),
        Joint(JOINTS[5], 'wrist_2_link', 'wrist_3_link', placed((0.0, arm.d6, 0.0), (HALF, math.pi, math.pi)), True),
        Joint('wrist_3-flange', 'wrist_3_link', 'flange', placed(rpy=(0.0, -HALF, -HALF))),
        Joint('flange-tool0', 'flange', TOOL0, placed(rpy=(HALF, 0.0, HALF))),
    ]


def cell_tree(recipe: Recipe) -> list[Joint]:
    """Return the frames that a recipe adds: the tool, the places of `targets`, and the first slot of each tray."""
    frames = {name: target.pose for name, target in recipe.targets.items()}
    for part_number, trays in recipe.parts.items():
        for tray, targets in trays.items():
            known = frames.setdefault(f'tray_{tray}', targets.slots[0].pose)
            if not np.allclose(known, targets.slots[0].pose):
                frames[f'tray_{tray}_{_word(part_number)}'] = targets.slots[0].pose
    return [
        Joint('tool0-tool', TOOL0, 'tool', recipe.cell.tool),
        *(Joint(f'base-{name}', BASE, name, pose) for name, pose in frames.items()),
    ]


def urdf(arm: Arm, tree: Sequence[Joint]) -> str:
    """Return the URDF text of a tree of this arm."""
    robot = ElementTree.Element('robot', name=arm.name)
    shapes = _shapes(arm)
    for link in dict.fromkeys([ROOT, *(joint.child for joint in tree)]):
        element = ElementTree.SubElement(robot, 'link', name=link)
        for shape in shapes:
            if shape.link == link:
                _add_visual(element, shape)
    for joint in tree:
        element = ElementTree.SubElement(robot, 'joint', name=joint.name, type='revolute' if joint.moves else 'fixed')
        ElementTree.SubElement(element, 'parent', link=joint.parent)
        ElementTree.SubElement(element, 'child', link=joint.child)
        _add_origin(element, joint.place)
        if joint.moves:
            _add_limits(element, arm, JOINTS.index(joint.name))
    ElementTree.indent(robot)
    return '<?xml version="1.0"?>\n' + ElementTree.tostring(robot, encoding='unicode') + '\n'


def fixed_frames(tree: Sequence[Joint]) -> list[Placed]:
    """Return the frames that never move."""
    return [_frame(joint, joint.place) for joint in tree if not joint.moves]


def moving_frames(tree: Sequence[Joint], angles: Mapping[str, float]) -> list[Placed]:
    """Return the frames that move, at these angles (rad) by joint name; joints without an angle are left out."""
    return [_frame(joint, joint.place @ _turned(angles[joint.name])) for joint in tree if joint.moves and joint.name in angles]


def placed(xyz: tuple[float, float, float] = (0.0, 0.0, 0.0), rpy: tuple[float, float, float] = (0.0, 0.0, 0.0)) -> Matrix:
    """Return the transform of a URDF origin: metres and radians about the fixed axes x, y, z."""
    result = np.eye(4)
    result[:3, :3], result[:3, 3] = rotation(from_rpy(*rpy)), xyz
    return result


def rpy_of(place: Matrix) -> tuple[float, float, float]:
    """Return roll, pitch and yaw (radians) of a transform, as a URDF origin has them."""
    turn = place[:3, :3]
    flat = math.hypot(turn[0, 0], turn[1, 0])
    pitch = math.atan2(-turn[2, 0], flat)
    if flat < 1e-9:  # roll and yaw turn about the same axis: all of it goes into roll
        return math.atan2(-turn[1, 2], turn[1, 1]), pitch, 0.0
    return math.atan2(turn[2, 1], turn[2, 2]), pitch, math.atan2(turn[1, 0], turn[0, 0])


def _turned(angle: float) -> Matrix:
    result = np.eye(4)
    result[:2, :2] = [[math.cos(angle), -math.sin(angle)], [math.sin(angle), math.cos(angle)]]
    return result


def _frame(joint: Joint, place: Matrix) -> Placed:
    vector = rotation_vector(place[:3, :3])
    angle = math.sqrt(sum(value * value for value in vector))
    share = math.sin(angle / 2.0) / angle if angle > 0.0 else 0.5
    x, y, z = (float(value) for value in place[:3, 3])
    return Placed(
        joint.parent, joint.child, (x, y, z), (vector[0] * share, vector[1] * share, vector[2] * share, math.cos(angle / 2.0))
    )


def _shapes(arm: Arm) -> list[Shape]:
    thick = THICKNESS[arm.name]
    thin, wrist = 0.8 * thick, 0.7 * thick
    return [
        Shape('base_link_inertia', 1.3 * thick, arm.d1 * 0.5, placed((0.0, 0.0, arm.d1 * 0.25))),
        Shape('shoulder_link', thick, 2.2 * thick, placed()),
        # The upper arm lies beside the shoulder and the forearm, as far as wrist 1 does.
        Shape('upper_arm_link', 1.05 * thick, arm.d4, placed((0.0, 0.0, arm.d4 / 2.0))),
        Shape('upper_arm_link', thick, -arm.a2, placed((arm.a2 / 2.0, 0.0, arm.d4), (0.0, HALF, 0.0))),
        Shape('forearm_link', thin, arm.d4 + 2.0 * thin, placed((0.0, 0.0, arm.d4 / 2.0))),
        Shape('forearm_link', thin, -arm.a3, placed((arm.a3 / 2.0, 0.0, 0.0), (0.0, HALF, 0.0))),
        Shape('wrist_1_link', wrist, arm.d4, placed((0.0, 0.0, -arm.d4 / 2.0))),
        Shape('wrist_2_link', wrist, arm.d5, placed((0.0, 0.0, -arm.d5 / 2.0))),
        Shape('wrist_3_link', wrist, arm.d6, placed((0.0, 0.0, -arm.d6 / 2.0))),
    ]


def _add_visual(link: ElementTree.Element, shape: Shape) -> None:
    visual = ElementTree.SubElement(link, 'visual')
    _add_origin(visual, shape.place)
    geometry = ElementTree.SubElement(visual, 'geometry')
    ElementTree.SubElement(geometry, 'cylinder', radius=f'{shape.radius:.4f}', length=f'{shape.length:.4f}')
    material = ElementTree.SubElement(visual, 'material', name='arm')
    ElementTree.SubElement(material, 'color', rgba='0.62 0.68 0.74 1')


def _add_origin(element: ElementTree.Element, place: Matrix) -> None:
    xyz, rpy = (' '.join(repr(float(value)) for value in values) for values in (place[:3, 3], rpy_of(place)))
    ElementTree.SubElement(element, 'origin', xyz=xyz, rpy=rpy)


def _add_limits(joint: ElementTree.Element, arm: Arm, number: int) -> None:
    base, elbow, wrist = EFFORT[arm.name]
    most = math.pi if number == 2 else TURN  # as in the maker's description, which spares planners the folded elbow
    ElementTree.SubElement(joint, 'axis', xyz='0 0 1')
    ElementTree.SubElement(
        joint,
        'limit',
        lower=repr(-most),
        upper=repr(most),
        velocity=repr(arm.speed[number]),
        effort=repr((base, base, elbow, wrist, wrist, wrist)[number]),
    )


def _word(text: str) -> str:
    return ''.join(sign if sign.isalnum() else '_' for sign in text).lower()
