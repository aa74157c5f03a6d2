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
    'result',
    [
        RELEASE_2,
        RELEASE_2[0],
        [[(BOX, ('G8NB-17SR', np.float32(0.98))), (BOX, ('OMRON', 0.9))]],
        RELEASE_3,
        RELEASE_3[0],
        (page for page in RELEASE_3),
        [{'res': RELEASE_3[0]}],
        [{**RELEASE_3[0], 'rec_polys': None, 'dt_polys': np.array([BOX, BOX])}],
        [{**RELEASE_3[0], 'rec_polys': [], 'rec_boxes': np.array([[1, 2, 30, 12], [1, 2, 30, 12]])}],
    ],
)
def test_results_of_both_generations_have_one_form(result):
    found = parse_paddle_result(result)
    assert [(polygon, text) for polygon, text, _ in found] == [(polygon, text) for polygon, text, _ in EXPECTED]
    assert [score for *_, score in found] == pytest.approx([0.98, 0.9])


def test_the_flat_result_of_one_line_is_read():
    assert parse_paddle_result(RELEASE_2[0][:1]) == EXPECTED[:1]


def test_texts_without_scores_or_polygons_are_kept(caplog):
    page = RELEASE_3[0]
    assert parse_paddle_result([{**page, 'rec_scores': None}]) == [(BOX, 'G8NB-17SR', 0.0), (BOX, 'OMRON', 0.0)]
    assert parse_paddle_result([{**page, 'rec_polys': [BOX]}]) == [([], 'G8NB-17SR', 0.98), ([], 'OMRON', 0.9)]
    assert parse_paddle_result([{**page, 'rec_scores': [None, 0.9]}])[0] == (BOX, 'G8NB-17SR', 0.0)
    assert 'no polygon for each of its 2 texts' in caplog.text
    assert parse_paddle_result([[('G8NB-17SR', 0.98), ('OMRON', 0.9)]]) == [([], 'G8NB-17SR', 0.98), ([], 'OMRON', 0.9)]


@pytest.mark.parametrize(
    'result', ['x', b'x', 5, [{}], [{'texts': ['A']}], [5], ['AB'], [[BOX, BOX]], [np.ones((2, 2))], [['A', 'B']]]
)
def test_a_result_of_an_unknown_form_is_named_in_the_log(result, caplog):
    assert parse_paddle_result(result) == []
    assert 'unknown form' in caplog.text


@pytest.mark.parametrize('result', [None, [], [None], [[]], [{'rec_texts': [], 'rec_polys': [], 'rec_scores': []}]])
def test_a_result_without_text_is_empty(result, caplog):
    assert parse_paddle_result(result) == []
    assert not caplog.text


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


@pytest.mark.parametrize(
    'frame', [FRAME[..., 0], FRAME[..., :1], np.dstack([FRAME, FRAME[..., 0]]), (FRAME / 255).astype(np.float32)]
)
def test_every_usual_form_of_a_frame_is_read(frame):
    model = Release3()
    assert OCREngine(model).run_ocr(frame)['processed_frame'].shape == FRAME.shape
    assert model.image.dtype == np.uint8


def test_a_frame_of_another_scale_is_refused_with_the_remedy():
    with pytest.raises(ValueError, match='scale it'):
        OCREngine(Release3()).run_ocr(FRAME.astype(np.float32))
