"""Build of cell_bringup."""

import os
from pathlib import Path

from setuptools import find_packages, setup

package_name = 'cell_bringup'
workspace = Path(__file__).resolve().parents[2]


def shared(folder: str) -> list[str]:
    """Return the files of a folder at the top of the workspace, relative to where the build runs."""
    return [os.path.relpath(path) for path in sorted((workspace / folder).iterdir()) if path.is_file()]


setup(
    name=package_name,
    version='0.1.0',
    packages=find_packages(exclude=['test']),
    package_data={'': ['py.typed']},
    data_files=[
        ('share/ament_index/resource_index/packages', ['resource/' + package_name]),
        ('share/' + package_name, ['package.xml']),
        ('share/' + package_name + '/launch', shared('launch')),
        ('share/' + package_name + '/config', shared('config')),
    ],
    install_requires=['setuptools'],
    zip_safe=True,
    maintainer='Workcell maintainers',
    maintainer_email='maintainers@workcell.invalid',
    description='Launch files, configuration and the cell command.',
    license='Apache-2.0',
    entry_points={'console_scripts': ['cell = cell_bringup.cli:main']},
)
