"""Tries an engine as the OCR node would: starts its worker and has it read a drawn label."""

from __future__ import annotations

import queue
import time
from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from cell_vision.ocr.worker.supervisor import (
    RESTARTING,
    ReadJob,
    ReadResult,
    WorkerStatus,
    WorkerSupervisor,
)

__all__ = ['EngineCheck', 'check_engine', 'sample_image']

SAMPLE = ('EM1-2U4', 'G8NB-17SR')
POLL_S = 0.05
READ_DEADLINE_S = 30.0
RESULT_TIMEOUT_S = 60.0


@dataclass(frozen=True)
class EngineCheck:
    """Result of a check.

    Attributes:
        engine: Name and version, "" when the engine did not start.
        error: Message for the operator, "" when the engine read the sample.
        texts: What it read.
        start_s: Seconds from the start of the process until it was ready.
        read_s: Seconds for the sample.
        memory: Memory of the worker after the reading, bytes.
    """

    engine: str
    error: str
    texts: tuple[str, ...] = ()
    start_s: float = 0.0
    read_s: float = 0.0
    memory: int = 0


def sample_image() -> bytes:
    """Return the drawn label, JPEG."""
    image = np.full((480, 800, 3), 215, np.uint8)
    for line, text in enumerate(SAMPLE):
        cv2.putText(image, text, (120, 200 + 110 * line), cv2.FONT_HERSHEY_SIMPLEX, 2.2, (25, 25, 25), 5, cv2.LINE_AA)
    return bytes(cv2.imencode('.jpg', image)[1])


def check_engine(arguments: Sequence[str], python: str, timeout_s: float = 120.0) -> EngineCheck:
    """Start a worker, have it read the sample, and end it.

    Args:
        arguments: Command line of `cell_vision.ocr.worker.main`.
        python: Interpreter of the worker; "" = this one.
        timeout_s: Longest start of the worker, seconds.
    """
    began = time.monotonic()
    worker = WorkerSupervisor(arguments, python=python, deadline=READ_DEADLINE_S)
    try:
        status = _wait_until_ready(worker, began + timeout_s)
        started = time.monotonic() - began
        if not status.ready:
            return EngineCheck('', status.message.removesuffix(RESTARTING), start_s=started)
        results: queue.Queue[ReadResult] = queue.Queue()
        asked = time.monotonic()
        worker.submit(ReadJob(sample_image(), results.put, {'fast': False}))
        result = results.get(timeout=RESULT_TIMEOUT_S)
        took = time.monotonic() - asked
        texts = tuple(reading.text for reading in result.reading.readings) if result.reading else ()
        error = result.message.removesuffix(RESTARTING)
        if result.reading is not None and not set(SAMPLE) <= set(texts):
            error = f'it read {", ".join(texts) or "no text"} instead of {", ".join(SAMPLE)}: its models are damaged'
        return EngineCheck(status.engine, error, texts, started, took, worker.state.memory)
    finally:
        worker.close()


def _wait_until_ready(worker: WorkerSupervisor, until: float) -> WorkerStatus:
    """Wait until the worker is ready or has ended once."""
    first = WorkerStatus().message
    while time.monotonic() < until:
        status = worker.state
        if status.ready or status.message != first:
            return status
        time.sleep(POLL_S)
    return worker.state
