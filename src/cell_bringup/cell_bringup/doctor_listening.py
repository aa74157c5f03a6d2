"""What listens where: the TCP ports that the cell's processes on this machine have open."""

from __future__ import annotations

import contextlib
import ipaddress
from collections.abc import Iterable
from dataclasses import dataclass

import psutil

from cell_bringup.doctor_facts import Facts, Finding, failed, ok

INTERNAL = ('rosbridge_websocket', 'world', 'ur_driver')
"""Nodes that only other nodes of the same machine need to reach."""
SIMULATOR = 'world'


@dataclass(frozen=True, order=True)
class Listener:
    """An open TCP port: name of the node without its namespace, IP address and port."""

    node: str
    address: str
    port: int

    @property
    def reachable(self) -> bool:
        """Return whether other machines can connect."""
        return not ipaddress.ip_address(self.address).is_loopback


def listeners_of(nodes: Iterable[str]) -> list[Listener]:
    """Return the open ports of nodes that run on this machine; of other users' processes only as root.

    Args:
        nodes: Full names, e.g. "/cell/scale_bridge".
    """
    wanted = set(nodes)
    found: set[Listener] = set()
    for process in psutil.process_iter(['cmdline']):
        name = _full_name(process.info['cmdline'] or [])
        if name not in wanted:
            continue
        with contextlib.suppress(psutil.Error):
            for connection in process.net_connections(kind='tcp'):
                if connection.status == psutil.CONN_LISTEN:
                    found.add(Listener(name.rsplit('/', 1)[1], connection.laddr.ip, connection.laddr.port))
    return sorted(found)


def check_addresses(facts: Facts) -> Finding:
    """List what listens where; what only this machine needs must not be open to others."""
    return judge(listeners_of(facts.nodes))


def judge(listeners: Iterable[Listener]) -> Finding:
    """Judge open ports.

    Args:
        listeners: Of one cell.
    """
    found = sorted(listeners)
    if not found:
        return ok('no process of the cell on this machine that this user may look into')
    simulated = any(one.node == SIMULATOR for one in found)
    internal = [one for one in found if one.reachable and (one.node in INTERNAL or (simulated and one.node != 'web_gateway'))]
    if internal:
        return failed(
            f'open to other machines without need: {_text(internal)}. Start the cell with cell.launch.py, or set the '
            'address of these nodes to 127.0.0.1'
        )
    return ok(_text(found))


def is_simulated(facts: Facts) -> bool:
    """Return whether the devices of the cell are simulated."""
    return any(name.rsplit('/', 1)[1] == SIMULATOR for name in facts.nodes)


def _full_name(command: list[str]) -> str:
    """Return the full name of the node in a command line, "" for other programs."""
    remapped = dict(part.split(':=', 1) for part in command if part.startswith(('__node:=', '__ns:=')))
    if '__node' not in remapped:
        return ''
    namespace = remapped.get('__ns', '').strip('/')
    return f'/{namespace}/{remapped["__node"]}' if namespace else f'/{remapped["__node"]}'


def _text(listeners: Iterable[Listener]) -> str:
    return ', '.join(f'{one.node} {one.address}:{one.port}' for one in listeners)
