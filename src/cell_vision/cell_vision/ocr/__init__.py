"""Reads text and barcodes in camera frames."""

__all__ = ['barcodes', 'engines', 'pipeline']
