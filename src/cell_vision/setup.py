"""Build of cell_vision."""

from setuptools import find_packages, setup

package_name = 'cell_vision'

setup(
    name=package_name,
    version='0.1.0',
    packages=find_packages(exclude=['test']),
    package_data={'': ['py.typed', 'data/*.yaml']},
    data_files=[
        ('share/ament_index/resource_index/packages', ['resource/' + package_name]),
        ('share/' + package_name, ['package.xml']),
    ],
    install_requires=['setuptools'],
    zip_safe=True,
    maintainer='Workcell maintainers',
    maintainer_email='maintainers@workcell.invalid',
    description='Camera, OCR and the decision on a part.',
    license='Apache-2.0',
    entry_points={
        'console_scripts': [
            'camera = cell_vision.camera.node:main',
            'ocr = cell_vision.ocr.node:main',
            'part_matcher = cell_vision.matching.node:main',
        ],
    },
)
