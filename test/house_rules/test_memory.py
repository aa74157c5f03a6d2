"""Each node is a process, so a library that it imports without need costs its memory once more."""

import subprocess
import sys

import pytest

# SQLAlchemy takes 18 MB in each process, OpenCV 25 MB, Alembic 11 MB.
DATABASE = {'sqlalchemy', 'alembic'}
IMAGES = {'cv2'}
NETWORKS = {'openvino', 'onnxruntime', 'paddle', 'pandas', 'matplotlib', 'scipy'}
NODES = {
    'without database': (
        ('cell_vision.camera.node', 'cell_vision.ocr.node', 'cell_sim.node', 'cell_coordinator.diagnostics_aggregator.node'),
        DATABASE | NETWORKS,
    ),
    'without images': (
        (
            'cell_robot.node',
            'cell_inventory.node',
            'cell_coordinator.node',
            'cell_coordinator.alarms.node',
            'cell_web.gateway_node',
        ),
        IMAGES | NETWORKS | {'alembic'},
    ),
    'of weighing': (('cell_weighing.bridge.node', 'cell_weighing.station.node'), IMAGES | NETWORKS | {'alembic', 'PIL'}),
    'worker of OCR': (('cell_vision.ocr.worker.main',), DATABASE | {'rclpy'}),
}


@pytest.mark.parametrize(('nodes', 'unused'), NODES.values(), ids=NODES)
def test_a_node_imports_no_large_library_that_it_does_not_use(nodes, unused):
    code = f'import sys, {", ".join(nodes)}; print(*sorted({unused!r} & sys.modules.keys()))'
    imported = subprocess.run([sys.executable, '-c', code], capture_output=True, text=True, check=True).stdout.split()
    assert imported == []
