"""A replay reads with the same engine as the live worker: same models, and warmed up to the end."""

import cv2
import numpy as np
import pytest
from cell_vision.types import Reading
from sensor_msgs.msg import CompressedImage

from cell_vision import recorded


class WarmingEngine:
    """Engine whose readings change with its warm-up, as those of networks for one shape do."""

    name = 'warming'

    def __init__(self):
        self.left = 3

    def warm_next(self):
        self.left -= 1
        return self.left > 0

    def read(self, _image, _detector_side=0, _enlarge=1.0):
        score = 0.9 if self.left else 0.95
        return (Reading('EM1-2U1', score, ((10.0, 10.0), (90.0, 10.0), (90.0, 30.0), (10.0, 30.0))),)


@pytest.fixture
def made(monkeypatch):
    options = []

    def make(_name, wanted):
        options.append(wanted)
        return WarmingEngine()

    monkeypatch.setattr(recorded, 'make_engine', make)
    return options


def frame():
    image = np.full((240, 320, 3), 200, np.uint8)
    return CompressedImage(format='jpeg', data=cv2.imencode('.jpg', image)[1].tobytes())


def test_frames_are_read_with_an_engine_that_is_warm(made):
    result = recorded.RecordedReader({'frames': 1, 'detector_side': 641}).read(recorded.ReadAgain('a'), [frame()])
    assert [round(text.score, 3) for text in result.texts] == [0.95]
    assert len(made) == 1


def test_the_engine_has_the_recorded_models_and_no_cache(made):
    parameters = {'model_dir': '/opt/models', 'cache_dir': '/home/cell/cache', 'detector_side': 642, 'threads': 2}
    recorded.RecordedReader(parameters).read(recorded.ReadAgain('a'), [frame()])
    assert (made[0].model_dir, made[0].cache_dir, made[0].detector_side, made[0].threads) == ('/opt/models', '', 642, 2)
