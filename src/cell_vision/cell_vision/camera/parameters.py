"""Parameters of the camera node."""

from __future__ import annotations

from dataclasses import dataclass

from cell_common.parameters import parameter


@dataclass(frozen=True)
class CameraParameters:
    """Source of the frames and how they are published."""

    source: str = parameter('0', 'Index, /dev path, rtsp:// or http:// address, gst: pipeline, video file or image folder.')
    frame_rate: float = parameter(10.0, 'Frames published per second, at most.', unit='Hz', minimum=0.1, maximum=240.0)
    width: int = parameter(
        1280, 'Frame width requested from a device; 0 = as the device is set.', unit='px', minimum=0, maximum=16384
    )
    height: int = parameter(
        720, 'Frame height requested from a device; 0 = as the device is set.', unit='px', minimum=0, maximum=16384
    )
    jpeg_quality: int = parameter(
        90,
        'Quality of frames that the node compresses; JPEGs of the camera are passed on unchanged.',
        unit='%',
        minimum=1,
        maximum=100,
    )
    frame_id: str = parameter('camera_optical_frame', 'Coordinate frame of the images, z forward, x right, y down (REP 103).')
    rotation: str = parameter('0', 'Clockwise rotation of the image.', unit='deg', choices=('0', '90', '180', '270'))
    roi: list[int] = parameter(
        [0, 0, 0, 0],
        'Region x, y, width, height that is cropped before the rotation; width 0 = all.',
        unit='px',
        minimum=0,
        maximum=16384,
    )
    calibration_file: str = parameter('', 'Calibration file of camera_calibration (YAML); empty = not calibrated.')
    stall_timeout: float = parameter(
        2.0, 'Time without a frame after which the source is reopened.', unit='s', minimum=0.1, maximum=60.0
    )
    exposure: float = parameter(
        -1.0,
        "Exposure in the driver's unit (V4L2: 100 us); below 0 = automatic, as the device is set.",
        minimum=-1.0,
        maximum=1e6,
    )
    gain: float = parameter(-1.0, "Gain in the driver's unit; below 0 = as the device is set.", minimum=-1.0, maximum=1e6)
    focus: float = parameter(
        -1.0, "Focus in the driver's unit; below 0 = autofocus, as the device is set.", minimum=-1.0, maximum=1e6
    )
    white_balance: float = parameter(
        -1.0, 'Color temperature; below 0 = automatic, as the device is set.', unit='K', minimum=-1.0, maximum=20000.0
    )
    frozen_after: float = parameter(
        10.0, 'Time of identical images after which a warning is raised; 0 = never.', unit='s', minimum=0.0, maximum=3600.0
    )
    least_brightness: float = parameter(
        12.0, 'Mean gray value below which a warning is raised; 0 = never.', minimum=0.0, maximum=255.0
    )
    most_white: float = parameter(
        0.6, 'Share of saturated pixels above which a warning is raised; 1 = never.', minimum=0.01, maximum=1.0
    )
    least_sharpness: float = parameter(
        0.0,
        'Sharpness below which a warning is raised; the diagnostics show the current value; 0 = never.',
        minimum=0.0,
        maximum=65025.0,
    )
    loop: bool = parameter(True, 'Repeat a video file or an image folder.')
    autostart: bool = parameter(True, 'Capture from the start of the node; otherwise wait for camera/start.')
