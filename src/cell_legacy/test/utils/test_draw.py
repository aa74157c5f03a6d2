import numpy as np
import pytest
from cell_legacy.utils.draw import draw_ocr_overlays

BOX = [[40, 60], [160, 60], [160, 100], [40, 100]]
RESULT = {'processed_frame': None, 'det_polygons': [BOX], 'rec_texts': [{'text': 'G8NB-17SR', 'score': 0.98}]}


def scene() -> np.ndarray:
    return np.zeros((200, 300, 3), np.uint8)


def has(image: np.ndarray, channel: int) -> np.ndarray:
    others = [n for n in range(3) if n != channel]
    return (image[..., channel] > 100) & (image[..., others].max(axis=2) < 60)


def test_the_polygon_is_green_and_the_label_red_above_it():
    image = draw_ocr_overlays(scene(), RESULT)
    green, red = has(image, 1), has(image, 2)
    assert green[60, 40:160].mean() > 0.9 and green[100, 40:160].mean() > 0.9
    assert red[:60].any() and not red[105:].any()


def test_the_callers_frame_is_not_changed():
    frame = scene()
    draw_ocr_overlays(frame, RESULT)
    assert not frame.any()


def test_a_list_of_texts_is_listed_at_the_top_left():
    image = draw_ocr_overlays(scene(), [{'text': 'A', 'score': 1.0}, {'text': 'B', 'score': 0.5}])
    red = has(image, 2)
    assert red[15:32].any() and red[40:57].any() and not has(image, 1).any()


@pytest.mark.parametrize(
    'polygon', [np.array(BOX), np.array(BOX, np.float32), [[[40, 60]], [[160, 60]], [[160, 100]]], [tuple(p) for p in BOX]]
)
def test_every_form_of_a_polygon_is_drawn(polygon):
    assert has(draw_ocr_overlays(scene(), {**RESULT, 'det_polygons': [polygon]}), 1).any()


@pytest.mark.parametrize(
    'result', [None, [], {}, {'det_polygons': [], 'rec_texts': []}, {'det_polygons': None, 'rec_texts': None}]
)
def test_an_empty_result_draws_nothing(result):
    assert not draw_ocr_overlays(scene(), result).any()


def test_more_texts_than_polygons_and_characters_without_a_font_are_drawn_all_the_same():
    result = {'det_polygons': [BOX], 'rec_texts': [{'text': 'Größe', 'score': 0.9}, {'text': 'B', 'score': 0.8}]}
    assert has(draw_ocr_overlays(scene(), result), 2).any()


def test_polygons_in_one_array_are_drawn():
    assert has(draw_ocr_overlays(scene(), {**RESULT, 'det_polygons': np.array([BOX])}), 1).any()


@pytest.mark.parametrize(
    'polygons', [[[]], [None], [np.zeros((0, 2))], [[[float('nan'), 1], [2, 3]]], np.array([]), np.zeros((0, 4, 2))]
)
def test_a_text_without_a_polygon_is_listed_at_the_top_left(polygons):
    image = draw_ocr_overlays(scene(), {**RESULT, 'det_polygons': polygons})
    assert has(image, 2)[15:32].any() and not has(image, 1).any()


@pytest.mark.parametrize('item', [{'text': 'A'}, {'text': 'A', 'score': None}])
def test_a_text_without_a_score_is_drawn(item):
    assert has(draw_ocr_overlays(scene(), [item]), 2).any()
    assert has(draw_ocr_overlays(scene(), np.array([item])), 2).any()


def test_an_empty_array_draws_nothing():
    assert not draw_ocr_overlays(scene(), np.array([])).any()
