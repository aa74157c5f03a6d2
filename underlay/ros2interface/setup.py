"""Build of ros2interface."""

from setuptools import find_packages, setup

package_name = 'ros2interface'

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
    description='The interface command of ros2.',
    license='Apache-2.0',
    entry_points={
        'ros2cli.command': [
            'interface = ros2interface.command.interface:InterfaceCommand',
        ],
        'ros2cli.extension_point': [
            'ros2interface.verb = ros2interface.verb:VerbExtension',
        ],
        'ros2interface.verb': [
            'show = ros2interface.verb.show:ShowVerb',
        ],
    },
)
