import subprocess
import sys

import pytest

OLD_NAMES = {
    'robohub_client': 'RoboHubClient',
    'camera.capture': 'Camera',
    'camera.preprocess': 'preprocess_for_ocr',
    'ocr.engine': 'OCREngine',
    'ocr.compare': 'TextComparator',
    'utils.draw': 'draw_ocr_overlays',
}


def run(script: str) -> subprocess.CompletedProcess:
    return subprocess.run([sys.executable, '-c', script], capture_output=True, text=True, check=False, timeout=60)


@pytest.mark.parametrize(('module', 'name'), OLD_NAMES.items())
def test_one_line_on_the_path_makes_an_old_import_work_without_ros(module, name):
    script = (
        f'import sys, cell_legacy; sys.path.insert(0, cell_legacy.PATH)\nfrom {module} import {name}\n'
        "assert 'rclpy' not in sys.modules\n"
    )
    result = run(script)
    assert result.returncode == 0, result.stderr


def test_without_the_line_the_old_names_are_not_there():
    assert 'ModuleNotFoundError' in run('import robohub_client').stderr


def test_without_socketio_the_import_works_and_the_client_names_the_missing_package():
    script = (
        "import sys; sys.modules['socketio'] = None; import cell_legacy; sys.path.insert(0, cell_legacy.PATH)\n"
        'import robohub_client, camera.capture, camera.preprocess, ocr.engine, ocr.compare, utils.draw\n'
        'robohub_client.RoboHubClient()\n'
    )
    assert 'RuntimeError: RoboHubClient needs python-socketio: pip install' in run(script).stderr


@pytest.fixture(params=[True, False], ids=['package', 'folder'])
def site(request, tmp_path):
    """A site with modules of its own in folders that are named like the old packages, with and without `__init__.py`."""
    for name in ('utils', 'camera', 'ocr'):
        (tmp_path / name).mkdir()
        (tmp_path / name / 'helpers.py').write_text(f'NAME = {name!r}\n')
        if request.param:
            (tmp_path / name / '__init__.py').touch()
    return tmp_path


USE = (
    'from utils.draw import draw_ocr_overlays; from camera.capture import Camera; from ocr.compare import TextComparator\n'
    'import utils.helpers, camera.helpers, ocr.helpers; print(utils.helpers.NAME, camera.helpers.NAME, ocr.helpers.NAME)\n'
)


@pytest.mark.parametrize('place', ['insert(1, ', 'append('], ids=['next', 'last'])
def test_a_sites_own_modules_stay_importable_beside_the_old_ones(site, place):
    result = run(f'import sys, cell_legacy; sys.path.insert(0, cell_legacy.PATH); sys.path.{place}{str(site)!r})\n{USE}')
    assert result.stdout == 'utils camera ocr\n', result.stderr


def test_a_site_that_comes_first_keeps_its_own_modules(site):
    result = run(
        f'import sys, cell_legacy; sys.path[:0] = [{str(site)!r}, cell_legacy.PATH]\n'
        'import utils.helpers, robohub_client; from cell_legacy.utils.draw import draw_ocr_overlays\n'
        'print(utils.helpers.NAME)\n'
    )
    assert result.stdout == 'utils\n', result.stderr
