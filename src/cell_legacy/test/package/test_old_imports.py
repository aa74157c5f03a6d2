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
