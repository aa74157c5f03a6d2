"""What is made of the recognizer's probabilities: characters, and how sure a number is."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from cell_vision.ocr.engines.base import EngineOptions
from cell_vision.ocr.engines.ctc_decoder import PRINTED, CtcDecoder, DecodedText, fuse_readings
from cell_vision.ocr.engines.ppocr import PpOcrEngine
from cell_vision.ocr.engines.ppocr_ops import TextStrip


def test_ctc_repeats_are_one_character_and_foreign_ones_are_left_out():
    alphabet = CtcDecoder(['A', '口', '1'])
    steps = np.array([1, 1, 0, 1, 3, 3, 2], int)
    probabilities = np.full((len(steps), 5), 0.01)
    probabilities[np.arange(len(steps)), steps] = 0.9
    read = alphabet.decode(probabilities)
    assert read.text[:3] == 'AA1' and '口' not in read.text and 0 < read.score <= 0.9
    assert alphabet.decode(np.eye(5)[[0, 0]]) == DecodedText('', 0.0, doubtful=False, sure=())
    assert '口' not in PRINTED


def decoded(text, other='', share=0.0, sure=0.98, at=()):
    """Decode a text whose last character has the probability `sure`, and another there, or `at`, so much a share of it."""
    known = sorted(set(text + other))
    steps = np.full((2 * len(text), len(known) + 2), 0.0)
    for i, character in enumerate(text):
        steps[2 * i, known.index(character) + 1] = 0.98 if i < len(text) - 1 else sure
        steps[2 * i + 1, 0] = 1.0
    for i in np.atleast_1d(at if other and at else (len(text) - 1) if other else np.array([], int)):
        steps[2 * i, known.index(other) + 1] = share * sure
    return CtcDecoder(known).decode(steps)


@pytest.mark.parametrize('share, read', [(0.02, '12U'), (0.04, '12V')])
def test_a_u_that_the_recognizer_also_reads_as_v_is_a_dotted_v(share, read):
    assert decoded('12U', 'V', share).text == read


@pytest.mark.parametrize(
    'text, other, share, sure, doubtful',
    [
        ('74L5', 'S', 0.01, 0.98, False),
        ('74L05', 'S', 0.01, 0.98, True),
        ('74L05', 'S', 0.001, 0.98, False),
        ('74L05', '', 0.0, 0.8, True),
        ('ELCORA', '', 0.0, 0.8, False),
        ('74L04', 'S', 0.01, 0.98, False),
    ],
)
def test_a_number_with_a_character_in_doubt_is_read_again(text, other, share, sure, doubtful):
    assert decoded(text, other, share, sure).doubtful is doubtful


@pytest.mark.parametrize(
    ('text', 'steps', 'read'),
    [
        ('74L.S00', (0, 4, 8, 11, 12, 16, 20), '74LS00'),
        ('12.5A', (0, 4, 8, 11, 15), '12.5A'),
        ('CAT.II', (0, 4, 8, 11, 14, 17), 'CAT.II'),
        ('.74', (0, 1, 5), '.74'),
        ('74.', (0, 4, 6), '74.'),
        ('7.', (0, 2), '7.'),
        ('.', (3,), '.'),
        ('74L:S00', (0, 4, 8, 11, 12, 16, 20), '74LS00'),
        ('LOT:74', (0, 4, 8, 11, 15, 19), 'LOT:74'),
        ('-', (3,), '-'),
        ('G5--14', (0, 4, 8, 10, 13, 17), 'G5-14'),
        ('G5-.-4', (0, 4, 8, 10, 13, 17), 'G5-.-4'),
    ],
)
def test_a_dot_that_takes_no_room_is_a_scratch_and_a_dash_behind_a_dash_its_end(text, steps, read):
    known = sorted(set(text))
    probabilities = np.zeros((max(steps) + 2, len(known) + 2))
    probabilities[:, 0] = 0.5
    for step, character in zip(steps, text, strict=True):
        probabilities[step, known.index(character) + 1] = 1.0
    assert CtcDecoder(known).decode(probabilities).text == read


@pytest.mark.parametrize(
    'sharp, soft, together',
    [
        (('74L502', 0.96), ('74LS02', 0.97), ('74LS02', 0.97)),
        (('74L502', 0.96), ('74LS02', 0.91), ('74LS02', 0.91)),
        (('74LS02', 0.96), ('74LSO2', 0.85), ('74LS02', 0.96)),
        (('74LS02', 0.92), ('74LS02', 0.97), ('74LS02', 0.97)),
        (('74LS00', 0.96), ('74LSOO', 0.95), ('74LS00', 0.96)),
        (('74L501', 0.96), ('74LSOI', 0.95), ('74LS01', 0.95)),
        (('74LS03', 0.97), ('74LS83', 0.97), ('74LS03', 0.97)),
        (('74LS03', 0.91), ('74LS83', 0.97), ('74LS83', 0.97)),
        (('74LS03', 0.97), ('74LS83', 0.90), ('74LS03', 0.97)),
        (('74LS09N A', 0.94), ('74LS09NA', 0.98), ('74LS09NA', 0.98)),
        (('74LS82', 0.80), ('74LS02', 0.97), ('74LS02', 0.97)),
        (('74LS2', 0.95), ('74LS02', 0.97), ('74LS02', 0.97)),
        (('EM1-2U1', 0.97), ('EM1-201', 0.92), ('EM1-2U1', 0.97)),
        (('EM1 -2U1', 0.95), ('EM1-201', 0.94), ('EM1-2U1', 0.94)),
        (('HF115F', 0.97), ('HE115F', 0.97), ('HF115F', 0.97)),
        (('SRD-05VDC', 0.92), ('SRD-05UDC', 0.93), ('SRD-05VDC', 0.92)),
        (('SRD-05UDC', 0.90), ('SRD-05VDC', 0.96), ('SRD-05VDC', 0.96)),
        (('7A 250VAC CAT.II', 0.92), ('7A 250VAC-CAT.I', 0.93), ('7A 250VAC-CAT.I', 0.93)),
    ],
)
def test_the_softened_strip_counts_unless_it_lost(sharp, soft, together):
    assert fuse_readings(*(DecodedText(text, score, True, (score,) * len(text)) for text, score in (sharp, soft))) == together


@pytest.mark.parametrize(
    ('sharp', 'soft', 'together'),
    [
        (('1', 0.6, 0.35), ('I', 0.55, 0.20), 'I'),
        (('1', 0.6, 0.05), ('I', 0.55, 0.20), '1'),
        (('I', 0.5, 0.4), ('1', 0.9, 0.1), '1'),
        (('0', 0.75, 0.2), ('U', 0.8, 0.001), 'U'),
        (('0', 0.99, 0.0), ('U', 0.8, 0.0), '0'),
    ],
)
def test_of_two_that_look_alike_the_likelier_by_both_readings_counts(sharp, soft, together):
    readings = [
        DecodedText(f'EM1-2U{read}', 0.9, True, (0.9,) * 6 + (likely,), fine=({},) * 6 + ({other: less},))
        for (read, likely, less), other in ((sharp, soft[0]), (soft, sharp[0]))
    ]
    assert fuse_readings(*readings)[0] == f'EM1-2U{together}'


def test_the_probability_of_what_looks_alike_comes_with_the_text():
    probabilities = np.zeros((6, 5))
    probabilities[0, 1:4] = 0.0, 0.6, 0.3
    probabilities[2, 1:4] = 0.9, 0.0, 0.1
    probabilities[4, 1:4] = 0.7, 0.2, 0.1
    decoded = CtcDecoder('21I').decode(probabilities)
    assert decoded.text == '122'
    assert [dict(fine) for fine in decoded.fine] == [{'I': pytest.approx(0.3)}, {}, {}]


def test_readings_of_the_same_text_are_as_sure_as_the_surer_one():
    sharp, soft = (DecodedText('JQX-15F', score, True, (score,) * 7) for score in (0.92, 0.98))
    assert fuse_readings(sharp, soft) == ('JQX-15F', 0.98)


@pytest.mark.parametrize(
    ('text', 'other', 'place', 'share', 'read'),
    [
        ('74LSO1N', '0', 4, 0.1, '74LS01N'),
        ('74LSO1N', '0', 4, 0.02, '74LS01N'),
        ('74LSO1N', '0', 4, 0.005, '74LSO1N'),
        ('LSO1N', '0', 2, 0.1, 'LSO1N'),
        ('74LSOOP', '0', (4, 5), 0.1, '74LS00P'),
        ('74LSOP', '0', 4, 0.1, '74LSOP'),
        ('WOOD', '0', (1, 2), 0.1, 'WOOD'),
        ('74LSI1N', '1', 4, 0.1, '74LSI1N'),
        ('74LS1IN', '1', 5, 0.1, '74LS11N'),
    ],
)
def test_a_doubted_o_beside_a_digit_is_a_zero_in_a_line_with_digits(text, other, place, share, read):
    assert decoded(text, other, share, at=place).text == read


@pytest.mark.parametrize(
    ('text', 'share', 'at', 'read'),
    [
        ('74LSIIN', 0.004, (4, 5), '74LS11N'),
        ('74LSIIN', 0.002, (4, 5), '74LSIIN'),
        ('74LSIIN', 0.004, (5,), '74LSIIN'),
        ('COIIL 12', 0.1, (2, 3), 'COIIL 12'),
        ('12 COIIL', 0.1, (5, 6), '12 COIIL'),
    ],
)
def test_two_doubted_strokes_beside_each_other_are_ones_after_a_digit_of_their_word(text, share, at, read):
    assert decoded(text, '1', share, at=at).text == read


def test_a_zero_is_as_sure_as_it_and_the_letter_that_looks_like_it_together():
    assert decoded('74LS00', 'O', 0.5, sure=0.6).sure[-1] == pytest.approx(0.9)
    assert decoded('74LS00', '8', 0.5, sure=0.6).sure[-1] == pytest.approx(0.6)


@pytest.mark.parametrize(
    ('text', 'read'),
    [
        ('SRD-12UDC', 'SRD-12VDC'),
        ('10A250UACCATII', '10A250VACCATII'),
        ('EM1-2U1', 'EM1-2U1'),
        ('EM1-2UD', 'EM1-2UD'),
        ('PUDC', 'PUDC'),
    ],
)
def test_between_a_number_and_a_kind_of_current_a_u_is_a_v(text, read):
    assert decoded(text).text == read


def test_an_exclamation_mark_is_an_i():
    assert decoded('EM1-2U!', 'I', 0.01).text == 'EM1-2UI'


@pytest.mark.parametrize('doubtful, looks', [(False, 1), (True, 2)])
def test_only_a_doubtful_number_is_read_twice(monkeypatch, doubtful, looks):
    engine, strips = PpOcrEngine(EngineOptions()), []
    monkeypatch.setattr(engine, '_recognizer', lambda batch: strips.append(batch) or np.zeros((1, 4, 6625), np.float32))
    monkeypatch.setattr(engine.decoder, 'decode', lambda _: DecodedText('74LS02', 0.95, doubtful, (0.95,) * 6))
    strip = np.full((48, 200, 3), 230, np.uint8)
    cv2.putText(strip, '74LS02', (10, 36), cv2.FONT_HERSHEY_SIMPLEX, 1.0, (20, 20, 20), 3)
    assert engine.recognize(TextStrip(strip, ((0, 0), (200, 0), (200, 48), (0, 48)))).text == '74LS02'
    assert len(strips) == looks
    assert all(np.abs(np.diff(batch)).mean() < np.abs(np.diff(strips[0])).mean() for batch in strips[1:])
