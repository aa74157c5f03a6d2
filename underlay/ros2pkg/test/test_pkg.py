"""ros2 pkg."""

import pytest
from ros2cli import cli


@pytest.fixture(autouse=True)
def prefix(tmp_path, monkeypatch):
    """Return a prefix with a package of two executables."""
    index = tmp_path / 'share/ament_index/resource_index/packages'
    index.mkdir(parents=True)
    (index / 'tools').touch()
    (index / 'empty').touch()
    for path, mode in (
        ('lib/tools/saw', 0o755),
        ('lib/tools/sub/axe', 0o755),
        ('lib/tools/.hidden/x', 0o755),
        ('lib/tools/notes', 0o644),
    ):
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).touch()
        (tmp_path / path).chmod(mode)
    monkeypatch.setenv('AMENT_PREFIX_PATH', str(tmp_path))
    return tmp_path


def test_packages_are_listed(capsys):
    assert not cli.main(argv=['pkg', 'list'])
    assert capsys.readouterr().out == 'empty\ntools\n'


def test_executables_are_listed(capsys, prefix):
    assert not cli.main(argv=['pkg', 'executables'])
    assert capsys.readouterr().out == 'tools saw\ntools axe\n'
    assert not cli.main(argv=['pkg', 'executables', 'tools', '--full-path'])
    assert capsys.readouterr().out == f'{prefix}/lib/tools/saw\n{prefix}/lib/tools/sub/axe\n'


def test_the_prefix(capsys, prefix):
    assert not cli.main(argv=['pkg', 'prefix', 'tools'])
    assert not cli.main(argv=['pkg', 'prefix', '--share', 'tools'])
    assert capsys.readouterr().out == f'{prefix}\n{prefix}/share/tools\n'


@pytest.mark.parametrize('verb', ['prefix', 'executables'])
def test_an_unknown_package_is_refused(verb):
    assert 'not found' in cli.main(argv=['pkg', verb, 'none'])


def test_without_a_verb_the_help_is_shown(capsys):
    assert cli.main(argv=['pkg']) == 0
    assert 'executables  Output a list of package specific executables' in capsys.readouterr().out
