"""Try an engine as the ocr node would: start its worker and let it read a drawn label."""

from __future__ import annotations

import queue
import time
from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from cell_vision.ocr.worker.supervisor import Answer, EngineHost, HostState, Job

SAMPLE = ('EM1-2U4', 'G8NB-17SR')
POLL_S = 0.05
AGAIN = '; it is started again'


@dataclass(frozen=True)
class Examined:
    """How an engine did."""

    engine: str
    """Name and version, "" when it did not start."""
    problem: str
    """For people; "" when it read the sample."""
    texts: tuple[str, ...] = ()
    start_s: float = 0.0
    read_s: float = 0.0
    memory: int = 0
    """Of the worker after the reading, bytes."""


def sample_picture() -> bytes:
    """Return the drawn label, JPEG."""
    image = np.full((480, 800, 3), 215, np.uint8)
    for line, text in enumerate(SAMPLE):
        cv2.putText(image, text, (120, 200 + 110 * line), cv2.FONT_HERSHEY_SIMPLEX, 2.2, (25, 25, 25), 5, cv2.LINE_AA)
    return bytes(cv2.imencode('.jpg', image)[1])


def examine(arguments: Sequence[str], python: str, patience: float = 120.0) -> Examined:
    """Start a worker, let it read the sample and end it.

    Args:
        arguments: Command line of `cell_vision.ocr.worker.main`.
        python: Its interpreter; "" = this one.
        patience: Seconds that it may take to start.
    """
    began = time.monotonic()
    host = EngineHost(arguments, python=python, deadline=30.0)
    try:
        state = _settled(host, began + patience)
        started = time.monotonic() - began
        if not state.ready:
            return Examined('', state.message.removesuffix(AGAIN), start_s=started)
        answers: queue.Queue[Answer] = queue.Queue()
        asked = time.monotonic()
        host.submit(Job(sample_picture(), answers.put, {'fast': False}))
        answer = answers.get(timeout=60.0)
        took = time.monotonic() - asked
        texts = tuple(reading.text for reading in answer.reading.readings) if answer.reading else ()
        problem = answer.message.removesuffix(AGAIN)
        if answer.reading is not None and not set(SAMPLE) <= set(texts):
            problem = f'it read {", ".join(texts) or "nothing"} where {", ".join(SAMPLE)} stands: its models are damaged'
        return Examined(state.engine, problem, texts, started, took, host.state.memory)
    finally:
        host.close()


def _settled(host: EngineHost, until: float) -> HostState:
    """Wait until the worker is ready, or has ended once."""
    first = HostState().message
    while time.monotonic() < until:
        state = host.state
        if state.ready or state.message != first:
            return state
        time.sleep(POLL_S)
    return host.state
