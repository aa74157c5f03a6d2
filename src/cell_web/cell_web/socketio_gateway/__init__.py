"""Socket.IO servers with the event names of the replaced OCR backend and hub."""
