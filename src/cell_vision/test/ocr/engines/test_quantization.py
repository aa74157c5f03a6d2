"""Networks that compute in 8-bit integers: where they may, and that they read as those in float32 do."""

from __future__ import annotations

import shutil

import numpy as np
import pytest
import yaml
from cell_vision.ocr.engines import quantization as integers
from cell_vision.ocr.engines.base import EngineError, EngineOptions
from cell_vision.ocr.engines.inference import disable_openvino_telemetry, load_network
from cell_vision.ocr.engines.model_files import DETECTOR, DIRECTION, RECOGNIZER, model_folder
from cell_vision.ocr.engines.ppocr import PpOcrEngine
from cell_vision.ocr.engines.quantization import activation_ranges, convolutions, digest, has_vnni, int8_enabled, quantize

pytestmark = pytest.mark.slow

NEEDS_VNNI = pytest.mark.skipif(not has_vnni(), reason='without VNNI sums of 8-bit products saturate')
MODELS = [model_folder('') / name for name in (DETECTOR, RECOGNIZER)]


@pytest.fixture(autouse=True)
def vnni(monkeypatch):
    """Let every processor have the instructions."""
    monkeypatch.setattr(integers, 'has_vnni', lambda: True)


@pytest.mark.parametrize(('flags', 'has'), [('avx2 avx512_vnni', True), ('avx2 avx_vnni', True), ('avx2 avx512f', False)])
def test_the_processor_says_whether_it_has_the_instructions(tmp_path, flags, has):
    (tmp_path / 'cpuinfo').write_text(f'processor : 0\nflags : {flags}\n')
    assert has_vnni(tmp_path / 'cpuinfo') is has
    assert not has_vnni(tmp_path / 'none')


def test_ranges_are_known_for_the_models_that_come_with_the_engine_and_for_no_other(tmp_path):
    assert all(len(activation_ranges(path)) > 10 for path in MODELS)
    other = tmp_path / RECOGNIZER
    other.write_bytes(MODELS[1].read_bytes() + b' ')
    assert not activation_ranges(other) and not activation_ranges(model_folder('') / DIRECTION)
    shutil.copy(MODELS[0], tmp_path)
    assert activation_ranges(tmp_path / DETECTOR) == activation_ranges(MODELS[0]) and digest(tmp_path / DETECTOR) == digest(
        MODELS[0]
    )


def test_integers_are_taken_where_they_can_be_and_refused_with_the_reason(monkeypatch, tmp_path):
    assert int8_enabled('auto', 'openvino', MODELS) and int8_enabled('int8', 'openvino', MODELS)
    assert not int8_enabled('float32', 'openvino', MODELS) and not int8_enabled('auto', 'onnxruntime', MODELS)
    with pytest.raises(EngineError, match=r'onnxruntime.*precision to auto'):
        int8_enabled('int8', 'onnxruntime', MODELS)
    (tmp_path / 'mine.onnx').write_bytes(b'')
    assert not int8_enabled('auto', 'openvino', [tmp_path / 'mine.onnx'])
    with pytest.raises(EngineError, match=r'mine\.onnx.*learn_ranges'):
        int8_enabled('int8', 'openvino', [tmp_path / 'mine.onnx'])
    monkeypatch.setattr(integers, 'has_vnni', lambda: False)
    assert not int8_enabled('auto', 'openvino', MODELS)
    with pytest.raises(EngineError, match='VNNI'):
        int8_enabled('int8', 'openvino', MODELS)


def test_each_convolution_of_the_ranges_is_rounded_and_no_other():
    disable_openvino_telemetry()
    import openvino

    model = openvino.Core().read_model(str(MODELS[1]))
    ranges = activation_ranges(MODELS[1])
    quantize(model, ranges)
    rounded = {
        node.get_friendly_name()
        for node in model.get_ordered_ops()
        if node.get_type_name() == 'Convolution' and node.input_value(0).get_node().get_type_name() == 'FakeQuantize'
    }
    assert rounded == set(ranges)
    assert not [node for node in convolutions(model) if node.get_friendly_name() in ranges], 'weights are rounded, too'
    with pytest.raises(EngineError, match='no convolution'):
        quantize(model, {'p2o.Conv.999': (0.0, 1.0)})


@pytest.mark.parametrize('name, shape', [(DETECTOR, (96, 192)), (RECOGNIZER, (48, 192)), (DIRECTION, (48, 192))])
def test_in_float32_every_processor_says_the_same_also_one_that_has_bfloat16(name, shape):
    batch = np.random.default_rng(7).uniform(-1, 1, (1, 3, *shape)).astype(np.float32)
    one, other = (load_network(model_folder('') / name, backend, 1).run(batch) for backend in ('openvino', 'onnxruntime'))
    assert np.abs(one - other).max() < 1e-4


@NEEDS_VNNI
def test_a_network_of_integers_says_nearly_what_the_one_in_float32_says():
    batch = np.random.default_rng(7).uniform(-1, 1, (1, 3, 256, 256)).astype(np.float32)
    exact, near = (load_network(MODELS[0], 'openvino', 1, integers=integer).run(batch).copy() for integer in (False, True))
    difference = np.abs(exact - near)
    assert difference.max() > 0 and difference.mean() < 0.02


@NEEDS_VNNI
@pytest.mark.parametrize('text', ['EM1-2U1', 'HF115F-012', 'SN74LS192N'])
def test_drawn_text_is_read_the_same_in_integers_and_in_float32(draw, text):
    for precision, name in (('int8', 'ppocr v4 openvino int8'), ('float32', 'ppocr v4 openvino')):
        engine = PpOcrEngine(EngineOptions(precision=precision))
        assert [reading.text for reading in engine.read(draw(text))] == [text] and engine.name == name


def test_the_data_file_names_finite_ranges_that_hold_zero_or_more():
    data = yaml.safe_load(integers.resources.files('cell_vision').joinpath(integers.RANGES).read_text('utf-8'))
    ends = np.array([ends for model in data.values() for ends in model['inputs'].values()])
    assert np.isfinite(ends).all() and (ends[:, 0] < ends[:, 1]).all()
