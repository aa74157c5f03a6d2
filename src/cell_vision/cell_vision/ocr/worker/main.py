"""The OCR worker process: loads one engine, reads what it is given, dies with its parent.

Started by the OCR node with its messages on stdin and stdout (see `worker_protocol`). It is a process of its own because
engines are large, crash, hang and leak, and because one may need another interpreter with other library versions.
"""

from __future__ import annotations

import argparse
import contextlib
import math
import os
import queue
import resource
import sys
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, BinaryIO

from cell_vision.ocr.engines.base import BadImageError, Engine, EngineError, EngineOptions, load_libraries, make_engine
from cell_vision.ocr.worker.protocol import SPARES, ProtocolError, encode_reading, read_message, write_message

WARM_UP_TEXT = 'AB12-34'
SPARE_WAITS_S = 1.0
"""A spare begins so much later to load: the worker may have a reading to do."""
IDLE_S = 0.1
"""A job that waited for the start comes within this time; only then is more loaded."""
STATM = Path('/proc/self/statm')


def main(arguments: Sequence[str] | None = None) -> int:
    """Serve until stdin ends."""
    options = _parse(arguments)
    requests, answers = _take_streams()
    jobs: queue.Queue[tuple[dict[str, Any], bytes]] = queue.Queue()
    threading.Thread(target=_listen, args=(requests, jobs), daemon=True).start()
    try:
        engine = _load(options) if options.spare == 'off' else _stand_by(options, jobs)
    except Exception as problem:
        fatal = str(problem) if isinstance(problem, EngineError) else f'the engine does not start: {problem!r}'
        write_message(answers, {'fatal': fatal})
        return 1
    write_message(answers, {'ready': engine.name})
    while True:
        header, payload = _next_job(jobs, engine)
        said = answer(engine, header, payload)
        crop = said.pop('crop_jpeg', b'')
        write_message(answers, {'job': header.get('job'), 'memory': resident_memory(), **said}, crop)


def _load(options: argparse.Namespace) -> Engine:
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


def _stand_by(options: argparse.Namespace, jobs: queue.Queue[tuple[dict[str, Any], bytes]]) -> Engine:
    """Be the spare: get ready so far once the worker has had its start to itself, wait for the turn, return the engine."""
    with contextlib.suppress(queue.Empty):
        jobs.get(timeout=SPARE_WAITS_S)
        return _load(options)
    if options.spare == 'warm':
        engine = _load(options)
        jobs.get()
        return engine
    with contextlib.suppress(Exception):  # What is wrong is told when the engine is loaded.
        load_libraries(options.engine, options.backend)
    jobs.get()
    return _load(options)


def _next_job(jobs: queue.Queue[tuple[dict[str, Any], bytes]], engine: Engine) -> tuple[dict[str, Any], bytes]:
    """Wait for a job; as long as none comes, load what makes later ones faster."""
    more = True
    while more:
        try:
            return jobs.get(timeout=IDLE_S)
        except queue.Empty:
            more = engine.prepare()
    return jobs.get()


def answer(engine: Engine, header: dict[str, Any], payload: bytes) -> dict[str, Any]:
    """Carry out one job; every failure becomes an answer. `crop_jpeg` is not part of the header: it is sent as payload."""
    from cell_vision.ocr.pipeline import see

    start = time.perf_counter()
    enough = start + float(header.get('budget') or math.inf)
    try:
        result = see(engine, payload, header, lambda: time.perf_counter() > enough)
    except BadImageError as problem:
        return {'error': 'BAD_IMAGE', 'message': str(problem)}
    except Exception as problem:
        return {'error': 'ENGINE', 'message': f'{type(problem).__name__}: {problem}'[:500]}
    return encode_reading(result) | {
        'crop_jpeg': result.crop.jpeg if result.crop is not None else b'',
        'seconds': time.perf_counter() - start,
    }


def resident_memory() -> int:
    """Return the memory of this process, bytes (proc(5), statm); 0 where the system does not tell."""
    try:
        return int(STATM.read_text(encoding='ascii').split()[1]) * resource.getpagesize()
    except OSError:
        return 0


def warm_up(engine: Engine, side: int = 480) -> None:
    """Read a drawn text once, so that the first real reading is not the slow one.

    Raises:
        EngineError: The engine cannot read a plain text: it is broken.
    """
    import cv2
    import numpy as np

    image = np.full((side * 3 // 4, side, 3), 230, np.uint8)
    cv2.putText(image, WARM_UP_TEXT, (side // 4, side * 3 // 8), cv2.FONT_HERSHEY_SIMPLEX, side / 480, (20, 20, 20), 3)
    if not engine.read(image):
        raise EngineError(f'{engine.name} cannot read a plain text; its models may be damaged: reinstall it')


def _listen(requests: BinaryIO, jobs: queue.Queue[tuple[dict[str, Any], bytes]]) -> None:
    with contextlib.suppress(ProtocolError, OSError):
        while message := read_message(requests):
            jobs.put(message)
    os._exit(0)  # The parent has gone: nobody wants the reading that may still be running.


def _take_streams() -> tuple[BinaryIO, BinaryIO]:
    """Keep stdout for messages alone: what libraries print goes to stderr."""
    answers = os.fdopen(os.dup(1), 'wb')
    os.dup2(2, 1)
    return sys.stdin.buffer, answers


def _parse(arguments: Sequence[str] | None) -> argparse.Namespace:
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
    parser.add_argument('--spare', choices=SPARES, default='off')
    return parser.parse_args(arguments)


if __name__ == '__main__':
    sys.exit(main())
