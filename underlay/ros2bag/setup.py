"""Build of ros2bag."""

from setuptools import find_packages, setup

package_name = 'ros2bag'

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
    description='Stand-in: record, play and describe bags.',
    license='Apache-2.0',
    entry_points={
        'ros2cli.command': ['bag = ros2bag.command.bag:BagCommand'],
        'ros2cli.extension_point': ['ros2bag.verb = ros2bag.verb:VerbExtension'],
        'ros2bag.verb': [
            'info = ros2bag.verb.info:InfoVerb',
            'play = ros2bag.verb.play:PlayVerb',
            'record = ros2bag.verb.record:RecordVerb',
        ],
    },
)
