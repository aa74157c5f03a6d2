"""A python-socketio client, release 4 or 5, as a process: JSON lines in are events to send, JSON lines out are events received.

python client.py URL TRANSPORTS EVENT...
"""

from __future__ import annotations

import json
import os
import sys
import threading

import socketio

url, transports, *names = sys.argv[1:]
output = threading.Lock()


def show(event: str, *payload: object) -> None:
    with output:
        sys.stdout.write(json.dumps([event, payload[0] if payload else None]) + '\n')
        sys.stdout.flush()


client = socketio.Client(reconnection=True, reconnection_delay=0.1, reconnection_delay_max=0.3)
client.on('connect', lambda: show('connect'))
client.on('disconnect', lambda *_reason: show('disconnect'))
for name in names:
    client.on(name, lambda *payload, name=name: show(name, *payload))
client.connect(url, transports=transports.split(','))
for line in sys.stdin:
    event, *payload = json.loads(line)
    client.emit(event, *payload)
# A polling client waits for the end of its poll before disconnect returns.
leaving = threading.Thread(target=client.disconnect, daemon=True)
leaving.start()
leaving.join(1.0)
os._exit(0)
