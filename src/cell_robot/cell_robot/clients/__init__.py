"""Asyncio clients of the UR controller: the RTDE receiver and the dashboard client."""

from cell_robot.clients.dashboard import DashboardClient, open_dashboard
from cell_robot.clients.rtde import RtdeListener, RtdeReceiver

__all__ = ['DashboardClient', 'RtdeListener', 'RtdeReceiver', 'open_dashboard']
