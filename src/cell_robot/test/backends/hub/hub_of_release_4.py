"""A hub with python-socketio 4, as a process: acknowledges each event but PLACE, and prints what it gets."""

import json
import sys
from socketserver import ThreadingMixIn
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

import socketio


class Server(ThreadingMixIn, WSGIServer):
    daemon_threads = True
    allow_reuse_address = True


class Handler(WSGIRequestHandler):
    def log_message(self, *_: Any) -> None:
        pass


hub = socketio.Server(async_mode='threading')


@hub.on('send_trigger')
def on_trigger(sid: str, payload: dict[str, str]) -> None:
    sys.stdout.write(json.dumps(payload) + '\n')
    sys.stdout.flush()
    if payload['event'] != 'PLACE':
        hub.emit('update_inventory', {'A': [1, 2, 3, 4]})
        hub.emit('ack', {'event': payload['event']})


make_server('127.0.0.1', int(sys.argv[1]), socketio.WSGIApp(hub), Server, Handler).serve_forever()
