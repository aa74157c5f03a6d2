"""A USB camera that a thread reads, so that the newest frame is always at hand.

Kept for scripts. In the cell, node `camera` reads USB, network and file sources and reconnects.
"""

from __future__ import annotations

import logging
import sys
import threading

import cv2
import numpy as np
from numpy.typing import NDArray

__all__ = ['Camera', 'CameraError']

JOIN_TIMEOUT_S = 5.0
READ_RETRY_S = 0.05
"""Pause after a failed read."""
LOG = logging.getLogger(__name__)


class CameraError(RuntimeError):
    """The camera could not be opened."""


class Camera:
    """Reads a camera in a thread and keeps the newest frame.

    Attributes:
        camera_index: Number of the camera, as OpenCV counts them.
        cap: The open `cv2.VideoCapture`, None while stopped.
        frame: The newest frame, BGR, None before the first one. Read it under `lock`, or use `get_frame`.
        is_running: True from `start` to `stop`.
        lock: Guards `frame`.
    """

    def __init__(self, camera_index: int = 1) -> None:
        self.camera_index = camera_index
        self.cap: cv2.VideoCapture | None = None
        self.frame: NDArray[np.uint8] | None = None
        self.is_running = False
        self.lock = threading.Lock()
        self._thread: threading.Thread | None = None
        self._stopped = threading.Event()

    def start(self) -> None:
        """Open the camera (through DirectShow on Windows) and start the thread. Does nothing while it runs.

        Raises:
            CameraError: The camera cannot be opened, or a read from before `stop` still hangs in its driver. The replaced
                module went on with an empty picture.
        """
        if self.is_running:
            return
        former = self._thread
        if former is not None and former is not threading.current_thread():
            former.join(JOIN_TIMEOUT_S)
        if former is not None and former.is_alive():
            raise CameraError(
                f'camera {self.camera_index} still hangs in a read from before the stop: unplug it and plug it in again'
            )
        backend = cv2.CAP_DSHOW if sys.platform == 'win32' else cv2.CAP_ANY
        cap = cv2.VideoCapture(self.camera_index, backend)
        if not cap.isOpened():
            cap.release()
            raise CameraError(
                f'camera {self.camera_index} cannot be opened: check that it is plugged in, that no other program uses it, '
                'and that camera_index is right'
            )
        self.cap, self.frame = cap, None
        self.is_running = True
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, args=(cap,), name=f'camera-{self.camera_index}', daemon=True)
        self._thread.start()

    def update(self) -> None:
        """Read frames until `stop`; the body of the thread. A failed read is tried again."""
        cap, stopped = self.cap, self._stopped
        failing = False
        while self.is_running and not stopped.is_set():
            image = None
            try:
                good, image = cap.read() if cap is not None else (False, None)
            except Exception as error:  # drivers raise what they like when the cable is pulled; the thread must not end
                if not failing:
                    LOG.warning('camera %s: a read failed (%s); it is tried again', self.camera_index, error)
                good = False
            failing = not good or image is None
            if failing:
                stopped.wait(READ_RETRY_S)
            elif not stopped.is_set():
                with self.lock:
                    self.frame = np.asarray(image, np.uint8)

    def _run(self, cap: cv2.VideoCapture) -> None:
        """Read until `stop`, then release the camera: in this thread, as a release during a read crashes some drivers."""
        try:
            self.update()
        finally:
            if self.cap is cap:
                self.is_running, self.cap = False, None
            cap.release()

    def get_frame(self) -> NDArray[np.uint8] | None:
        """Return a copy of the newest frame, or None before the first one."""
        with self.lock:
            return None if self.frame is None else self.frame.copy()

    def stop(self) -> None:
        """End the thread, which releases the camera. Does nothing when it is stopped.

        A read that hangs in the driver is waited for `JOIN_TIMEOUT_S`; its thread releases the camera when it returns.
        """
        self.is_running = False
        self._stopped.set()
        thread = self._thread
        if thread is not None and thread is not threading.current_thread() and self.cap is not None:
            thread.join(JOIN_TIMEOUT_S)
            if thread.is_alive():
                LOG.warning('camera %s hangs in a read; it is released when the read returns', self.camera_index)
        self.cap = None
