"""`cell version`: versions of the software, and of the libraries that decide what it reads and drives."""

from __future__ import annotations

import argparse
import json
import os
import platform
from importlib.metadata import PackageNotFoundError, distributions, version

from rich.console import Console

__all__ = ['LIBRARIES', 'cell_packages', 'show_versions', 'versions']

LIBRARIES = ('rclpy', 'ros-rclpy', 'openvino', 'onnxruntime', 'rapidocr', 'numpy', 'opencv-python', 'SQLAlchemy', 'ur_rtde')


def cell_packages() -> dict[str, str]:
    """Return name -> version of the installed packages of the cell."""
    found: dict[str, str] = {}
    for distribution in distributions():
        name = str(distribution.metadata['Name'] or '').replace('-', '_')
        if name.startswith('cell_'):
            found.setdefault(name, distribution.version)
    return dict(sorted(found.items()))


def versions() -> dict[str, str]:
    """Return what `cell version` shows, by name."""
    found = {
        'workcell': version('cell_bringup'),
        'python': platform.python_version(),
        'system': f'{platform.system()} {platform.release()} {platform.machine()}',
        'ros': os.environ.get('ROS_DISTRO', 'not set'),
        'rmw': os.environ.get('RMW_IMPLEMENTATION', 'default'),
    }
    for name in LIBRARIES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found


def show_versions(options: argparse.Namespace, console: Console) -> int:
    """Run `cell version`; return 1 if packages of several versions are installed.

    Args:
        options: `json`.
        console: Output.
    """
    found, packages = versions(), cell_packages()
    others = {name: number for name, number in packages.items() if number != found['workcell']}
    if options.json:
        console.print_json(json.dumps({**found, 'packages': packages}))
        return int(bool(others))
    for name, number in found.items():
        console.print(f'{name:14} {number}', highlight=False, markup=False)
    for name, number in others.items():
        console.print(f'{name:14} {number}: another version than the rest; run make setup', style='red', markup=False)
    return int(bool(others))
