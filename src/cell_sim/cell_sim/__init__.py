"""A simulated world that speaks the devices' real protocols over real sockets."""
