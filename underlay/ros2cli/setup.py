"""Build of ros2cli."""

from setuptools import find_packages, setup

package_name = 'ros2cli'

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
    description='Framework of the ros2 command.',
    license='Apache-2.0',
    entry_points={
        'console_scripts': [
            'ros2 = ros2cli.cli:main',
        ],
        'ros2cli.extension_point': [
            'ros2cli.command = ros2cli.command:CommandExtension',
        ],
    },
)
