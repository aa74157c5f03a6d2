"""Topics of the arm model."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np
from cell_common.qos import events, latched
from cell_common.testing import NodeGraph, wait_until
from cell_robot.backends.base import JointPositions
from cell_robot.model_publisher import ModelPublisher
from cell_robot.motion.kinematics import JOINTS
from cell_robot.parameters import RobotParameters
from std_msgs.msg import String
from tf2_msgs.msg import TFMessage

RECIPE = Path(__file__).parents[3] / 'config' / 'recipe.yaml'
STANDS = [
    np.zeros(6),
    np.array([0.0, -1.2, -1.4, -1.3, 1.5, 0.3]),
    *np.random.default_rng(5).uniform(-math.pi, math.pi, (20, 6)),
]
MOVING = ('shoulder_link', 'upper_arm_link', 'forearm_link', 'wrist_1_link', 'wrist_2_link', 'wrist_3_link')


def test_description_and_frames_reach_a_late_subscriber(graph: NodeGraph) -> None:
    model = ModelPublisher(graph.node, RobotParameters(recipe_file=str(RECIPE), frame_prefix='c2_'))
    static = graph.collect(TFMessage, '/tf_static', latched())
    texts = graph.collect(String, 'robot_description', latched())
    moving = graph.collect(TFMessage, '/tf', events())
    wait_until(lambda: static and texts, what='latched')
    assert ElementTree.fromstring(texts[0].data).get('name') == 'ur5e'
    children = [transform.child_frame_id for transform in static[0].transforms]
    assert 'c2_base' in children and 'c2_tool' in children and not {f'c2_{name}' for name in MOVING} & set(children)

    def moved() -> list[Any]:
        model.move(JointPositions(JOINTS[::-1], tuple(STANDS[1][::-1])))
        return moving

    frames = wait_until(moved, what='/tf')[0].transforms
    assert [frame.child_frame_id for frame in frames] == [f'c2_{name}' for name in MOVING]
    assert frames[0].header.frame_id == 'c2_base_link_inertia'


def test_next_to_the_official_driver_only_the_cells_own_frames_are_published(graph: NodeGraph) -> None:
    ModelPublisher(graph.node, RobotParameters(recipe_file=str(RECIPE), publish_tf=False))
    static = graph.collect(TFMessage, '/tf_static', latched())
    wait_until(lambda: static, what='latched')
    assert {transform.header.frame_id for transform in static[0].transforms} == {'base', 'tool0'}


def test_an_unknown_arm_is_not_described(graph: NodeGraph) -> None:
    texts = graph.collect(String, 'robot_description', latched())
    ModelPublisher(graph.node, RobotParameters()).move(JointPositions(JOINTS, (0.0,) * 6))
    ModelPublisher(graph.node, RobotParameters(recipe_file='/nowhere.yaml', arm_model='ur3e'))
    wait_until(lambda: texts, what='the second one')
    assert len(texts) == 1 and 'name="ur3e"' in texts[0].data
