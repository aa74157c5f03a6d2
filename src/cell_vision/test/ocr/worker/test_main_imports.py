"""The worker may run in an environment of its own (parameter engine_python), which has few libraries."""

import re
import subprocess
import sys
from pathlib import Path

REQUIREMENTS = Path(__file__).resolve().parents[5] / 'requirements'
PROGRAM = """
import sys
import cell_vision.ocr.pipeline, cell_vision.ocr.worker.main
modules = [module for module in list(sys.modules.values()) if 'site-packages' in (getattr(module, '__file__', None) or '')]
print(*sorted({module.__name__.split('.')[0] for module in modules}))
"""
OF_PADDLEOCR = {'cv2', 'numpy', 'yaml'}
"""Libraries that paddleocr itself requires."""
OF_PYTHON = {'_distutils_hack', 'coverage', 'ros_wheels_bootstrapper'}
"""Start-up hooks of site-packages; coverage when the tests are measured."""


def pins(name):
    return dict(re.findall(r'^([\w-]+)==(\S+)', (REQUIREMENTS / name).read_text(), re.MULTILINE))


def test_the_worker_needs_only_what_its_environment_has():
    done = subprocess.run([sys.executable, '-c', PROGRAM], capture_output=True, text=True, check=True)
    own = set(done.stdout.split()) - OF_PADDLEOCR - OF_PYTHON
    assert own <= set(pins('paddleocr.txt')), 'import it where it is used, or add it to requirements/paddleocr.txt'


def test_libraries_of_both_environments_have_one_version():
    worker, nodes = pins('paddleocr.txt'), pins('runtime.txt')
    assert {name: version for name, version in worker.items() if name in nodes and nodes[name] != version} == {}
