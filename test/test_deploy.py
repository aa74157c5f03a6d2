"""Service files: systemd accepts them, they are hardened, and their command starts the cell."""

import os
import re
import shlex
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
DEPLOY = ROOT / 'deploy'
UNIT = DEPLOY / 'cell.service'
ANALYZE = shutil.which('systemd-analyze')
SECTIONS = {'Unit', 'Service', 'Install'}
MOST_EXPOSED = 25
"""Highest exposure (of 100) in `systemd-analyze security`; a service without hardening has 96."""


def settings() -> dict[str, list[str]]:
    """Return the values of each setting, and check the sections."""
    found: dict[str, list[str]] = {}
    for line in UNIT.read_text(encoding='utf-8').splitlines():
        if line.startswith('['):
            assert line.strip('[]') in SECTIONS
        elif line and not line.startswith('#'):
            name, equals, value = line.partition('=')
            assert equals and re.fullmatch('[A-Z][A-Za-z]+', name), line
            found.setdefault(name, []).append(value)
    return found


def analyze(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([ANALYZE, *arguments], check=False, capture_output=True, text=True, timeout=60)


@pytest.mark.skipif(not ANALYZE, reason='systemd is not installed')
def test_systemd_understands_the_unit():
    done = analyze('verify', '--man=no', str(UNIT))
    assert (done.returncode, done.stderr) == (0, '')


@pytest.mark.skipif(not ANALYZE, reason='systemd is not installed')
def test_systemd_rejects_a_unit_with_a_mistake(tmp_path):
    (tmp_path / 'cell.service').write_text(UNIT.read_text().replace('ProtectSystem=strict', 'ProtectSystems=strict'))
    assert 'ProtectSystems' in analyze('verify', '--man=no', str(tmp_path / 'cell.service')).stderr


@pytest.mark.skipif(not ANALYZE, reason='systemd is not installed')
def test_the_service_is_little_exposed():
    done = analyze('security', '--offline=true', f'--threshold={MOST_EXPOSED}', '--no-pager', str(UNIT))
    if 'unrecognized option' in done.stderr:
        pytest.skip('systemd is older than 250')
    assert done.returncode == 0, done.stdout[-300:]


@pytest.mark.parametrize(
    ('name', 'value'),
    [
        ('User', 'cell'),
        ('Restart', 'always'),
        ('ProtectSystem', 'strict'),
        ('ProtectHome', 'yes'),
        ('NoNewPrivileges', 'yes'),
        ('StateDirectory', 'cell'),
        ('CapabilityBoundingSet', ''),
        ('KillSignal', 'SIGINT'),
        ('StartLimitIntervalSec', '0'),
    ],
)
def test_each_required_setting_is_set_once(name, value):
    assert settings()[name] == [value]


def test_the_user_of_the_service_is_created_by_the_sysusers_file():
    line = next(line for line in (DEPLOY / 'cell.sysusers').read_text().splitlines() if not line.startswith('#'))
    user, folder = settings()['User'][0], settings()['StateDirectory'][0]
    assert shlex.split(line) == ['u', user, '-', 'ROS 2 workcell', f'/var/lib/{folder}']


def environment() -> dict[str, str]:
    lines = (DEPLOY / 'cell.env.example').read_text().splitlines()
    return dict(shlex.split(line)[0].split('=', 1) for line in lines if line and not line.startswith('#'))


def command(arguments: str, *more: str) -> list[str]:
    """Return the service's command as systemd starts it, for this workspace in place of /opt/workcell."""
    line = settings()['ExecStart'][0].replace('/opt/workcell', str(ROOT)).replace('$CELL_ARGUMENTS', arguments)
    return [*(word.replace('$$', '$') for word in shlex.split(line)), *more]


def launched(arguments: str) -> subprocess.CompletedProcess[str]:
    clean = {name: os.environ[name] for name in ('HOME', 'LANG') if name in os.environ} | {'PATH': '/usr/bin:/bin'}
    return subprocess.run(
        command(arguments, '--show-args'),
        check=False,
        capture_output=True,
        text=True,
        timeout=100,
        env=clean | {name: value for name, value in environment().items() if name.startswith('ROS_')},
    )


def test_the_command_of_the_service_starts_the_cell_s_launch_file():
    done = launched(environment()['CELL_ARGUMENTS'])
    assert done.returncode == 0 and 'state_dir' in done.stdout, done.stderr


def test_the_arguments_of_the_example_are_launch_arguments():
    arguments = launched('').stdout
    for argument in [*environment()['CELL_ARGUMENTS'].split(), 'state_dir:=']:
        assert f"'{argument.split(':=')[0]}'" in arguments
