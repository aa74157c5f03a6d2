"""Build of cell_web."""

from setuptools import find_packages, setup

package_name = 'cell_web'

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
    description="The operators' page and the only door to it.",
    license='Apache-2.0',
    entry_points={
        'console_scripts': [
            'web_gateway = cell_web.gateway_node:main',
        ],
    },
)
