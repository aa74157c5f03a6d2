"""Camera, text reading and the verdict on a part."""
