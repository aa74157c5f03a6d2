"""Build of cell_weighing."""

from setuptools import find_packages, setup

package_name = 'cell_weighing'

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
    description='Indicators, weigh jobs and bag records. Process control only, not legal for trade.',
    license='Apache-2.0',
    entry_points={
        'console_scripts': [
            'scale_bridge = cell_weighing.bridge.node:main',
            'weigh_station = cell_weighing.station.node:main',
        ],
    },
)
