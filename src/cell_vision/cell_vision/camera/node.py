"""The `camera` node: publishes the frames of any camera source as ROS images, compressed once.

Stamps are times of arrival, or earlier where the camera's own clock shows a delay. The OCR node
measures on the parts how late a stream is. OpenCV is imported only when a frame has to be decoded.
"""

from __future__ import annotations

import array
from typing import TYPE_CHECKING, Any

from cell_common.diagnostics import Diagnostics, Health
from cell_common.parameters import ParameterError, declare_parameters
from cell_common.qos import sensor_stream
from cell_common.ros_time import to_msg
from cell_common.runner import StartError, node_main
from cell_common.services import create_service
from cell_common.time import NS_PER_S, now_ns
from rclpy.node import Node
from sensor_msgs.msg import CameraInfo, CompressedImage, Image
from std_msgs.msg import Header
from std_srvs.srv import Trigger

from cell_vision.camera.calibration import Calibration, CalibrationError, load_calibration
from cell_vision.camera.capture import CaptureStatus, CaptureThread, FrameSource
from cell_vision.camera.image_processing import ImageProcessing, ProcessedFrame, process_frame
from cell_vision.camera.image_quality import ImageQualityMonitor, QualityLimits
from cell_vision.camera.parameters import CameraParameters
from cell_vision.camera.source import CameraSource, SourceKind, parse_source

if TYPE_CHECKING:
    from cv2.typing import MatLike

FORMAT = 'bgr8; jpeg compressed bgr8'
"""Format field of compressed_image_transport."""
OK, WARN, ERROR = 0, 1, 2
"""Diagnostic levels."""


class CameraNode(Node):
    """Publishes `camera/image_raw/compressed`; `camera/camera_info` and `camera/image_raw` while they have subscribers.

    Images are published by the capture thread, services and diagnostics run in the executor.
    """

    def __init__(self, **options: Any) -> None:
        """Create publishers and services, and start capturing if `autostart` is set.

        Args:
            options: Passed to `rclpy.node.Node`, e.g. `parameter_overrides` in tests.

        Raises:
            ParameterError: A parameter is out of range, or `source` or `roi` cannot be parsed.
            StartError: The calibration file cannot be used.
        """
        super().__init__('camera', **options)
        self._options = declare_parameters(self, CameraParameters)
        self._source = _parse_source(self._options)
        self._calibration = _load_calibration(self._options)
        self._processing = ImageProcessing(self._options.roi, self._options.rotation, self._options.jpeg_quality)
        limits = self._options
        self._quality = ImageQualityMonitor(
            QualityLimits(limits.frozen_after, limits.least_brightness, limits.least_sharpness, limits.most_white)
        )
        self._compressed = self.create_publisher(CompressedImage, 'camera/image_raw/compressed', sensor_stream())
        self._raw = self.create_publisher(Image, 'camera/image_raw', sensor_stream())
        self._info = self.create_publisher(CameraInfo, 'camera/camera_info', sensor_stream())
        self._capture = CaptureThread(
            self._make_source, self._on_frame, lambda: now_ns(self), rate=self._options.frame_rate, log=self._log
        )
        create_service(self, Trigger, 'camera/start', self._start)
        create_service(self, Trigger, 'camera/stop', self._stop)
        self._diagnostics = Diagnostics(self, self._source.display_name)
        self._diagnostics.add('capture', self.health)
        if self._options.autostart:
            self._capture.start()

    @property
    def capture_status(self) -> CaptureStatus:
        """State of the capture."""
        return self._capture.state

    def destroy_node(self) -> None:
        """Release the camera and destroy the node."""
        self._capture.stop()
        super().destroy_node()

    def _make_source(self) -> FrameSource:
        if self._source.kind is SourceKind.HTTP:
            from cell_vision.camera.grabbers.http import HttpGrabber

            return HttpGrabber(self._source.target, self._options.stall_timeout)
        from cell_vision.camera.grabbers.opencv import FileGrabber, OpenCvGrabber

        is_file = self._source.kind in {SourceKind.FOLDER, SourceKind.VIDEO}
        return (FileGrabber if is_file else OpenCvGrabber)(self._source, self._options)

    def _on_frame(self, frame: bytes | MatLike, stamp: int) -> None:
        """Publish a frame from the capture thread, which halves the load of the executor."""
        try:
            processed = process_frame(frame, stamp, self._processing, pixels=self._raw.get_subscription_count() > 0)
            if processed is not None:
                self._publish(processed)
                self._quality.update(processed.jpeg, stamp)
        except Exception:
            if self.context.ok():  # After a shutdown the publishers are invalid, which is no error.
                raise

    def _publish(self, frame: ProcessedFrame) -> None:
        header = Header(stamp=to_msg(frame.stamp), frame_id=self._options.frame_id)
        self._compressed.publish(CompressedImage(header=header, format=FORMAT, data=array.array('B', frame.jpeg)))
        # Nothing is built for topics that nobody reads: messages cost more than the frame itself.
        if self._info.get_subscription_count():
            self._info.publish(self._camera_info(header, frame))
        if frame.pixels is not None:
            from cv_bridge import CvBridge

            self._raw.publish(CvBridge().cv2_to_imgmsg(frame.pixels, 'bgr8', header))

    def _camera_info(self, header: Header, frame: ProcessedFrame) -> CameraInfo:
        """Return the calibration for a frame; without one, zero matrices mark the camera as uncalibrated."""
        info = CameraInfo(header=header, width=frame.width, height=frame.height)
        known = self._calibration
        if known is not None:
            info.width, info.height, info.distortion_model = known.width, known.height, known.model
            info.d, info.k, info.r, info.p = list(known.d), list(known.k), list(known.r), list(known.p)
        x, y, wide, high = self._options.roi
        if wide:
            info.roi.x_offset, info.roi.y_offset, info.roi.width, info.roi.height = x, y, wide, high
        return info

    def _start(self, _request: Trigger.Request, response: Trigger.Response) -> Trigger.Response:
        self._capture.start()
        response.success, response.message = True, f'capturing from {self._source.display_name}'
        return response

    def _stop(self, _request: Trigger.Request, response: Trigger.Response) -> Trigger.Response:
        self._capture.stop()
        response.success, response.message = True, 'stopped; call camera/start to continue'
        return response

    def _log(self, message: str) -> None:
        self.get_logger().info(f'{self._source.display_name}: {message}')

    def health(self) -> Health:
        """Return the diagnostic status of the capture and the images."""
        status, now, name = self._capture.state, now_ns(self), self._source.display_name
        age = (now - status.last_frame) / NS_PER_S if status.last_frame else float('nan')
        values = {
            'source': name,
            'frames': str(status.frames),
            'losses': str(status.losses),
            'repeated frames': str(status.repeated),
            'frame age': f'{age:.2f}',
            'brightness': f'{self._quality.brightness:.0f}',
            'sharpness': f'{self._quality.sharpness:.0f}',
        }
        if not status.running:
            return Health(WARN, 'the camera is stopped; call camera/start', values)
        if not status.connected:
            return Health(ERROR, f'no frames from {name}: {status.message}', values)
        if age > self._options.stall_timeout + 1 / self._options.frame_rate:
            return Health(ERROR, f'no frame from {name} for {age:.1f} s; check the camera', values)
        warning = self._quality.warning(now)
        return Health(WARN if warning else OK, warning, values)


def _parse_source(parameters: CameraParameters) -> CameraSource:
    """Return the camera source of the parameters.

    Raises:
        ParameterError: `source` is of no known form, or `roi` has not four numbers.
    """
    try:
        source = parse_source(parameters.source)
    except ValueError as error:
        raise ParameterError(str(error)) from error
    if len(parameters.roi) != 4:
        raise ParameterError(f'parameter "roi" is {parameters.roi}; it must be four numbers: x, y, width, height')
    return source


def _load_calibration(parameters: CameraParameters) -> Calibration | None:
    """Return the calibration of the parameters, None without a file.

    Raises:
        StartError: The file cannot be used. Starting without it would publish a camera_info that is wrong.
    """
    try:
        return load_calibration(parameters.calibration_file) if parameters.calibration_file else None
    except CalibrationError as error:
        raise StartError(str(error)) from error


main = node_main(CameraNode)

if __name__ == '__main__':
    main()
