"""Camera access and image preparation of the replaced OCR backend."""

__all__ = ['capture', 'preprocess']
