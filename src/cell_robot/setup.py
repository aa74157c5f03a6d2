"""Build of cell_robot."""

from pathlib import Path

from setuptools import find_packages, setup

package_name = 'cell_robot'

setup(
    name=package_name,
    version='0.1.0',
    packages=find_packages(exclude=['test']),
    package_data={'': ['py.typed']},
    data_files=[
        ('share/ament_index/resource_index/packages', ['resource/' + package_name]),
        ('share/' + package_name, ['package.xml']),
        ('share/' + package_name + '/urscript', sorted(map(str, Path('urscript').glob('*.script')))),
    ],
    install_requires=['setuptools'],
    zip_safe=True,
    maintainer='Workcell maintainers',
    maintainer_email='maintainers@workcell.invalid',
    description='Robot node, motion planning and UR protocols.',
    license='Apache-2.0',
    entry_points={
        'console_scripts': [
            'markers = cell_robot.scene.node:main',
            'robot = cell_robot.node:main',
        ],
    },
)
