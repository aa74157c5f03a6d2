"""Camera, OCR and the decision on a part."""

__all__ = ['matching', 'ocr', 'recorded', 'types']
