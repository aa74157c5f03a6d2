"""The rosbridge protocol v2 over WebSocket (stand-in with the protocol and parameters of rosbridge_server).

    websocket_node   the node: parameters, start, stop
    server           aiohttp, one thread with an event loop; a writer and a reader for each client
    session          one client: the operations of the protocol
    subscriptions, publications, calls   the node's entities on behalf of clients
    outbox           what waits to be sent to one client, bounded
    message_conversion, protocol, interfaces, qos   JSON, texts, types, profiles

Two threads: ROS entities are created and destroyed in the node's executor (`ros_thread`), all else runs in the event loop.

Not covered, and answered with a status message: services and actions offered by a client, fragments, PNG, CBOR and BSON.
"""
