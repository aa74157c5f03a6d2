"""Recorded decisions never appear where new ones do, and nothing of other cells is played."""

from __future__ import annotations

import pytest
from cell_history.replay.routing import played_as


@pytest.mark.parametrize(
    ('topic', 'name'),
    [
        ('/cell/weighing/weight', 'weighing/weight'),
        ('/cell/camera/image_raw/compressed', 'camera/image_raw/compressed'),
        ('/cell/weighing/bag', 'recorded/weighing/bag'),
        ('/cell/matching/result', 'recorded/matching/result'),
        ('/cell/job', 'recorded/job'),
        ('/tf', '/tf'),
        ('/diagnostics', ''),
        ('/rosout', ''),
        ('/clock', ''),
        ('/other/weighing/weight', ''),
        ('/cell/ocr/read/_service_event', ''),
        ('/cell/recording/snapshot', ''),
        ('/cell/weighing/delivery', ''),
        ('/cell/replay', ''),
    ],
)
def test_a_topic_is_played_under_its_name_below_recorded_or_not_at_all(topic: str, name: str):
    assert played_as(topic, 'cell') == name


def test_a_recording_without_a_namespace_is_played_as_well():
    assert played_as('/weighing/weight', '') == 'weighing/weight'
