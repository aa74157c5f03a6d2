"""Frozen, dark and blurred images."""

from __future__ import annotations

import cv2
import numpy as np
from cell_common.time import NS_PER_S
from cell_vision.camera.image_quality import ImageQualityMonitor, QualityLimits, measure

SECOND = NS_PER_S


def watch(**limits):
    return ImageQualityMonitor(QualityLimits(**{'frozen_after': 5.0, 'brightness': 12.0, 'sharpness': 0.0, **limits}))


def test_a_picture_that_never_changes_is_frozen(compress, draw):
    seen, picture = watch(), compress(draw('A'))
    for second in range(7):
        seen.update(picture, second * SECOND)
    assert 'frozen' in seen.warning(6 * SECOND)
    seen.update(compress(draw('B')), 7 * SECOND)
    assert seen.warning(7 * SECOND) == ''
    assert watch(frozen_after=0.0).warning(99 * SECOND) == ''


def test_a_dark_and_a_blurred_image_raise_a_warning(compress, draw):
    sharp, blurred = draw('EM1-2U1'), cv2.GaussianBlur(draw('EM1-2U1'), (0, 0), 8)
    assert measure(compress(sharp))[1] > 5 * measure(compress(blurred))[1]
    dark, soft = watch(), watch(sharpness=measure(compress(sharp))[1] / 2)
    dark.update(compress(sharp // 40), 0)
    soft.update(compress(blurred), 0)
    assert 'too dark' in dark.warning(0) and 'blurred' in soft.warning(0)
    soft.update(compress(sharp), 2 * SECOND)
    assert soft.warning(2 * SECOND) == ''


def test_what_is_no_picture_has_no_brightness():
    assert all(np.isnan(measure(b'nothing')))


def test_an_over_exposed_picture_is_reported_and_a_bright_one_is_not(compress, draw):
    seen, fine = watch(white=0.6), watch(white=0.6)
    picture = draw('EM1-2U1').astype(np.uint16)
    seen.update(compress(np.minimum(picture * 20, 255).astype(np.uint8)), 0)
    fine.update(compress(np.minimum(picture, 240).astype(np.uint8)), 0)
    assert 'over-exposed' in seen.warning(0) and fine.warning(0) == ''
