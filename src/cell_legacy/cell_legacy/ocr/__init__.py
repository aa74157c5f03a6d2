"""OCR and text comparison of the replaced OCR backend."""

__all__ = ['compare', 'engine']
