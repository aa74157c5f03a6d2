"""Verbs of ros2 pkg."""

from ros2cli.verb import VerbExtension

__all__ = ['VerbExtension']
