"""Backend `hub`: the cell drives the robot through a hub of the replaced OCR system, over Socket.IO."""
