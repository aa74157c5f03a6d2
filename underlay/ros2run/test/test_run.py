"""ros2 run."""

import os
import signal
import subprocess
import sys

import pytest
from ros2cli import cli

RUN = [sys.executable, '-c', 'import sys; from ros2cli.cli import main; sys.exit(main())', 'run']


@pytest.fixture(autouse=True)
def package(tmp_path, monkeypatch):
    """Make a package ``tools`` whose executables show their arguments."""
    index = tmp_path / 'share/ament_index/resource_index/packages'
    index.mkdir(parents=True)
    (index / 'tools').touch()
    for path in ('lib/tools/show', 'lib/tools/a/twice', 'lib/tools/b/twice', 'lib/tools/broken'):
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        script = '#!/nonexistent\n' if path.endswith('broken') else '#!/bin/sh\necho "$@"; echo $$\nexit 5\n'
        (tmp_path / path).write_text(script)
        (tmp_path / path).chmod(0o755)
    monkeypatch.setenv('AMENT_PREFIX_PATH', f'{tmp_path}{os.pathsep}{os.environ["AMENT_PREFIX_PATH"]}')


def test_the_executable_takes_the_place_of_the_command():
    words = ['tools', 'show', '--fast', '--ros-args', '-r', 'a:=b']
    with subprocess.Popen([*RUN, *words], stdout=subprocess.PIPE, text=True) as process:
        out, _ = process.communicate(timeout=60)
    assert out == f'--fast --ros-args -r a:=b\n{process.pid}\n'
    assert process.returncode == 5


def test_a_prefix_stands_before_it():
    done = subprocess.run([*RUN, '--prefix', 'echo before', 'tools', 'show', 'x'], capture_output=True, text=True, check=True)
    assert done.stdout.startswith('before /')
    assert done.stdout.endswith('/lib/tools/show x\n')


def test_a_signal_reaches_it(tmp_path):
    (tmp_path / 'lib/tools/show').write_text('#!/bin/sh\necho ready\nexec sleep 1000\n')
    with subprocess.Popen([*RUN, 'tools', 'show'], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout.readline() == 'ready\n'
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=60) == -signal.SIGTERM


@pytest.mark.parametrize(
    ('words', 'answer'),
    [
        (['none', 'x'], "Package 'none' not found"),
        (['tools', 'none'], 'No executable found'),
        (['tools', 'twice'], 'Multiple executables found:'),
        (['tools', 'broken'], 'cannot run'),
    ],
)
def test_what_cannot_be_run_is_refused(words, answer):
    assert cli.main(argv=['run', *words]).startswith(answer)
