"""What the tests of the node actions share."""

import os
import shlex
from collections.abc import Callable

import pytest
import yaml

from launch import LaunchContext, LaunchDescription, LaunchDescriptionEntity, LaunchService

ECHO = """#!/bin/sh
printf 'args'; printf ' %s' "$@"; echo
for word in "$@"; do case $word in */launch_params_*) sed 's/^/yaml:/' "$word" ;; esac; done
"""


@pytest.fixture(autouse=True)
def _environment(launch_environment) -> None:
    """Each test of this folder has an environment of its own."""


@pytest.fixture
def context() -> LaunchContext:
    return LaunchContext()


@pytest.fixture
def package(tmp_path, monkeypatch) -> str:
    """Return the name of a package with an executable ``show`` that writes its arguments and parameters."""
    prefix = tmp_path / 'prefix'
    (prefix / 'share/ament_index/resource_index/packages').mkdir(parents=True)
    (prefix / 'share/ament_index/resource_index/packages/shown').touch()
    (prefix / 'share/shown').mkdir()
    (prefix / 'lib/shown').mkdir(parents=True)
    (prefix / 'lib/shown/show').write_text(ECHO)
    (prefix / 'lib/shown/show').chmod(0o755)
    (prefix / 'lib/shown/readme').touch()
    monkeypatch.setenv('AMENT_PREFIX_PATH', f'{prefix}{os.pathsep}{os.environ.get("AMENT_PREFIX_PATH", "")}')
    return 'shown'


class Shown:
    """What the executables of a launch were given."""

    def __init__(self, code: int, out: str) -> None:
        self.code = code
        self.out = out
        lines = [line.partition('] ')[2] for line in out.splitlines()]
        self.args = [shlex.split(line)[1:] for line in lines if line.startswith('args')]
        self.parameters = yaml.safe_load('\n'.join(line[5:] for line in lines if line.startswith('yaml:'))) or {}


@pytest.fixture
def show(capsys) -> Callable[..., Shown]:
    """Return a function that launches entities to their end."""

    def launch_them(*entities: LaunchDescriptionEntity) -> Shown:
        service = LaunchService()
        service.include_launch_description(LaunchDescription(entities))
        return Shown(service.run(), capsys.readouterr().out)

    return launch_them
