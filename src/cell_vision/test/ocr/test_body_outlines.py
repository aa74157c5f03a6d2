"""Outlines of bodies: also of those that are nearly as bright as the ground, and of those that the frame cuts off."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from cell_vision.ocr.body_outlines import body_outlines
from cell_vision.ocr.plate_detector import corners
from cell_vision.ocr.second_part import unread_parts
from cell_vision.types import UNREAD, Reading

CENTER = (640, 360)


def ground(noise=2.0, level=60):
    grain = np.random.default_rng(3).normal(0, noise, (720, 1280, 1))
    return np.clip(np.repeat(level + grain, 3, 2), 0, 255).astype(np.uint8)


def body(image, at, size, angle=20.0, step=12):
    box = cv2.boxPoints((at, size, angle)).astype(np.int32)
    mask = np.zeros(image.shape[:2], np.uint8)
    cv2.fillPoly(mask, [box], 1)
    image[mask == 1] += step


@pytest.mark.parametrize('angle', [0, 20, 45, 80])
def test_a_body_nearly_as_bright_as_the_ground_has_an_outline(angle):
    image = ground()
    body(image, CENTER, (240, 120), angle)
    (found,) = body_outlines(image)
    assert abs(found.x - 640) < 6 and abs(found.y - 360) < 6
    assert abs(found.long - 240) < 20 and abs(found.short - 120) < 20


@pytest.mark.parametrize('noise', [0.0, 1.0, 4.0])
def test_grain_the_blocks_of_jpeg_and_soft_light_are_no_bodies(noise):
    image = ground(noise)
    cv2.circle(image, CENTER, 120, (90,) * 3, -1)
    image = cv2.GaussianBlur(image, (0, 0), 25)
    data = cv2.imencode('.jpg', image, [cv2.IMWRITE_JPEG_QUALITY, 60])[1]
    assert body_outlines(cv2.imdecode(data, cv2.IMREAD_COLOR)) == []


@pytest.mark.parametrize('at', [(640, 20), (640, 700), (30, 360), (1250, 360)])
def test_a_body_that_one_side_of_the_frame_cuts_off_has_an_outline(at):
    image = ground()
    body(image, at, (240, 120))
    assert len(body_outlines(image)) == 1


def test_what_lies_along_the_frame_or_is_round_is_no_body():
    image = ground()
    image[640:] += 40
    image[:, :100] += 30
    for at, radius in (((640, 0), 60), (CENTER, 60), ((1279, 300), 60), ((300, 300), 14), ((400, 400), 20), ((900, 500), 28)):
        cv2.circle(image, at, radius, (160,) * 3, -1, cv2.LINE_AA)
    assert body_outlines(image) == []


def test_a_part_and_its_label_are_one_and_a_second_body_is_another():
    image = ground()
    body(image, (400, 360), (320, 160), 0)
    body(image, (400, 360), (240, 80), 0, 90)
    number = Reading('MY4N-J', 0.99, ((310, 340), (490, 340), (490, 380), (310, 380)))
    assert unread_parts(image, body_outlines(image)[:1], [[number]], body_outlines(image)) == []
    body(image, (760, 300), (320, 160), 60)
    found = body_outlines(image)
    (further,) = unread_parts(image, [place for place in found if place.contains(400, 360)], [[number]], found)
    assert further.text == UNREAD and corners(found[0])


def test_a_gripper_that_reaches_into_the_frame_up_to_the_part_is_no_second_part():
    image = ground()
    body(image, (640, 360), (320, 160), 5, 90)
    body(image, (1060, 360), (480, 200), 5, 40)
    number = Reading('MY4N-J', 0.99, ((550, 340), (730, 340), (730, 380), (550, 380)))
    found = body_outlines(image)
    assert len(found) == 2
    assert unread_parts(image, [place for place in found if place.contains(640, 360)], [[number]], found) == []
