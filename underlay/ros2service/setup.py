"""Build of ros2service."""

from setuptools import find_packages, setup

package_name = 'ros2service'

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
    description='The service command of ros2.',
    license='Apache-2.0',
    entry_points={
        'ros2cli.command': [
            'service = ros2service.command.service:ServiceCommand',
        ],
        'ros2cli.extension_point': [
            'ros2service.verb = ros2service.verb:VerbExtension',
        ],
        'ros2service.verb': [
            'call = ros2service.verb.call:CallVerb',
            'list = ros2service.verb.list:ListVerb',
        ],
    },
)
