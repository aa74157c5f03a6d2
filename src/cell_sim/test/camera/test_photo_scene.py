from __future__ import annotations

import json
from itertools import pairwise
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from cell_sim.camera.photo_scene import PhotoError, PhotoScene, load_photo_set
from cell_sim.world.parts import PhysicalPart
from cell_sim.world.world import EMPTY, CameraView, ViewPhase

SIZE = (320, 240)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    truth = []
    for part in ('74LS00', '74LS192'):
        for number in range(3):
            photo = np.full((SIZE[1], SIZE[0]), 90, np.uint8)
            cv2.putText(photo, f'{part} {number}', (20, 120), cv2.FONT_HERSHEY_SIMPLEX, 1.0, 220, 2)
            cv2.imwrite(str(tmp_path / f'{part}_{number}.png'), photo)
            truth.append({'file': f'{part}_{number}.png', 'part_number': part})
    (tmp_path / 'truth.json').write_text(json.dumps(truth))
    return tmp_path


def piece(number: int, part: str = '74LS00', unreadable: bool = False) -> PhysicalPart:
    return PhysicalPart(part, unreadable, f'{part}/1/{number}')


def pixels(jpeg: bytes) -> Any:
    return cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_GRAYSCALE)


def test_a_piece_is_shown_by_a_photograph_of_its_part_in_the_photographs_size(folder: Path) -> None:
    scene = PhotoScene(load_photo_set(folder))
    frame = pixels(scene.frame(CameraView(piece(1), ViewPhase.STILL)))
    assert frame.shape == SIZE[::-1]
    original = cv2.imread(str(scene.photo_of(piece(1))), cv2.IMREAD_GRAYSCALE)
    assert np.abs(frame.astype(int) - original).mean() < 2


def test_each_photograph_comes_once_until_all_were_used(folder: Path) -> None:
    scene = PhotoScene(load_photo_set(folder))
    shown = [scene.photo_of(piece(number)).name for number in range(6)]
    assert sorted(shown[:3]) == sorted(shown[3:]) == ['74LS00_0.png', '74LS00_1.png', '74LS00_2.png']


def test_a_piece_keeps_its_photograph(folder: Path) -> None:
    scene = PhotoScene(load_photo_set(folder))
    first = scene.photo_of(piece(1))
    scene.photo_of(piece(2))
    assert scene.photo_of(piece(1)) == first


@pytest.mark.parametrize('view', [CameraView(piece(1), ViewPhase.STILL), CameraView(piece(1), ViewPhase.MOVING), EMPTY])
def test_no_picture_comes_twice_in_a_row_however_long_nothing_moves(folder: Path, view: CameraView) -> None:
    scene = PhotoScene(load_photo_set(folder))
    frames = [scene.frame(view) for _ in range(20)]
    assert all(one != next_one for one, next_one in pairwise(frames))


def test_the_same_seed_shows_the_same_photographs(folder: Path) -> None:
    shown = [[PhotoScene(load_photo_set(folder), seed).photo_of(piece(1)).name for seed in range(8)] for _ in range(2)]
    assert shown[0] == shown[1]
    assert len(set(shown[0])) > 1


def test_an_unreadable_piece_is_blurred_beyond_reading(folder: Path) -> None:
    scene = PhotoScene(load_photo_set(folder))
    sharp, blurred = (pixels(scene.frame(CameraView(piece(1, unreadable=bad), ViewPhase.STILL))) for bad in (False, True))
    assert cv2.Laplacian(blurred, cv2.CV_64F).var() < cv2.Laplacian(sharp, cv2.CV_64F).var() / 20


def test_an_empty_or_moving_gripper_shows_no_print(folder: Path) -> None:
    scene = PhotoScene(load_photo_set(folder))
    still = cv2.Laplacian(pixels(scene.frame(CameraView(piece(1), ViewPhase.STILL))), cv2.CV_64F).var()
    for view in (EMPTY, CameraView(piece(1), ViewPhase.MOVING), CameraView(piece(1), ViewPhase.AWAY)):
        assert cv2.Laplacian(cv2.GaussianBlur(pixels(scene.frame(view)), (0, 0), 2), cv2.CV_64F).var() < still / 20


@pytest.mark.parametrize(
    ('truth', 'named'),
    [
        ('not json', 'not JSON'),
        ('{}', 'must be a list'),
        ('[]', 'names no photograph'),
        ('[{"file": "a.png"}]', 'must be a list'),
        ('[{"file": "../a.png", "part_number": "X"}]', 'must be a list'),
        ('[{"file": "gone.png", "part_number": "X"}]', 'gone.png'),
    ],
)
def test_a_bad_truth_file_is_refused_with_the_reason(tmp_path: Path, truth: str, named: str) -> None:
    (tmp_path / 'truth.json').write_text(truth)
    with pytest.raises(PhotoError, match=named):
        load_photo_set(tmp_path)


def test_a_missing_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(PhotoError, match='Check parameter folder'):
        load_photo_set(tmp_path / 'nowhere')


def test_parts_without_a_photograph_are_named(folder: Path) -> None:
    load_photo_set(folder).require(['74LS00'])
    with pytest.raises(PhotoError, match='EM1-2U1'):
        load_photo_set(folder).require(['74LS00', 'EM1-2U1'])


def test_a_file_that_is_no_picture_is_refused(folder: Path) -> None:
    (folder / '74LS00_0.png').write_text('no picture')
    with pytest.raises(PhotoError, match='74LS00_0'):
        PhotoScene(load_photo_set(folder))
