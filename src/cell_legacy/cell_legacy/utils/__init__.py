"""Drawing helpers of the replaced OCR backend."""

__all__ = ['draw']
