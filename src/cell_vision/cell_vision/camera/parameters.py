"""Parameters of the camera node."""

from __future__ import annotations

from dataclasses import dataclass

from cell_common.parameters import parameter


@dataclass(frozen=True)
class CameraParameters:
    """Where frames come from and how they are published."""

    source: str = parameter('0', 'Index, /dev path, rtsp:// or http:// address, gst: pipeline, video file or image folder.')
    frame_rate: float = parameter(10.0, 'Frames published per second, at most.', unit='Hz', minimum=0.1, maximum=240.0)
    width: int = parameter(
        1280, 'Wanted frame width of a device; 0 = as the device is set.', unit='px', minimum=0, maximum=16384
    )
    height: int = parameter(
        720, 'Wanted frame height of a device; 0 = as the device is set.', unit='px', minimum=0, maximum=16384
    )
    jpeg_quality: int = parameter(
        90,
        'Quality of frames that are compressed here; JPEGs from the camera pass as they are.',
        unit='%',
        minimum=1,
        maximum=100,
    )
    frame_id: str = parameter('camera_optical_frame', 'Frame of the pictures, z forward, x right, y down (REP 103).')
    rotation: str = parameter('0', 'Turn the picture clockwise.', unit='deg', choices=('0', '90', '180', '270'))
    roi: list[int] = parameter(
        [0, 0, 0, 0], 'Cut out x, y, width, height before turning; width 0 = all.', unit='px', minimum=0, maximum=16384
    )
    calibration_file: str = parameter('', 'Calibration as camera_calibration writes it (YAML); empty = not calibrated.')
    stall_timeout: float = parameter(
        2.0, 'Without a frame for so long the source is opened again.', unit='s', minimum=0.1, maximum=60.0
    )
    exposure: float = parameter(
        -1.0, "In the driver's unit (V4L2: 100 us); below 0 = automatic, as the device is set.", minimum=-1.0, maximum=1e6
    )
    gain: float = parameter(-1.0, "Gain in the driver's unit; below 0 = as the device is set.", minimum=-1.0, maximum=1e6)
    focus: float = parameter(
        -1.0, "Focus in the driver's unit; below 0 = autofocus, as the device is set.", minimum=-1.0, maximum=1e6
    )
    white_balance: float = parameter(
        -1.0, 'Colour temperature; below 0 = automatic, as the device is set.', unit='K', minimum=-1.0, maximum=20000.0
    )
    frozen_after: float = parameter(
        10.0, 'Warn when the very same picture comes for so long; 0 = never.', unit='s', minimum=0.0, maximum=3600.0
    )
    least_brightness: float = parameter(12.0, 'Warn below this mean gray value; 0 = never.', minimum=0.0, maximum=255.0)
    least_sharpness: float = parameter(
        0.0, 'Warn below this sharpness; the diagnostics show the present one; 0 = never.', minimum=0.0, maximum=65025.0
    )
    loop: bool = parameter(True, 'Show a video file or an image folder again from its start.')
    autostart: bool = parameter(True, 'Take frames from the start; otherwise wait for camera/start.')
