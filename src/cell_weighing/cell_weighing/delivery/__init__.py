"""Delivers bags to the web application."""
