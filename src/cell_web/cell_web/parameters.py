"""Parameters of web_gateway."""

from __future__ import annotations

from dataclasses import dataclass

from cell_common.parameters import parameter

from cell_web.roles import ROLES

__all__ = ['LOGINS', 'GatewayParameters']

LOGINS = ('network', 'always', 'never')


@dataclass(frozen=True)
class GatewayParameters:
    """Parameters of `web_gateway`."""

    listen_address: str = parameter('127.0.0.1', 'Address to listen on; 0.0.0.0 = all interfaces.')
    port: int = parameter(8080, 'TCP port of the operator page; 0 = any free port.', minimum=0, maximum=65535)
    rosbridge_address: str = parameter('127.0.0.1', 'Address of rosbridge.')
    rosbridge_port: int = parameter(9090, 'TCP port of rosbridge.', minimum=1, maximum=65535)
    bridge_check_period: float = parameter(
        2.0,
        'Period of the requests through rosbridge to a node and back; 0 = no check.',
        unit='s',
        minimum=0.0,
        maximum=60.0,
    )
    bridge_check_node: str = parameter('coordinator', 'Node that is asked through rosbridge, besides web_gateway itself.')
    login: str = parameter(
        'network',
        'Who must log in: "network" = everybody, once listen_address can be reached from other machines; "always"; '
        '"never" = nobody, for a page that only this machine reaches.',
        choices=LOGINS,
    )
    users_file: str = parameter('', 'File of the users, written by "cell user" and the page; it contains hashes only.')
    login_idle_limit: float = parameter(
        900.0,
        'A page that nobody touches for this time asks for the login again; 0 = never.',
        unit='s',
        minimum=0.0,
        maximum=86400.0,
    )
    login_limit: float = parameter(
        43200.0, 'Time after which everybody must log in again.', unit='s', minimum=60.0, maximum=604800.0
    )
    role: str = parameter('operator', 'Role of every session without a login.', choices=tuple(ROLES))
    host_names: list[str] = parameter([''], 'Accepted host names, in addition to the host name and addresses of this machine.')
    origins: list[str] = parameter([''], 'Other origins that may connect, e.g. "https://plant.example".')
    max_clients: int = parameter(32, 'Maximum number of connected pages.', minimum=1, maximum=1000)
    max_clients_per_address: int = parameter(
        16, 'Maximum number of pages from one address; raise it behind a reverse proxy.', minimum=1, maximum=1000
    )
    max_viewers: int = parameter(8, 'Maximum number of camera streams.', minimum=1, maximum=100)
    max_viewers_per_address: int = parameter(4, 'Maximum number of camera streams to one address.', minimum=1, maximum=100)
    max_connections: int = parameter(400, 'Maximum number of TCP connections.', minimum=10, maximum=10000)
    max_connections_per_address: int = parameter(
        128, 'Maximum number of TCP connections from one address; raise it behind a reverse proxy.', minimum=4, maximum=10000
    )
    max_message: int = parameter(262144, 'Maximum message size from a page.', unit='byte', minimum=1024, maximum=16777216)
    database_url: str = parameter('', 'SQLAlchemy URL of the database, for reports, figures and history; "" = none of them.')
    kept_frames_folder: str = parameter('', 'Folder of the pictures that ocr keeps, for the history; empty = no pictures.')
    clips_folder: str = parameter('', 'Folder of the clips that recorder cuts, for the history; empty = no clips.')
    api_enabled: bool = parameter(False, 'Serve POST /api/prepuff/scan_bag, so that other programs can post bags.')
    api_tokens_file: str = parameter('', 'File of API tokens, written by "cell token new"; it contains hashes only.')
    hmi_folder: str = parameter('', 'Folder of the built operator page; "" = the installed page.')
