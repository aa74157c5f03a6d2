"""What is recorded: the decisions with their requests, the pictures, or everything but raw pictures."""

from __future__ import annotations

import pytest
from cell_history.recorder.selection import wants

IMAGE, STRING = 'sensor_msgs/msg/Image', 'std_msgs/msg/String'


@pytest.mark.parametrize(
    ('topic', 'least'),
    [
        ('/cell/weighing/weight', 'decisions'),
        ('/cell/ocr/read/_service_event', 'decisions'),
        ('/cell/camera/image_raw/compressed', 'vision'),
        ('/cell/robot/tool_pose', 'everything'),
        ('/tf', 'everything'),
        ('/cell/run_job/_action/feedback', ''),
        ('/other/weighing/weight', ''),
        ('/parameter_events', ''),
    ],
)
def test_each_choice_contains_the_one_before(topic: str, least: str):
    choices = ('decisions', 'vision', 'everything')
    recorded = [what for what in choices if wants(topic, [STRING], 'cell', what)]
    assert recorded == (list(choices[choices.index(least) :]) if least else [])


def test_raw_pictures_are_never_recorded():
    assert not wants('/cell/camera/image_raw', [IMAGE], 'cell', 'everything')
