"""Build of cell_sim."""

from setuptools import find_packages, setup

package_name = 'cell_sim'

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
    description="A simulated world that speaks the devices' real protocols over real sockets.",
    license='Apache-2.0',
    entry_points={
        'console_scripts': [
            'world = cell_sim.node:main',
            'ur_driver = cell_sim.ur_driver.node:main',
            'indicators = cell_sim.scales.cli:main',
        ],
    },
)
