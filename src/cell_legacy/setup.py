"""Build of cell_legacy."""

from setuptools import find_packages, setup

package_name = 'cell_legacy'

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
    description='The modules that scripts of the replaced OCR backend import, under their old names.',
    license='Apache-2.0',
    entry_points={},
)
