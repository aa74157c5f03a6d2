"""Simulated camera: rendered and photographed scenes, HTTP server."""
