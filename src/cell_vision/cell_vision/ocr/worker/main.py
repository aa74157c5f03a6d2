"""The OCR worker process: loads one engine, executes read jobs, and exits when its parent does.

The OCR node starts it with the messages on stdin and stdout (`cell_vision.ocr.worker.protocol`). It is a separate process
because engines are large, crash, hang and leak memory, and because one may need another interpreter with other libraries.
"""

from __future__ import annotations

import argparse
import contextlib
import math
import os
import queue
import resource
import signal
import sys
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from typing import BinaryIO

from cell_vision.ocr.engines.base import BadImageError, Engine, EngineError, EngineOptions
from cell_vision.ocr.engines.registry import load_libraries, make_engine
from cell_vision.ocr.worker.protocol import (
    STANDBY_MODES,
    Header,
    ProtocolError,
    encode_reading,
    read_message,
    write_message,
)

WARM_UP_TEXT = 'AB12-34'
STANDBY_DELAY_S = 1.0
"""Delay before a standby worker starts to load: the active one may have a job that needs the processor."""
IDLE_S = 0.1
"""After this time without a job the next piece of warm-up runs."""
STATM = Path('/proc/self/statm')

_Jobs = queue.Queue[tuple[Header, bytes]]


def main(arguments: Sequence[str] | None = None) -> int:
    """Serve jobs until stdin ends; return the exit code."""
    options = _parse(arguments)
    requests, results = _redirect_stdout()
    jobs: _Jobs = queue.Queue()
    # A thread reads the requests, so that the end of the parent is noticed during a reading, too.
    threading.Thread(target=_receive_jobs, args=(requests, jobs), daemon=True).start()
    try:
        engine = _load(options) if options.spare == 'off' else _wait_as_standby(options, jobs)
    except Exception as error:
        fatal = str(error) if isinstance(error, EngineError) else f'the engine does not start: {error!r}'
        write_message(results, {'fatal': fatal})
        return 1
    write_message(results, {'ready': engine.name})
    while True:
        header, payload = _next_job(jobs, engine)
        result, crop = execute_job(engine, header, payload)
        write_message(results, {'job': header.get('job'), 'memory': resident_memory(), **result}, crop)


def _load(options: argparse.Namespace) -> Engine:
    """Load and warm up the engine: the first inference of a network takes several times as long as the next one.

    Raises:
        EngineError: A library or a model is missing.
    """
    engine = make_engine(
        options.engine,
        EngineOptions(
            detector_side=options.detector_side,
            text_score=options.text_score,
            threads=options.threads,
            backend=options.backend,
            precision=options.precision,
            model_dir=options.model_dir,
            cache_dir=options.cache_dir,
        ),
    )
    warm_up(engine)
    return engine


def _wait_as_standby(options: argparse.Namespace, jobs: _Jobs) -> Engine:
    """Prepare as far as the mode says, wait for activation, and return the engine."""
    with contextlib.suppress(queue.Empty):
        jobs.get(timeout=STANDBY_DELAY_S)
        return _load(options)
    if options.spare == 'warm':
        engine = _load(options)
        jobs.get()
        return engine
    with contextlib.suppress(Exception):  # Loading the engine after activation reports the same error.
        _load_libraries(options)
    jobs.get()
    return _load(options)


def _load_libraries(options: argparse.Namespace) -> None:
    import cell_vision.ocr.pipeline  # noqa: F401

    load_libraries(options.engine, options.backend)


def _next_job(jobs: _Jobs, engine: Engine) -> tuple[Header, bytes]:
    """Wait for a job; while there is none, run the remaining warm-up."""
    more = True
    while more:
        try:
            return jobs.get(timeout=IDLE_S)
        except queue.Empty:
            more = engine.warm_next()
    return jobs.get()


def execute_job(engine: Engine, header: Header, payload: bytes) -> tuple[Header, bytes]:
    """Read one frame; every failure becomes a result.

    Args:
        engine: The loaded engine.
        header: Fields of `cell_vision.types.ReadOptions`.
        payload: The compressed image.

    Returns:
        The result message and its payload, the crop (JPEG), empty when there is none.
    """
    from cell_vision.ocr.pipeline import read_frame

    start = time.perf_counter()
    deadline = start + float(header.get('budget') or math.inf)
    try:
        reading = read_frame(engine, payload, header, lambda: time.perf_counter() > deadline)  # type: ignore[arg-type]
    except BadImageError as error:
        return {'error': 'BAD_IMAGE', 'message': str(error)}, b''
    except Exception as error:
        return {'error': 'ENGINE', 'message': f'{type(error).__name__}: {error}'[:500]}, b''
    crop = reading.crop.jpeg if reading.crop is not None else b''
    return encode_reading(reading) | {'seconds': time.perf_counter() - start}, crop


def resident_memory() -> int:
    """Return the resident memory of this process, bytes (proc(5), statm); 0 where /proc is missing."""
    try:
        return int(STATM.read_text(encoding='ascii').split()[1]) * resource.getpagesize()
    except OSError:
        return 0


def warm_up(engine: Engine, side: int = 480) -> None:
    """Read a drawn text once, so that the first real reading is not slow.

    Args:
        engine: Loaded engine.
        side: Width of the drawn image, pixels.

    Raises:
        EngineError: The engine cannot read the text: it is broken.
    """
    import cv2
    import numpy as np

    image = np.full((side * 3 // 4, side, 3), 230, np.uint8)
    cv2.putText(image, WARM_UP_TEXT, (side // 4, side * 3 // 8), cv2.FONT_HERSHEY_SIMPLEX, side / 480, (20, 20, 20), 3)
    if not engine.read(image):
        raise EngineError(f'{engine.name} cannot read a plain text; its models may be damaged: reinstall it')


def _receive_jobs(requests: BinaryIO, jobs: _Jobs) -> None:
    with contextlib.suppress(ProtocolError, OSError):
        while message := read_message(requests):
            jobs.put(message)
    os.kill(os.getpid(), signal.SIGKILL)  # The parent has ended; a reading that still runs has no receiver.


def _redirect_stdout() -> tuple[BinaryIO, BinaryIO]:
    """Reserve stdout for messages: output of libraries goes to stderr."""
    results = os.fdopen(os.dup(1), 'wb')
    # Libraries print progress and warnings to stdout, also from C++; one line of them would break
    # the protocol.
    os.dup2(2, 1)
    return sys.stdin.buffer, results


def _parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    """Return the parsed command line; defaults are those of `EngineOptions`."""
    defaults = EngineOptions()
    parser = argparse.ArgumentParser(description='OCR worker; started by the ocr node')
    parser.add_argument('--engine', default='ppocr')
    parser.add_argument('--detector-side', type=int, default=defaults.detector_side)
    parser.add_argument('--text-score', type=float, default=defaults.text_score)
    parser.add_argument('--threads', type=int, default=defaults.threads)
    parser.add_argument('--backend', default=defaults.backend)
    parser.add_argument('--precision', default=defaults.precision)
    parser.add_argument('--model-dir', default=defaults.model_dir)
    parser.add_argument('--cache-dir', default=defaults.cache_dir)
    parser.add_argument('--spare', choices=STANDBY_MODES, default='off')
    return parser.parse_args(arguments)


if __name__ == '__main__':
    sys.exit(main())
