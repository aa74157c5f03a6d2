"""The worker process that runs an OCR engine, and its supervisor."""
