"""Backend `letters`: the UR program connects to the node, which sends one letter per event."""
