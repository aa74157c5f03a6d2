"""The `camera` node: any camera source as ROS images, compressed once."""

from __future__ import annotations

import array
from typing import Any

from cell_common.diagnostics import Diagnostics, Health
from cell_common.parameters import ParameterError, declare_parameters
from cell_common.qos import sensor_stream
from cell_common.runner import StartError, node_main
from cell_common.time import NS_PER_S
from rclpy.clock import Clock
from rclpy.node import Node
from rclpy.time import Time
from sensor_msgs.msg import CameraInfo, CompressedImage, Image
from std_msgs.msg import Header
from std_srvs.srv import Trigger

from cell_vision.camera.calibration import Calibration, CalibrationError, load_calibration
from cell_vision.camera.capture import Capture, Grabber
from cell_vision.camera.image_processing import Picture, Treatment, prepare
from cell_vision.camera.image_quality import Limits, PictureWatch
from cell_vision.camera.parameters import CameraParameters
from cell_vision.camera.source import Kind, Source, parse_source

FORMAT = 'bgr8; jpeg compressed bgr8'
"""As compressed_image_transport writes it."""


class CameraNode(Node):
    """Publishes `camera/image_raw/compressed`, `camera/camera_info`, and `camera/image_raw` while somebody wants it."""

    def __init__(self, **options: Any) -> None:
        super().__init__('camera', **options)
        self._options = declare_parameters(self, CameraParameters)
        self._source = _source(self._options)
        self._calibration = _calibration(self._options)
        self._treatment = Treatment(self._options.roi, self._options.rotation, self._options.jpeg_quality)
        self._watch = PictureWatch(
            Limits(self._options.frozen_after, self._options.least_brightness, self._options.least_sharpness)
        )
        self._compressed = self.create_publisher(CompressedImage, 'camera/image_raw/compressed', sensor_stream())
        self._raw = self.create_publisher(Image, 'camera/image_raw', sensor_stream())
        self._info = self.create_publisher(CameraInfo, 'camera/camera_info', sensor_stream())
        clock: Clock = self.get_clock()
        self._capture = Capture(
            self._grabber, self._take, lambda: int(clock.now().nanoseconds), rate=self._options.frame_rate, log=self._say
        )
        self.create_service(Trigger, 'camera/start', self._start)
        self.create_service(Trigger, 'camera/stop', self._stop)
        self._diagnostics = Diagnostics(self, self._source.shown)
        self._diagnostics.add('capture', self._health)
        if self._options.autostart:
            self._capture.start()

    def destroy_node(self) -> None:
        """Give the camera free, then end the node."""
        self._capture.stop()
        super().destroy_node()

    def _grabber(self) -> Grabber:
        if self._source.kind is Kind.HTTP:
            from cell_vision.camera.grabbers.http import HttpGrabber

            return HttpGrabber(self._source.target, self._options.stall_timeout)
        from cell_vision.camera.grabbers.opencv import FileGrabber, OpenCvGrabber

        steady = self._source.kind in {Kind.FOLDER, Kind.VIDEO}
        return (FileGrabber if steady else OpenCvGrabber)(self._source, self._options)

    def _take(self, frame: Any, stamp: int) -> None:
        """Called in the capture thread with each frame; it is published from there, which costs half of the executor's turn."""
        try:
            picture = prepare(frame, stamp, self._treatment, pixels=self._raw.get_subscription_count() > 0)
            if picture is not None:
                self._publish(picture)
                self._watch.see(picture.jpeg, stamp)
        except Exception:
            if self.context.ok():  # Otherwise the node is being ended, and ROS is gone already.
                raise

    def _publish(self, picture: Picture) -> None:
        header = Header(stamp=Time(nanoseconds=picture.stamp).to_msg(), frame_id=self._options.frame_id)
        self._compressed.publish(CompressedImage(header=header, format=FORMAT, data=array.array('B', picture.jpeg)))
        if self._info.get_subscription_count():
            self._info.publish(self._camera_info(header, picture))
        if picture.pixels is not None:
            self._raw.publish(
                Image(
                    header=header,
                    height=picture.height,
                    width=picture.width,
                    encoding='bgr8',
                    step=3 * picture.width,
                    data=array.array('B', picture.pixels.tobytes()),
                )
            )

    def _camera_info(self, header: Header, picture: Picture) -> CameraInfo:
        info = CameraInfo(header=header, width=picture.width, height=picture.height)
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
        response.success, response.message = True, f'taking frames from {self._source.shown}'
        return response

    def _stop(self, _request: Trigger.Request, response: Trigger.Response) -> Trigger.Response:
        self._capture.stop()
        response.success, response.message = True, 'stopped; camera/start goes on'
        return response

    def _say(self, text: str) -> None:
        self.get_logger().info(f'{self._source.shown}: {text}')

    def _health(self) -> Health:
        state = self._capture.state
        now = self.get_clock().now().nanoseconds
        age = (now - state.last_frame) / NS_PER_S if state.last_frame else float('nan')
        values = {
            'source': self._source.shown,
            'frames': str(state.frames),
            'losses': str(state.losses),
            'frame age': f'{age:.2f}',
            'brightness': f'{self._watch.brightness:.0f}',
            'sharpness': f'{self._watch.sharpness:.0f}',
        }
        if not state.running:
            return Health(1, 'the camera is stopped; call camera/start', values)
        if not state.connected:
            return Health(2, f'no frames from {self._source.shown}: {state.problem}', values)
        if age > self._options.stall_timeout + 1 / self._options.frame_rate:
            return Health(2, f'no frame from {self._source.shown} for {age:.1f} s; check the camera', values)
        problem = self._watch.problem(now)
        return Health(1 if problem else 0, problem, values)


def _source(parameters: CameraParameters) -> Source:
    try:
        source = parse_source(parameters.source)
    except ValueError as problem:
        raise ParameterError(str(problem)) from problem
    if len(parameters.roi) != 4:
        raise ParameterError(f'parameter "roi" is {parameters.roi}; it must be four numbers: x, y, width, height')
    return source


def _calibration(parameters: CameraParameters) -> Calibration | None:
    try:
        return load_calibration(parameters.calibration_file) if parameters.calibration_file else None
    except CalibrationError as problem:
        raise StartError(str(problem)) from problem


main = node_main(CameraNode)

if __name__ == '__main__':
    main()
