"""A second part whose print cannot be read, and what stands in a cell beside the part."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from cell_vision.ocr.plate_detector import detect_faint_print, detect_plates
from cell_vision.ocr.second_part import unread_parts
from cell_vision.types import UNREAD, Reading

PART, BESIDE = (400, 360), (800, 360)


@pytest.fixture
def scene():
    noise = np.random.default_rng(3).normal(0, 2, (720, 1280, 3))
    return np.clip(150 + noise, 0, 255).astype(np.uint8)


def put_part(image, at, text, *, gray=235, size=(260, 60)):
    left, top = at[0] - size[0] // 2, at[1] - size[1] // 2
    cv2.rectangle(image, (left, top), (left + size[0], top + size[1]), (gray,) * 3, -1)
    cv2.putText(image, text, (left + 20, top + size[1] - 18), cv2.FONT_HERSHEY_SIMPLEX, 1.1, (20, 20, 20), 2, cv2.LINE_AA)


def unread(image):
    x, y = PART
    number = Reading('MY4N-J', 0.99, ((x - 90, y - 15), (x + 90, y - 15), (x + 90, y + 15), (x - 90, y + 15)))
    plates = detect_plates(image)
    return [item.text for item in unread_parts(image, [*plates, *detect_faint_print(image, plates)], [[number]])]


def hole(image, at, radius):
    cv2.circle(image, at, radius, (40,) * 3, -1, cv2.LINE_AA)


def washer(image, at, radius):
    cv2.circle(image, at, radius, (215,) * 3, -1, cv2.LINE_AA)
    cv2.circle(image, at, radius // 2, (70,) * 3, -1, cv2.LINE_AA)


def screw(image, at, radius):
    cv2.circle(image, at, radius, (200,) * 3, -1, cv2.LINE_AA)
    cv2.line(image, (at[0] - radius // 2, at[1]), (at[0] + radius // 2, at[1]), (50,) * 3, 4)
    cv2.line(image, (at[0], at[1] - radius // 2), (at[0], at[1] + radius // 2), (50,) * 3, 4)


def bolt(image, at, radius):
    corners = [(at[0] + radius * np.cos(a), at[1] + radius * np.sin(a)) for a in np.arange(6) * np.pi / 3]
    cv2.fillPoly(image, [np.array(corners, np.int32)], (90,) * 3)


def cable(image, at, radius):
    cv2.line(image, (at[0], 20), (at[0] + radius, 700), (30,) * 3, 6, cv2.LINE_AA)


@pytest.mark.parametrize('thing', [hole, washer, screw, bolt, cable])
@pytest.mark.parametrize('radius', [9, 25, 60])
@pytest.mark.parametrize('size', [(130, 34), (260, 60)])
def test_things_of_the_fixture_are_no_second_part(scene, thing, radius, size):
    put_part(scene, PART, 'MY4N-J', size=size)
    thing(scene, BESIDE, radius)
    assert unread(scene) == []


@pytest.mark.parametrize('kind', ['blank', 'smeared', 'glared'])
def test_a_second_part_without_legible_print_is_found(scene, kind):
    put_part(scene, PART, 'MY4N-J')
    if kind == 'blank':
        put_part(scene, BESIDE, '')
    else:
        other = scene.copy()
        put_part(other, BESIDE, 'MY4N-D2', gray=90)
        if kind == 'glared':
            cv2.ellipse(other, BESIDE, (110, 28), 0, 0, 360, (255,) * 3, -1)
        other = cv2.GaussianBlur(other, (0, 0), 7)
        scene[:, 600:] = other[:, 600:]
    assert unread(scene) == [UNREAD]


def test_beside_a_round_part_a_round_thing_may_be_a_second_one(scene):
    for at in (PART, BESIDE):
        cv2.circle(scene, at, 110, (225,) * 3, -1, cv2.LINE_AA)
    cv2.putText(scene, 'MY4N-J', (PART[0] - 80, PART[1] + 14), cv2.FONT_HERSHEY_SIMPLEX, 1.2, (20,) * 3, 2, cv2.LINE_AA)
    assert unread(scene) == [UNREAD]


def test_without_a_part_that_was_read_nothing_is_a_second_one(scene):
    put_part(scene, BESIDE, '')
    assert unread(scene) == []
