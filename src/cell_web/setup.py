"""Build of cell_web."""

from pathlib import Path

from setuptools import find_packages, setup

package_name = 'cell_web'
built_page = Path('hmi/dist')
page_files = [
    (
        str(Path('share', package_name, 'hmi', folder.relative_to(built_page))),
        [str(file) for file in sorted(folder.iterdir()) if file.is_file()],
    )
    for folder in [built_page, *sorted(built_page.rglob('*'))]
    if folder.is_dir()
]

setup(
    name=package_name,
    version='0.1.0',
    packages=find_packages(exclude=['test']),
    package_data={'': ['py.typed']},
    data_files=[
        ('share/ament_index/resource_index/packages', ['resource/' + package_name]),
        ('share/' + package_name, ['package.xml']),
        *page_files,
    ],
    install_requires=['setuptools'],
    zip_safe=True,
    maintainer='Workcell maintainers',
    maintainer_email='maintainers@workcell.invalid',
    description="The operators' page and its gateway.",
    license='Apache-2.0',
    entry_points={
        'console_scripts': [
            'socketio_gateway = cell_web.socketio_gateway.node:main',
            'web_gateway = cell_web.gateway_node:main',
        ],
    },
)
