"""Reads text and barcodes in camera frames.

The node stays small and never blocks: frames wait compressed in `frame_buffer`, and a worker
process (`worker`) decodes and reads them with an engine (`engines`).

- `arrival` and `part_watch` decide whether a frame shows the piece that was picked.
- `pipeline` reads one frame: `plate_detector` finds the part, an engine reads it in several passes,
  `completeness` marks print that may be cut off.
- `fusion` fuses the passes of one frame, and several frames of one part.
- `overlay`, `crops` and `frame_archive` show and keep the evidence.
"""

__all__ = ['barcodes', 'engines', 'pipeline']
