"""Web gateway: the operator page, camera streams, reports and the bag API, and the only way from a browser to the cell.

Two nodes:

- `web_gateway` (`gateway_node`): HTTP server for the operator page. Commands and data go through a
  filtered rosbridge connection; video, reports and the bag API are plain HTTP.
- `socketio_gateway`: the event names of the replaced OCR backend, for pages and backends that exist
  already.

Public API: the modules of `__all__`, and in each the names of its own `__all__`.
"""

__all__ = ['parameters', 'passwords', 'tokens', 'user', 'user_file']
