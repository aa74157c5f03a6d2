"""The file VERSION holds the version of the workspace; every package and the page have the same one."""

import json
import re
from pathlib import Path
from xml.etree import ElementTree

import pytest

ROOT = Path(__file__).resolve().parents[2]
VERSION = (ROOT / 'VERSION').read_text(encoding='utf-8').strip()
PACKAGES = sorted(path.parent for path in (ROOT / 'src').glob('*/package.xml'))


def test_the_version_is_a_release_number():
    assert re.fullmatch(r'\d+\.\d+\.\d+', VERSION)


@pytest.mark.parametrize('package', PACKAGES, ids=lambda path: path.name)
def test_a_package_has_the_version_of_the_workspace(package: Path):
    assert ElementTree.parse(package / 'package.xml').findtext('version') == VERSION
    setup = package / 'setup.py'
    if setup.exists():
        assert f"version='{VERSION}'" in setup.read_text(encoding='utf-8')


def test_the_page_has_the_version_of_the_workspace():
    page = ROOT / 'src' / 'cell_web' / 'hmi'
    assert json.loads((page / 'package.json').read_text(encoding='utf-8'))['version'] == VERSION
    assert json.loads((page / 'package-lock.json').read_text(encoding='utf-8'))['version'] == VERSION
