"""Socket.IO servers with the event names of the replaced OCR backend and hub.

Pages and backends of the replaced system connect here unchanged; docs/migrate.md lists the events.

- `server`: one Socket.IO server on a port: clients, origins, limits.
- `port_server`: the events that both ports share.
- `page_server` (5001) and `hub_server` (5002): the events of each port.
- `events`, `hub_letters`: payloads and letters, checked without I/O.
- `engineio3`: clients of Socket.IO 1.x and 2.x; their payloads: `cell_common.engineio3`.
- `cell_link`, `ros_link`: the interface to the cell, and its implementation over ROS.
"""
