"""Frame sources: HTTP, and everything that OpenCV opens."""
