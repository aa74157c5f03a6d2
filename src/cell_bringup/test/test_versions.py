import json

from cell_bringup.cli import parser
from cell_bringup.versions import cell_packages, show_versions, versions
from rich.console import Console

from cell_bringup import versions as module


def run(capsys, *words):
    code = show_versions(parser().parse_args(['version', *words]), Console())
    return code, capsys.readouterr().out


def test_versions_name_software_and_libraries(capsys):
    code, text = run(capsys, '--json')
    found = json.loads(text)
    assert code == 0 and found['workcell'] == versions()['workcell'] and 'numpy' in found
    assert {'cell_web', 'cell_robot'} <= set(found['packages'])


def test_packages_of_two_versions_are_an_error(capsys, monkeypatch):
    monkeypatch.setattr(module, 'cell_packages', lambda: {**cell_packages(), 'cell_web': '0.0.1'})
    code, text = run(capsys)
    assert code == 1 and 'run make setup' in text
