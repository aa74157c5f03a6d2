import pytest
from cell_common.request_limits import LARGEST_NUMBER, LONGEST_ID, LONGEST_TEXT, request_error, storable

from cell_interfaces.msg import CommandInfo, OcrResult, TextReading
from cell_interfaces.srv import AdjustStock, StoreBenchmark, UndoStock


def test_requests_within_the_limits_pass():
    assert request_error(UndoStock.Request(sequence=LARGEST_NUMBER, reason='x' * LONGEST_TEXT)) == ''
    assert request_error(AdjustStock.Request(command=CommandInfo(request_id='x' * LONGEST_ID), count=-(2**31))) == ''
    assert request_error(StoreBenchmark.Request(ocr=OcrResult(texts=[TextReading(text='EM1-2U1')]))) == ''


@pytest.mark.parametrize('number', [2**63, 2**64 - 1])
def test_a_number_that_no_database_takes_is_named(number):
    assert request_error(UndoStock.Request(sequence=number)) == f'sequence is {number}: give at most {LARGEST_NUMBER}'


@pytest.mark.parametrize(
    ('request_', 'field'),
    [
        (UndoStock.Request(reason='x' * 1_000_000), 'reason'),
        (UndoStock.Request(command=CommandInfo(operator_id='x' * 5000)), 'command.operator_id'),
        (UndoStock.Request(command=CommandInfo(request_id='x' * (LONGEST_ID + 1))), 'command.request_id'),
        (StoreBenchmark.Request(ocr=OcrResult(texts=[TextReading(), TextReading(text='é' * 20_000)])), 'ocr.texts[1].text'),
        (StoreBenchmark.Request(ocr=OcrResult(texts=[TextReading()] * 10_001)), 'ocr.texts'),
    ],
)
def test_a_field_outside_its_limit_is_named(request_, field):
    assert request_error(request_).startswith(field + ' has ')


def test_texts_become_storable():
    assert storable('a\x00b\ud800c', 4) == 'a\ufffdb?'
    assert storable('ä€😀') == 'ä€😀'
