"""Parameters of node `socketio_gateway`."""

from __future__ import annotations

from dataclasses import dataclass

from cell_common.parameters import parameter

from cell_web.roles import ROLES

__all__ = ['SocketIoGatewayParameters']


@dataclass(frozen=True)
class SocketIoGatewayParameters:
    """Parameters of `socketio_gateway`."""

    listen_address: str = parameter('127.0.0.1', 'Address to listen on; 0.0.0.0 = every network of this machine.')
    page_enabled: bool = parameter(True, 'Serve pages of the replaced OCR backend.')
    page_port: int = parameter(5001, 'TCP port for pages; 0 = one that is free.', minimum=0, maximum=65535)
    hub_enabled: bool = parameter(True, 'Serve backends that speak to the replaced hub.')
    hub_port: int = parameter(5002, 'TCP port for backends; 0 = one that is free.', minimum=0, maximum=65535)
    role: str = parameter('operator', 'Role of every client while there is no login.', choices=tuple(ROLES))
    origins: list[str] = parameter(
        ['http://localhost:5000', 'http://127.0.0.1:5000'],
        'Pages that may connect besides those of the same host and port, e.g. "http://10.0.0.5:5000"; "*" = every page. '
        'The default is the page of the replaced system on this machine.',
    )
    max_clients: int = parameter(64, 'Clients that may be connected to each port.', minimum=1, maximum=1000)
    replay_window: float = parameter(
        1.0,
        'Time after a page has connected in which start_robot, set_benchmark and reset_inventory are refused: a page sends '
        'what was pressed while it had no connection.',
        unit='s',
        minimum=0.0,
        maximum=10.0,
    )
    catalogue_file: str = parameter('', 'The part catalogue, for the letters that a hub client may send; "" = only D and B.')
    command_timeout: float = parameter(
        10.0, 'Longest wait for the answer to a command that does not move the arm.', unit='s', minimum=0.5, maximum=120.0
    )
    motion_timeout: float = parameter(
        120.0, 'Longest wait for the end of a command that moves the arm.', unit='s', minimum=1.0, maximum=3600.0
    )
