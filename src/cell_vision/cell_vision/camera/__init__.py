"""Frames from USB, network, file and folder sources.

Way of one frame: a grabber (`grabbers`) receives it, `capture` limits the rate and reopens lost
sources, `image_processing` crops or compresses it if necessary, and `node` publishes it. A JPEG
from the camera is passed on unchanged: decoding and compressing it again would cost processor
time and some sharpness.
"""
