"""Build of cell_coordinator."""

from setuptools import find_packages, setup

package_name = 'cell_coordinator'

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
    description="The pick job's life, and the alarms.",
    license='Apache-2.0',
    entry_points={
        'console_scripts': [
            'coordinator = cell_coordinator.node:main',
            'alarms = cell_coordinator.alarms.node:main',
            'diagnostics_aggregator = cell_coordinator.diagnostics_aggregator.node:main',
        ],
    },
)
