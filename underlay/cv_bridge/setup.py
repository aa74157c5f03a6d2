"""Build of cv_bridge."""

from setuptools import find_packages, setup

package_name = 'cv_bridge'

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
    description='Stand-in: conversion between ROS images and OpenCV arrays.',
    license='Apache-2.0',
    entry_points={},
)
