"""A script of the replaced system, with either release of python-socketio, at the cell's hub port."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from foreign_clients import CLIENTS

import cell_legacy

pytestmark = pytest.mark.slow
SCRIPT = """
import sys
from robohub_client import RoboHubClient
client = RoboHubClient(sys.argv[1])
assert client.connect() and client.sio.connected
client.send_trigger('START_PROGRAM')
assert client.acks == {'START_PROGRAM': False} or client.acks == {'START_PROGRAM': True}
assert client.wait_for_ack('START_PROGRAM')
for _ in range(3):
    client.sio.disconnect()
    client.send_part_code('F', 'EM1-2U1')  # connects again by itself
    assert client.wait_for_ack('PART_EM1-2U1') and not client.wait_for_ack('PART_OTHER', 0.1)
print(client.acks)
client.disconnect()
"""


@pytest.mark.parametrize('kind', ['python-socketio 4', 'python-socketio 5'])
def test_a_script_triggers_and_waits_for_the_acknowledgements(hub, link, kind):
    _, first = CLIENTS[kind]
    paths = [*([str(first)] if first else []), cell_legacy.PATH, str(Path(cell_legacy.PATH).parent)]
    environment = {**os.environ, 'PYTHONPATH': os.pathsep.join([*paths, os.environ.get('PYTHONPATH', '')])}
    command = [sys.executable, '-c', SCRIPT, f'http://127.0.0.1:{hub.server.port}']
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60, env=environment)
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == "{'START_PROGRAM': True, 'PART_EM1-2U1': True}"
    assert link.commands == [('trigger', 'START_PROGRAM'), *[('trigger', 'PART_EM1-2U1')] * 3]
