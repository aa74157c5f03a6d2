"""Asyncio clients of the UR controller: the RTDE receiver and the dashboard client.

They connect, reconnect and apply timeouts. The bytes are made and read by `protocols`.
"""

from cell_robot.clients.dashboard import DashboardClient, RemoteControlQuestion, connect_dashboard, open_dashboard
from cell_robot.clients.rtde import RtdeListener, RtdeReceiver

__all__ = [
    'DashboardClient',
    'RemoteControlQuestion',
    'RtdeListener',
    'RtdeReceiver',
    'connect_dashboard',
    'open_dashboard',
]
