"""The pictures: the same for the same seed, read by a real OCR engine, cheap while nothing changes."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import cv2
import numpy as np
import pytest
from cell_common.catalogue import Part
from cell_sim.camera.label_renderer import code_text, style_of
from cell_sim.camera.rendered_scene import HEIGHT, WIDTH, RenderedScene
from cell_sim.world.parts import PhysicalPart
from cell_sim.world.world import EMPTY, CameraView, ViewPhase

pytestmark = pytest.mark.slow

NUMBERS = (
    'EM1-2U1',
    'G8NB-17SR',
    'G8NB-17SU',
    'HF115F-012',
    'HF115F-024',
    'DT04-2P',
    'V23134-A52',
    'SRD-05VDC',
    'MY4N-24',
    'JQX-15F',
)
Read = Callable[[bytes], list[str]]


def still(part_number: str, *, unreadable: bool = False, ordinal: int = 1) -> CameraView:
    return CameraView(PhysicalPart(part_number, unreadable, f'{part_number}/1/{ordinal}'), ViewPhase.STILL)


def pixels(jpeg: bytes) -> Any:
    return cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_COLOR)


@pytest.fixture(scope='module')
def read() -> Read:
    rapidocr = pytest.importorskip('rapidocr')
    engine = rapidocr.RapidOCR(
        params={
            'Global.log_level': 'error',
            'Det.limit_type': 'max',
            'Det.limit_side_len': 640,
            'EngineConfig.onnxruntime.intra_op_num_threads': 1,
            'EngineConfig.onnxruntime.inter_op_num_threads': 1,
        }
    )
    return lambda jpeg: [text.strip() for text in engine(pixels(jpeg)).txts or ()]


@pytest.fixture(scope='module')
def scene() -> RenderedScene:
    return RenderedScene({}, seed=5)


def test_a_frame_has_the_cameras_size(scene: RenderedScene) -> None:
    assert pixels(scene.frame(still('EM1-2U1'))).shape == (HEIGHT, WIDTH, 3)


def test_the_same_seed_gives_the_same_frames() -> None:
    views = [EMPTY, still('EM1-2U1'), still('G8NB-17SR', unreadable=True), CameraView(still('EM1-2U1').piece, ViewPhase.MOVING)]
    one, other = ([scene.frame(view) for view in views] for scene in (RenderedScene({}, 3), RenderedScene({}, 3)))
    assert one == other


def test_another_seed_or_another_piece_gives_another_picture(scene: RenderedScene) -> None:
    piece = still('EM1-2U1').piece
    assert piece is not None
    assert not np.array_equal(scene.render(piece), RenderedScene({}, 6).render(piece))
    assert not np.array_equal(scene.render(piece), scene.render(PhysicalPart('EM1-2U1', False, 'EM1-2U1/1/2')))


def test_a_part_is_always_printed_in_its_makers_style() -> None:
    assert style_of('EM1-2U1') == style_of('EM1-2U1')
    assert len({style_of(number) for number in NUMBERS}) == len(NUMBERS)


def test_noise_differs_from_frame_to_frame(scene: RenderedScene) -> None:
    view = still('DT04-2P')
    first, second = pixels(scene.frame(view)).astype(int), pixels(scene.frame(view)).astype(int)
    difference = np.abs(first - second)
    assert 0.5 < difference.mean() < 8


def test_a_part_that_is_away_leaves_the_empty_scene(scene: RenderedScene) -> None:
    away = pixels(scene.frame(CameraView(still('EM1-2U1').piece, ViewPhase.AWAY))).astype(int)
    assert np.abs(away - pixels(scene.frame(EMPTY))).mean() < 8
    assert np.abs(away - pixels(scene.frame(still('EM1-2U1')))).mean() > 20


def test_a_still_scene_costs_next_to_nothing(scene: RenderedScene) -> None:
    view = still('EM1-2U1')
    for _ in range(10):
        scene.frame(view)
    started = time.process_time()
    for _ in range(100):
        scene.frame(view)
    assert time.process_time() - started < 0.05


@pytest.mark.parametrize('number', ['EM1-2U1', 'G8NB-17SR'])
def test_a_label_is_read_by_the_real_engine(scene: RenderedScene, read: Read, number: str) -> None:
    assert number in read(scene.frame(still(number)))


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_what_else_is_printed_on_a_part_is_read_too(read: Read) -> None:
    scene = RenderedScene({'74LS192': ('SN74LS192N',), 'EM1-2U1': ('ORDER-4711',)})
    assert 'SN74LS192N' in read(scene.frame(still('74LS192')))
    texts = read(scene.frame(still('EM1-2U1')))
    assert {'EM1-2U1', 'ORDER-4711'} <= set(texts)


def test_an_empty_scene_holds_no_text(scene: RenderedScene, read: Read) -> None:
    assert read(scene.frame(EMPTY)) == []


def test_a_moving_label_is_not_read(scene: RenderedScene, read: Read) -> None:
    assert 'G8NB-17SR' not in read(scene.frame(CameraView(still('G8NB-17SR').piece, ViewPhase.MOVING)))


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_nearly_every_label_is_read_exactly_across_seeds(read: Read) -> None:
    scenes = [RenderedScene({}, seed) for seed in (1, 2)]
    hits = [number in read(scene.frame(still(number))) for number in NUMBERS for scene in scenes]
    assert sum(hits) / len(hits) >= 0.95


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_no_unreadable_label_is_read(read: Read) -> None:
    scene = RenderedScene({}, 2)
    for number in NUMBERS:
        assert number not in read(scene.frame(still(number, unreadable=True)))


@pytest.mark.parametrize(('code', 'text'), [('4711', '4711'), ('EM1-2U1(;.*)?', 'EM1-2U1'), ('P[0-9]+', ''), ('', '')])
def test_a_label_carries_the_code_that_the_catalogue_names_when_it_is_plain(code: str, text: str) -> None:
    assert code_text(Part('EM1-2U1', 'A', (), code=code)) == text


def test_the_code_on_a_label_is_read_in_the_cameras_picture_and_hides_no_print(read: Read) -> None:
    from cell_vision.ocr.barcodes import read_barcodes

    parts = ['EM1-2U1', 'G8NB-17SR', 'HF115F-012', 'JQX-15F']
    scene = RenderedScene({}, 7, {part: f'{part};A' for part in parts})
    for part in parts:
        jpeg = scene.frame(still(part))
        assert [found.text for found in read_barcodes(pixels(jpeg), ['DataMatrix'])] == [f'{part};A']
        assert part in read(jpeg)
    assert not read_barcodes(pixels(scene.frame(still('MY2N-24'))), ['DataMatrix'])
