import io
import sys
import zipfile

import pytest
from cell_bringup.cli import parser, run_command
from rich.console import Console


@pytest.fixture
def cell():
    """Run the cell command; returns exit code and what it said."""

    def run(*arguments):
        out = io.StringIO()
        return run_command(parser().parse_args(arguments), Console(file=out, width=400)), out.getvalue()

    return run


@pytest.fixture
def wheel(tmp_path):
    path = tmp_path / 'models.whl'
    with zipfile.ZipFile(path, 'w') as file:
        for name in ('ch_PP-OCRv4_det_infer', 'ch_PP-OCRv4_rec_infer', 'ch_ppocr_mobile_v2_cls_infer'):
            for end in ('pdiparams', 'pdmodel'):
                file.writestr(f'p/models/{name}/inference.{end}', name)
    return path


def test_engines_models_sizes_and_checksums_are_listed(cell):
    code, said = cell('models', 'list')
    assert code == 0 and 'rapidocr 3.8.4' in said and 'ch_PP-OCRv4_det_mobile.onnx' in said
    assert 'd2a7720d45a54257208b1e13e36a8479894cb74155a5efe29462512d42f49da9' in said
    assert 'make paddleocr' in said


def test_an_engine_that_works_reads_the_sample(cell):
    code, said = cell('models', 'check', '--engine', 'ppocr')
    assert code == 0 and 'ok ppocr' in said and 'EM1-2U4, G8NB-17SR' in said


def test_a_missing_engine_is_reported_with_the_remedy(cell):
    code, said = cell('models', 'check', '--engine', 'paddleocr')
    assert code == 1 and 'make paddleocr' in said


@pytest.mark.parametrize('python', ['/not/there/python', '/bin/true'])
def test_a_path_that_is_no_interpreter_is_reported(cell, python):
    code, said = cell('models', 'list', '--python', python)
    assert code == 1 and python in said and '--python' in said


def test_models_are_imported_and_shown(cell, wheel, tmp_path):
    folder = tmp_path / 'models'
    code, said = cell('models', 'import', str(wheel), '--folder', str(folder), '--python', sys.executable)
    assert code == 0 and '9 files' in said and f'model_dir: {folder}' in said and 'engine_python' in said
    assert len((folder / 'rec' / 'inference.yml').read_text(encoding='utf-8')) > 30_000  # The alphabet has 6,623 characters.
    code, said = cell('models', 'list', '--folder', str(folder))
    assert 'rec/inference.pdiparams' in said


def test_models_that_cannot_be_imported_are_reported(cell, tmp_path):
    code, said = cell('models', 'import', str(tmp_path / 'none.whl'), '--folder', str(tmp_path / 'models'))
    assert code == 1 and 'none.whl' in said and 'pip download' in said
    code, said = cell('models', 'import', str(tmp_path), '--folder', str(tmp_path / 'models'))
    assert code == 1 and 'no text detector' in said
