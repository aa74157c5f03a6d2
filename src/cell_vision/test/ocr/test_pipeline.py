"""The real engine on drawn text, and the way from bytes to a reading."""

from __future__ import annotations

import sys

import cv2
import numpy as np
import pytest
from cell_vision.likelihoods import CLASSES
from cell_vision.ocr.engines.base import BadImageError, EngineError, EngineOptions
from cell_vision.ocr.engines.ctc_decoder import DecodedText
from cell_vision.ocr.engines.inference import disable_openvino_telemetry, select_backend
from cell_vision.ocr.engines.ppocr import PpOcrEngine
from cell_vision.ocr.engines.ppocr_ops import TextStrip, text_boxes
from cell_vision.ocr.engines.registry import make_engine
from cell_vision.ocr.fusion import merge_passes
from cell_vision.ocr.pipeline import decode, is_confident, no_deadline, read_frame, read_image
from cell_vision.ocr.plate_detector import Plate, corners, crop_plate, detect_faint_print, detect_plates, stretch_contrast
from cell_vision.ocr.worker.main import execute_job
from cell_vision.types import UNREAD, Reading


def read(engine, image, deadline_passed=no_deadline, **options):
    return read_image(engine, image, options, deadline_passed)


def texts(readings):
    return [reading.text for reading in readings]


@pytest.mark.parametrize('text', ['EM1-2U1', 'G8NB-17SR', 'HF115F-012', 'SN74LS192N', 'DT04-2P'])
def test_drawn_text_is_read_exactly(engine, draw, text):
    (reading,) = engine.read(draw(text))
    assert reading.text == text and reading.score > 0.8
    xs, ys = zip(*reading.polygon, strict=True)
    assert 250 < min(xs) < 340 and 280 < min(ys) < max(ys) < 420


@pytest.mark.parametrize(
    'turn, corner',
    [(None, (0, 0)), (cv2.ROTATE_180, (1, 1)), (cv2.ROTATE_90_CLOCKWISE, (1, 0)), (cv2.ROTATE_90_COUNTERCLOCKWISE, (0, 1))],
)
def test_text_is_read_in_all_four_directions_and_its_polygon_begins_at_its_own_top_left(engine, draw, turn, corner):
    image = draw('HF115F-012') if turn is None else cv2.rotate(draw('HF115F-012'), turn)
    (reading,) = engine.read(image)
    assert reading.text == 'HF115F-012'
    points = np.array(reading.polygon)
    expected = np.where(corner, points.max(0), points.min(0))
    assert np.abs(points[0] - expected).max() < 12


def test_a_blank_picture_holds_no_text(engine):
    assert tuple(engine.read(np.full((480, 640, 3), 128, np.uint8))) == ()


def test_the_rapidocr_engine_reads_the_same(draw):
    other = make_engine('rapidocr', EngineOptions())
    assert other.name.startswith('rapidocr 3.')
    assert texts(other.read(draw('G8NB-17SR', 'COIL 12VDC'))) == ['G8NB-17SR', 'COIL 12VDC']


def test_the_engine_reads_with_onnx_runtime_too(draw):
    other = make_engine('ppocr', EngineOptions(backend='onnxruntime'))
    assert texts(other.read(draw('G8NB-17SR'))) == ['G8NB-17SR']


def test_missing_models_are_named_and_nothing_is_downloaded(tmp_path):
    for name in ('ppocr', 'rapidocr'):
        with pytest.raises(EngineError, match=r'ch_PP-OCRv4_det_mobile\.onnx.*model_dir'):
            make_engine(name, EngineOptions(model_dir=str(tmp_path)))


def test_an_unknown_engine_or_backend_is_refused():
    with pytest.raises(EngineError, match='ppocr'):
        make_engine('crystal ball', EngineOptions())
    with pytest.raises(EngineError, match='install'):
        select_backend('no_such_library')


def test_openvino_does_not_report_its_use():
    disable_openvino_telemetry()
    with pytest.raises(ImportError):
        __import__('openvino_telemetry')
    assert sys.modules['openvino_telemetry'] is None


def png(image):
    return bytes(cv2.imencode('.png', image)[1])


@pytest.mark.parametrize('kind', ['jpeg', 'png', 'gray', '16 bit', 'with alpha'])
def test_pictures_of_every_kind_are_read(engine, draw, compress, kind):
    image = draw('EM1-2U1')
    gray = cv2.cvtColor(image, cv2.COLOR_BGR2GRAY)
    data = {
        'jpeg': compress(image),
        'png': png(image),
        'gray': png(gray),
        '16 bit': png(gray.astype(np.uint16) * 256),
        'with alpha': png(cv2.cvtColor(image, cv2.COLOR_BGR2BGRA)),
    }[kind]
    result = read_frame(engine, data, {})
    assert 'EM1-2U1' in texts(result.readings) and (result.width, result.height) == (1280, 720)


@pytest.mark.parametrize('data', [b'', b'no picture', b'\xff\xd8\xff\xe0cut short', png(np.zeros((1, 1, 3), np.uint8))])
def test_hostile_bytes_are_a_bad_image(data):
    with pytest.raises(BadImageError):
        decode(data)


def test_a_truncated_jpeg_ends_in_a_reading_or_a_clear_error(engine, draw, compress):
    data = compress(draw('EM1-2U1'))
    for share in (0.1, 0.5, 0.9):
        try:
            read_frame(engine, data[: int(len(data) * share)], {})
        except BadImageError as error:
            assert str(error)


def test_a_very_large_frame_is_read(engine):
    image = np.full((4320, 7680, 3), 210, np.uint8)
    cv2.putText(image, 'EM1-2U1', (2000, 2200), cv2.FONT_HERSHEY_SIMPLEX, 14, (20, 20, 20), 30)
    assert 'EM1-2U1' in texts(read(engine, image))


def chip(angle: float, *, ink: int = 235, body: int = 40, scale: float = 1.0) -> np.ndarray:
    """A dark body with light print on a bright ground."""
    high, wide = round(130 * scale), round(420 * scale)
    part = np.full((high, wide, 3), body, np.uint8)
    at, thick = (round(30 * scale), round(85 * scale)), max(1, round(4 * scale))
    cv2.putText(part, 'SN74LS192N', at, cv2.FONT_HERSHEY_SIMPLEX, 1.8 * scale, (ink, ink, ink), thick, cv2.LINE_AA)
    matrix = cv2.getRotationMatrix2D((wide / 2, high / 2), angle, 1.0)
    matrix[:, 2] += (640 - wide / 2, 360 - high / 2)
    return cv2.warpAffine(part, matrix, (1280, 720), borderValue=(245, 245, 245), flags=cv2.INTER_LINEAR)


@pytest.mark.parametrize('angle', [0, 17, 45, 90, 135, 180, 200, 300])
def test_a_dark_body_is_found_and_read_at_any_angle(engine, angle):
    image = chip(angle)
    (plate,) = detect_plates(image)
    assert abs(plate.x - 640) < 6 and abs(plate.y - 360) < 6
    assert abs(plate.long - 420) < 20 and abs(plate.short - 130) < 20
    readings = read(engine, image)
    assert 'SN74LS192N' in texts(readings)
    middle = np.mean(next(r for r in readings if r.text == 'SN74LS192N').polygon, axis=0)
    assert np.hypot(*(middle - (640, 360))) < 40


def test_a_bright_label_is_found(draw):
    image = np.full((720, 1280, 3), 60, np.uint8)
    image[200:420, 300:800] = 240
    (plate,) = detect_plates(image)
    assert abs(plate.area - 500 * 220) < 0.1 * plate.area
    assert crop_plate(image, plate).image.mean() > 200


@pytest.mark.parametrize('image', [np.full((720, 1280, 3), 128, np.uint8), np.zeros((4, 9, 3), np.uint8)])
def test_a_frame_without_a_part_has_no_plate(image):
    assert detect_plates(image) == []


def test_faint_print_is_read_after_stretching(engine):
    image = chip(10, ink=52)
    assert 'SN74LS192N' in texts(read(engine, image))
    (plate,) = detect_plates(image)
    piece = crop_plate(image, plate).image
    assert np.ptp(stretch_contrast(piece)) > 5 * np.ptp(piece[20:-20, 20:-20])


def test_a_careful_look_reads_what_the_quick_one_reads(engine):
    assert 'SN74LS192N' in texts(read(engine, chip(30), careful=True))


def box(text, score, x=100.0, y=100.0, wide=180.0, high=30.0):
    return Reading(text, score, ((x, y), (x + wide, y), (x + wide, y + high), (x, y + high)))


def test_of_two_readings_of_one_place_the_better_one_stays():
    assert texts(merge_passes([[box('74LS19', 0.6)], [box('74LS192', 0.9, x=104)]], keep_contradictions=False)) == ['74LS192']


def test_readings_that_contradict_each_other_are_both_kept_when_asked_for():
    looks = [[box('74LS192', 0.95)], [box('74LS193', 0.9, x=102)], [box('74LS192', 0.94)], [box('7ALS1', 0.5)]]
    assert sorted(texts(merge_passes(looks, keep_contradictions=True))) == ['74LS192', '74LS193']


def test_readings_of_different_places_all_stay_in_reading_order():
    assert texts(merge_passes([[box('B', 0.9, y=200)], [box('A', 0.8)]], keep_contradictions=False)) == ['A', 'B']


@pytest.mark.parametrize(
    'text, score, good', [('74LS192', 0.9, True), ('74LS192', 0.7, False), ('20', 0.99, False), ('MALAYSIA', 0.99, False)]
)
def test_a_good_reading_is_long_certain_and_has_digits(text, score, good):
    assert is_confident([box(text, score)]) is good


def test_a_second_part_with_faint_print_is_found_too():
    image = np.full((720, 1280, 3), 40, np.uint8)
    cv2.putText(image, '74LS192', (150, 350), cv2.FONT_HERSHEY_SIMPLEX, 2.0, (230, 230, 230), 5)
    assert len(detect_plates(image)) == 1
    cv2.putText(image, 'EM1-2U4', (850, 350), cv2.FONT_HERSHEY_SIMPLEX, 1.2, (90, 90, 90), 3)
    assert len(detect_plates(image)) == 2


def two_parts(print_of_the_second):
    image = np.full((720, 1280, 3), 40, np.uint8)
    for x, text in ((80, 'EM1-2U1'), (820, print_of_the_second)):
        image[280:400, x : x + 380] = 230
        cv2.putText(image, text, (x + 30, 360), cv2.FONT_HERSHEY_SIMPLEX, 2.0, (20, 20, 20), 5, cv2.LINE_AA)
    return image


def in_the_dark(text, contrast=14):
    """A bright label, and print in the dark far from it, on grain."""
    image = two_parts('')
    image[:, 700:] = 40
    cv2.putText(image, text, (820, 360), cv2.FONT_HERSHEY_SIMPLEX, 0.9, (40 + contrast,) * 3, 2, cv2.LINE_AA)
    grain = np.random.default_rng(3).normal(0, 2.0, image.shape)
    return np.clip(image + grain, 0, 255).astype(np.uint8)


def test_print_in_the_dark_beside_a_bright_label_is_read(engine):
    image = in_the_dark('DT04-2P')
    (place,) = detect_faint_print(image, detect_plates(image))
    assert place.contains(890, 350) and len(detect_plates(image)) == 1
    assert {'EM1-2U1', 'DT04-2P'} <= set(texts(read(engine, image)))


@pytest.mark.parametrize('image', [in_the_dark(''), in_the_dark('DT04-2P', 2), two_parts('DT04-2P')])
def test_no_print_is_looked_for_where_there_is_none_beside_what_is_known(engine, image):
    assert detect_faint_print(image, detect_plates(image)) == []
    assert UNREAD not in texts(read(engine, image))


@pytest.mark.parametrize('careful', [False, True])
def test_a_part_without_legible_print_beside_one_that_was_read_is_reported(engine, careful):
    readings = read(engine, two_parts('_-_-_-_-'), careful=careful)
    (further,) = (reading for reading in readings if reading.text == UNREAD)
    assert 'EM1-2U1' in texts(readings) and abs(np.mean(further.polygon, axis=0)[0] - 1010) < 40
    assert UNREAD not in texts(read(engine, two_parts('DT04-2P'), careful=careful))
    assert UNREAD not in texts(read(engine, two_parts('_-_-_-_-')[:, 640:], careful=careful))


def test_a_part_that_the_frames_rim_cuts_is_a_second_part_too(engine):
    assert UNREAD in texts(read(engine, two_parts('_-_-_-_-')[:, :1150]))


def test_a_dark_corner_of_the_frame_is_no_part_without_print(engine):
    image = 255 - two_parts('')
    image[:, 640:] = 215
    image[640:, 1120:] = 60
    image[500:, 900:] = cv2.GaussianBlur(image[500:, 900:], (0, 0), 9)
    assert len(detect_plates(image)) == 2
    assert 'EM1-2U1' in texts(found := read(engine, image)) and UNREAD not in texts(found)


def test_a_look_that_reads_on_where_the_best_one_ends_counts_although_it_is_less_certain():
    looks = [[box('4LS02N', 0.95)], [box('4LS02N', 0.89)], [box('SN74LS02N', 0.84)]]
    assert sorted(texts(merge_passes(looks, keep_contradictions=True))) == ['4LS02N', 'SN74LS02N']


@pytest.mark.parametrize('longer, score', [('SN74LS02N', 0.78), ('SN74LSO3N', 0.84)])
def test_a_look_that_reads_on_poorly_or_reads_something_else_does_not_count(longer, score):
    looks = [[box('4LS02N', 0.95)], [box('4LS02N', 0.89)], [box(longer, score)]]
    assert texts(merge_passes(looks, keep_contradictions=True)) == ['4LS02N']


@pytest.mark.parametrize('scores, middle', [((0.89, 0.98, 0.89), 0.89), ((0.89, 0.98, 0.97), 0.97), ((0.89, 0.98), 0.89)])
def test_of_careful_looks_most_must_be_sure(scores, middle):
    looks = [[box('74LS03', score)] for score in scores]
    assert [reading.score for reading in merge_passes(looks, keep_contradictions=True)] == [middle]
    assert [reading.score for reading in merge_passes(looks, keep_contradictions=False)] == [max(scores)]


@pytest.mark.parametrize('x, angle, apart', [(500, 0, True), (400, 0, False), (500, 90, True), (330, 90, False)])
def test_what_a_turn_would_make_touch_a_part_does_not_stand_apart(x, angle, apart):
    assert Plate(100, 100, 300, 100, 0).is_separate_from(Plate(x, 100, 300, 60, angle)) is apart


def test_a_point_is_held_by_a_turned_plate():
    plate = Plate(100, 100, 200, 40, 90)
    assert plate.contains(100, 190) and not plate.contains(190, 100)
    assert {(round(x), round(y)) for x, y in corners(plate)} == {(80, 0), (120, 0), (120, 200), (80, 200)}


@pytest.mark.parametrize(
    'scores, text, first',
    [((0.55, 0.9), 'DT04-2P', (200, 48)), ((0.55, 0.6), 'dZ-t0LO', (0, 0)), ((0.9, 0.99), 'dZ-t0LO', (0, 0))],
)
def test_a_poor_line_is_read_the_other_way_up_too(monkeypatch, scores, text, first):
    engine = PpOcrEngine(EngineOptions())
    ways = iter(
        [DecodedText('dZ-t0LO', scores[0], doubtful=False, sure=()), DecodedText('DT04-2P', scores[1], doubtful=False, sure=())]
    )
    monkeypatch.setattr(engine, '_run', lambda _: (next(ways), np.zeros((4, CLASSES), np.float32)))
    reading = engine.recognize(TextStrip(np.zeros((48, 200, 3), np.uint8), ((0, 0), (200, 0), (200, 48), (0, 48))))
    assert (reading.text, reading.polygon[0]) == (text, first)


def test_specks_of_probability_are_no_text():
    probability = np.zeros((64, 64), np.float32)
    probability[10:12, 10:12] = 0.9
    assert text_boxes(probability) == []
    probability[30:40, 10:50] = 0.9
    (found,) = text_boxes(probability)
    assert found[0][0] < 10 and found[0][1] < 30


class Counting:
    """The engine, and how large the pictures were that it was given."""

    name = 'counting'

    def __init__(self, engine):
        self.engine, self.sizes = engine, []

    def read(self, image, detector_side=0, enlarge=1.0):
        self.sizes.append(image.shape[:2])
        return self.engine.read(image, detector_side, enlarge)


def test_the_region_of_the_last_part_is_looked_at_first_and_alone_when_it_reads_well(engine, draw, compress):
    data = compress(draw('EM1-2U1'))
    first = read_frame(engine, data, {'crop_side': 480})
    counting = Counting(engine)
    again = read_frame(counting, data, {'crop_side': 480, 'region': first.crop.polygon})
    assert [reading.text for reading in again.readings] == ['EM1-2U1']
    assert len(counting.sizes) == 1 and counting.sizes[0][1] < 0.7 * again.width
    assert abs(again.readings[0].polygon[0][0] - first.readings[0].polygon[0][0]) < 12


@pytest.mark.parametrize(
    'region',
    [
        ((10.0, 10.0), (200.0, 10.0), (200.0, 90.0), (10.0, 90.0)),
        ((330.0, 290.0), (520.0, 290.0), (520.0, 380.0), (330.0, 380.0)),
        ((5.0, 5.0), (5.0, 5.0), (5.0, 5.0), (5.0, 5.0)),
    ],
    ids=['empty', 'cuts the print', 'no area'],
)
def test_a_part_that_lies_elsewhere_is_found_all_the_same(engine, draw, compress, region):
    result = read_frame(engine, compress(draw('EM1-2U1')), {'region': region})
    assert [reading.text for reading in result.readings] == ['EM1-2U1']


@pytest.mark.parametrize('late', [True, False])
def test_a_careful_look_that_is_late_answers_what_was_read(engine, late):
    counting = Counting(engine)
    assert 'SN74LS192N' in texts(read(counting, chip(30), careful=True, deadline_passed=lambda: late))
    assert (len(counting.sizes) == 1) is late


@pytest.mark.parametrize(('budget', 'late'), [(1e-9, True), (100.0, False), (None, False)])
def test_the_worker_is_late_when_the_time_for_looks_is_over(engine, draw, compress, budget, late):
    counting = Counting(engine)
    result, _ = execute_job(counting, {'careful': True, 'budget': budget}, compress(draw('EM1-2U1')))
    assert result['readings'] and (len(counting.sizes) == 1) is late


SLANTED = ((0.0, 0.0), (100.0, 20.0), (98.0, 40.0), (-2.0, 20.0))


@pytest.mark.parametrize(
    ('certain', 'other', 'asked'),
    [(0.99, SLANTED, 1), (0.02, SLANTED, 1), (0.6, SLANTED, 2), (0.99, (*SLANTED[1:], SLANTED[0]), 2)],
)
def test_the_longest_line_of_a_plate_says_which_way_up_it_is(monkeypatch, certain, other, asked):
    engine, asked_for = PpOcrEngine(EngineOptions()), []
    monkeypatch.setattr(engine, '_is_upside_down', lambda strip: asked_for.append(strip) or certain)
    longest, shorter = TextStrip(np.zeros((20, 100, 3), np.uint8), SLANTED), TextStrip(np.zeros((20, 60, 3), np.uint8), other)
    upright = engine.fix_orientation([shorter, longest], one_plate=True)
    assert asked_for == [longest, shorter][:asked]
    assert [strip.polygon == was.polygon for strip, was in zip(upright, (shorter, longest), strict=True)] == [certain < 0.9] * 2
    asked_for.clear()
    engine.fix_orientation([shorter, longest], one_plate=False)
    assert len(asked_for) == 2
