"""Camera, OCR and the decision on a part."""

__all__ = ['kept_frames', 'matching', 'ocr', 'recorded', 'types']
