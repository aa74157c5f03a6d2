"""The rosbridge protocol v2 over WebSocket (stand-in with the protocol and parameters of rosbridge_server).

Not covered, and answered with a status message: services and actions offered by a client, fragments, PNG, CBOR and BSON.
"""
