import sys
import types

import cv2
import numpy as np
import pytest
from cell_legacy.ocr.engine import OCREngine, parse_paddle_result

BOX = [[1.0, 2.0], [30.0, 2.0], [30.0, 12.0], [1.0, 12.0]]
FRAME = np.full((60, 200, 3), 200, np.uint8)
RELEASE_2 = [[[BOX, ('G8NB-17SR', 0.98)], [BOX, ('OMRON', 0.9)]]]
RELEASE_3 = [{'rec_polys': np.array([BOX, BOX]), 'rec_texts': ['G8NB-17SR', 'OMRON'], 'rec_scores': [0.98, 0.9]}]
EXPECTED = [(BOX, 'G8NB-17SR', 0.98), (BOX, 'OMRON', 0.9)]


class Release2:
    def ocr(self, image, cls):
        self.image, self.cls = image, cls
        return RELEASE_2


class Release3:
    def predict(self, image):
        self.image = image
        return RELEASE_3

    def ocr(self, image):
        raise AssertionError('release 3 deprecates it')


@pytest.mark.parametrize(
    'result', [RELEASE_2, RELEASE_3, [{**RELEASE_3[0], 'rec_polys': None, 'dt_polys': np.array([BOX, BOX])}]]
)
def test_results_of_both_generations_have_one_form(result):
    assert parse_paddle_result(result) == EXPECTED


@pytest.mark.parametrize(
    'result', [None, [], [None], [[]], [{}], [{'rec_texts': [], 'rec_polys': [], 'rec_scores': []}], 'x', 5]
)
def test_a_result_without_text_is_empty(result):
    assert parse_paddle_result(result) == []


@pytest.mark.parametrize('kind', [Release2, Release3])
def test_a_given_model_reads_the_prepared_frame(kind):
    model = kind()
    result = OCREngine(model).run_ocr(FRAME)
    assert result['rec_texts'] == [{'text': 'G8NB-17SR', 'score': 0.98}, {'text': 'OMRON', 'score': 0.9}]
    assert result['det_polygons'] == [BOX, BOX]
    assert (model.image == result['processed_frame']).all() and result['processed_frame'].shape == FRAME.shape


def test_release_2_is_asked_with_its_angle_classifier():
    model = Release2()
    OCREngine(model).run_ocr(FRAME)
    assert model.cls is True


def test_an_installed_paddleocr_is_loaded_for_english_with_its_angle_classifier(monkeypatch):
    asked = {}

    class PaddleOCR(Release3):
        def __init__(self, lang=None, use_textline_orientation=None) -> None:
            asked.update(lang=lang, angle=use_textline_orientation)

    module = types.ModuleType('paddleocr')
    module.PaddleOCR = PaddleOCR
    module.__spec__ = types.SimpleNamespace()
    monkeypatch.setitem(sys.modules, 'paddleocr', module)
    assert isinstance(OCREngine().model, PaddleOCR)
    assert asked == {'lang': 'en', 'angle': True}


def test_the_cells_own_reader_reads_where_paddleocr_is_not_installed():
    frame = np.full((240, 480, 3), 225, np.uint8)
    cv2.putText(frame, 'G8NB-17SR', (60, 130), cv2.FONT_HERSHEY_SIMPLEX, 2, (10, 10, 10), 4, cv2.LINE_AA)
    engine = OCREngine()
    assert engine.model is None
    result = engine.run_ocr(frame)
    assert 'G8NB17SR' in ''.join(item['text'] for item in result['rec_texts']).replace('-', '').replace(' ', '')
    assert len(result['det_polygons']) == len(result['rec_texts'])
    assert result['processed_frame'].shape == frame.shape


def test_a_model_without_a_reading_method_is_refused():
    with pytest.raises(TypeError, match='neither predict nor ocr'):
        OCREngine(object())


def test_a_frame_that_is_no_image_is_refused():
    with pytest.raises(ValueError, match='expected an image'):
        OCREngine(Release3()).run_ocr(None)
