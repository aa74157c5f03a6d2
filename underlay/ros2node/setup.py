"""Build of ros2node."""

from setuptools import find_packages, setup

package_name = 'ros2node'

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
    description='The node command of ros2.',
    license='Apache-2.0',
    entry_points={
        'ros2cli.command': [
            'node = ros2node.command.node:NodeCommand',
        ],
        'ros2cli.extension_point': [
            'ros2node.verb = ros2node.verb:VerbExtension',
        ],
        'ros2node.verb': [
            'info = ros2node.verb.info:InfoVerb',
            'list = ros2node.verb.list:ListVerb',
        ],
    },
)
