"""The controller's dashboard server (TCP 29999), the client's side."""
