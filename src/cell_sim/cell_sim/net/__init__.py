"""TCP client with reconnection, shared by the simulated devices."""

__all__ = ['tcp_client']
