"""Simulated network camera: rendered or photographed scenes, sensor noise, and an HTTP server."""

__all__ = ['http_server', 'photo_scene', 'rendered_scene']
