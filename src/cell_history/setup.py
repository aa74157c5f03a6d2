"""Build of cell_history."""

from setuptools import find_packages, setup

package_name = 'cell_history'

setup(
    name=package_name,
    version='0.1.0',
    packages=find_packages(exclude=['test']),
    package_data={'': ['py.typed']},
    data_files=[
        ('share/ament_index/resource_index/packages', ['resource/' + package_name]),
        ('share/' + package_name, ['package.xml']),
    ],
    install_requires=['setuptools'],
    zip_safe=True,
    maintainer='Workcell maintainers',
    maintainer_email='maintainers@workcell.invalid',
    description='Recordings of the cell, and their replay.',
    license='Apache-2.0',
    entry_points={'console_scripts': ['recorder = cell_history.recorder.node:main', 'replay = cell_history.replay.node:main']},
)
