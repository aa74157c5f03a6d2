"""The letters link: a UR program connects, gets one letter at a time and answers."""
