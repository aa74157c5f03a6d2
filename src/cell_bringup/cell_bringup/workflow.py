"""`cell workflow`: reads a part, compares it with a benchmark, saves the overlay, and triggers a hub after a match.

The bench check of the replaced OCR backend; no node runs. The cell itself decides more strictly, with the part catalogue.
"""

from __future__ import annotations

import argparse
import json
import re
import time
import zlib
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Protocol

import cv2
import numpy as np
from cell_legacy.camera.capture import Camera, CameraError
from cell_legacy.ocr.compare import TextComparator
from cell_legacy.ocr.engine import OCREngine
from cell_legacy.robohub_client import RoboHubClient
from cell_legacy.utils.draw import draw_ocr_overlays
from numpy.typing import NDArray
from rich.console import Console
from rich.table import Column, Table
from rich.text import Text

__all__ = ['MATCH', 'NO_MATCH', 'WRONG_USE', 'ImageResult', 'PretendedHub', 'Reader', 'run_workflow']

MATCH, NO_MATCH, WRONG_USE = 0, 1, 2
IMAGES = frozenset({'.jpg', '.jpeg', '.png', '.bmp', '.tif', '.tiff', '.webp'})
FIRST_FRAME_S = 5.0
POLL_S = 0.02
START_PROGRAM = 'START_PROGRAM'
Frame = NDArray[np.uint8]


class WorkflowError(Exception):
    """The check cannot be made; the text says what is missing and what to do."""


class Reader(Protocol):
    """Reads the texts of a frame, as `OCREngine` does."""

    def run_ocr(self, frame: Frame) -> dict[str, object]:
        """Return `processed_frame`, `det_polygons` and `rec_texts`."""
        ...


class Hub(Protocol):
    """The part of `RoboHubClient` that a trigger needs."""

    def connect(self, timeout: float = 5.0) -> bool: ...
    def send_part_code(self, letter: str, part_number: str = '') -> bool: ...
    def send_trigger(self, event_name: str) -> bool: ...
    def wait_for_ack(self, event: str, timeout: float = 10) -> bool: ...
    def disconnect(self) -> None: ...


class PretendedHub:
    """A hub that moves nothing and acknowledges every trigger."""

    def connect(self, timeout: float = 5.0) -> bool:  # noqa: ARG002 - the interface of RoboHubClient
        """Return True."""
        return True

    def send_part_code(self, letter: str, part_number: str = '') -> bool:  # noqa: ARG002
        """Return True."""
        return True

    def send_trigger(self, event_name: str) -> bool:  # noqa: ARG002
        """Return True."""
        return True

    def wait_for_ack(self, event: str, timeout: float = 10) -> bool:  # noqa: ARG002
        """Return True."""
        return True

    def disconnect(self) -> None:
        """Do nothing."""


@dataclass(frozen=True)
class ImageResult:
    """Result of one image."""

    source: str
    texts: list[str]
    benchmark_text: str
    component_text: str
    score: float
    """Similarity of the two texts, 0..1."""
    match: bool
    overlay: str
    """Path of the saved image."""


@dataclass(frozen=True)
class HubTriggerResult:
    """One trigger that was sent to the hub."""

    event: str
    acknowledged: bool
    message: str


def run_workflow(
    options: argparse.Namespace,
    console: Console,
    make_reader: Callable[[], Reader] = OCREngine,  # type: ignore[assignment]  # a TypedDict is no dict for mypy
) -> int:
    """Check every image and trigger the hub; return the exit code.

    A robot moves only after every image has matched, and only with --hub.

    Args:
        options: Of `cell_bringup.workflow_arguments`.
        console: Output.
        make_reader: Loads the reader; called once.

    Returns:
        MATCH when every image matches and every trigger was acknowledged, NO_MATCH when not, WRONG_USE when the check cannot
        be made.
    """
    try:
        if options.letter and not (options.pretend or options.hub):
            raise WorkflowError('--letter needs --pretend, or --hub URL')
        if (options.pretend or options.hub or options.part_number) and not options.letter:
            raise WorkflowError("--letter is missing: give the part's letter, or leave the hub out")
        # All images are read before the OCR engine is loaded, which takes seconds: a wrong path is reported at once.
        frames = list(_frames(options))
        benchmark_frame = None if options.benchmark_image is None else _load(options.benchmark_image)
        reader = _Reader(make_reader)
        benchmark = _benchmark(options, reader, benchmark_frame)
        results = [_check(name, frame, benchmark, reader, options) for name, frame in frames]
        matched = all(result.match for result in results)
        triggers = _trigger(options) if matched and options.letter else []
    except (WorkflowError, CameraError, OSError, RuntimeError, cv2.error) as error:
        # As Text: a path or a message may hold brackets, which are no markup.
        console.print(Text(str(error), style='red'), soft_wrap=True, highlight=False)
        return WRONG_USE
    _print(options, console, benchmark, results, triggers)
    return MATCH if matched and all(trigger.acknowledged for trigger in triggers) else NO_MATCH


class _Reader:
    """A reader whose errors, of whatever kind, are a `WorkflowError`: exit code 1 must mean that the parts do not match."""

    def __init__(self, make: Callable[[], Reader]) -> None:
        try:
            self._reader = make()
        except Exception as error:
            raise WorkflowError(f'the OCR engine cannot be loaded: {error}') from error

    def run_ocr(self, frame: Frame) -> dict[str, object]:
        """Return what the reader found.

        Raises:
            WorkflowError: It failed.
        """
        try:
            return self._reader.run_ocr(frame)
        except Exception as error:
            raise WorkflowError(f'the OCR engine failed ({type(error).__name__}): {error}') from error


def _frames(options: argparse.Namespace) -> Iterator[tuple[str, Frame]]:
    """Yield (name, frame) of the camera, the image, or each image of a folder; frames are BGR, shape (height, width, 3).

    Raises:
        WorkflowError: There is no image, or one cannot be read.
    """
    if options.camera is not None:
        yield f'camera {options.camera}', _capture(options.camera)
        return
    source: Path = options.image
    if not source.is_dir():
        yield str(source), _load(source)
        return
    # Hidden files are no images: macOS leaves "._a.jpg" beside each file on a network share.
    images = (path for path in source.iterdir() if path.suffix.lower() in IMAGES and not path.name.startswith('.'))
    files = sorted(path for path in images if path.is_file())
    if not files:
        raise WorkflowError(f'{source} holds no image ({", ".join(sorted(IMAGES))})')
    for file in files:
        yield str(file), _load(file)


def _load(path: Path) -> Frame:
    """Return an image, BGR, shape (height, width, 3).

    Raises:
        WorkflowError: It is not there, a folder, or no image.
    """
    if path.is_dir():
        raise WorkflowError(f'{path} is a folder: give one image')
    if not path.is_file():
        raise WorkflowError(f'{path} is not there')
    try:
        image = cv2.imdecode(np.fromfile(path, np.uint8), cv2.IMREAD_COLOR) if path.stat().st_size else None
    except cv2.error:  # a size in its head that OpenCV refuses
        image = None
    if image is None:
        raise WorkflowError(f'{path} is no image that can be read')
    return np.asarray(image, np.uint8)


def _capture(index: int) -> Frame:
    """Return the first frame of a camera.

    Raises:
        CameraError: It cannot be opened.
        WorkflowError: It delivers no frame.
    """
    camera = Camera(index)
    camera.start()
    try:
        deadline = time.monotonic() + FIRST_FRAME_S
        while (frame := camera.get_frame()) is None:
            if time.monotonic() > deadline:
                raise WorkflowError(f'camera {index} delivers no frame: check its cable, or use another index')
            time.sleep(POLL_S)
        return frame
    finally:
        camera.stop()


def _benchmark(options: argparse.Namespace, reader: Reader, frame: Frame | None) -> list[str]:
    """Return the texts to compare with.

    Raises:
        WorkflowError: They have no letter or digit, so that everything or nothing would match.
    """
    texts = [options.benchmark] if frame is None else _texts(reader.run_ocr(frame))
    # After cleaning nothing would be left to compare, and an empty text is similar to any other empty one.
    if not any(TextComparator.clean_text(text) for text in texts):
        where = f'image {options.benchmark_image}' if frame is not None else 'text'
        raise WorkflowError(f'the benchmark {where} has no letter or digit: nothing can match it')
    return texts


def _check(name: str, frame: Frame, benchmark: list[str], reader: Reader, options: argparse.Namespace) -> ImageResult:
    read = reader.run_ocr(frame)
    texts = _texts(read)
    match, (benchmark_text, component_text), score = TextComparator.best_match(benchmark, texts, options.threshold)
    overlay = _save(options.output, name, draw_ocr_overlays(frame, read))
    return ImageResult(name, texts, benchmark_text, component_text, round(score, 4), match, str(overlay))


def _texts(read: object) -> list[str]:
    rows = read['rec_texts'] if isinstance(read, dict) else []
    return [str(row['text']) for row in rows]


def _save(folder: Path, name: str, image: Frame) -> Path:
    """Save an image with its overlay as PNG; the name of the source becomes part of the file's.

    Raises:
        WorkflowError: OpenCV cannot write it.
        OSError: The folder cannot be written.
    """
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f'{_overlay_name(Path(name).name)}_overlay.png'
    good, data = cv2.imencode('.png', image)
    if not good:
        raise WorkflowError(f'{path} cannot be written as PNG')
    path.write_bytes(bytes(data))
    return path


def _overlay_name(name: str) -> str:
    """Return the name of a source without blanks and points: "part.png" becomes "part_png".

    Where other names would become the same ("a b.png", "a.b.png"), a number made of the name makes it distinct.
    """
    plain = re.sub('[. ]', '_', name)
    return (
        plain
        if re.fullmatch(r'[^. ]+\.[A-Za-z0-9]+|camera \d+', name)
        else f'{plain}_{zlib.crc32(name.encode(errors="replace")):08x}'
    )


def _trigger(options: argparse.Namespace) -> list[HubTriggerResult]:
    """Send the part's letter, and START_PROGRAM only after its acknowledgement."""
    hub: Hub = RoboHubClient(options.hub) if options.hub else PretendedHub()
    part_event = f'PART_{options.part_number}'
    steps: list[tuple[str, Callable[[], bool]]] = [
        (part_event, lambda: hub.send_part_code(options.letter, options.part_number)),
        (START_PROGRAM, lambda: hub.send_trigger(START_PROGRAM)),
    ]
    done: list[HubTriggerResult] = []
    try:
        for event, send in steps:
            if not send():
                message = f'not sent: {options.hub} is not connected; is the hub running?'
            elif not hub.wait_for_ack(event, options.ack_timeout):
                message = f'outcome unknown: no acknowledgement within {options.ack_timeout:g} s. Look at the robot.'
            else:
                message = ''
            done.append(HubTriggerResult(event, not message, message or 'acknowledged'))
            if message:
                break
    finally:
        hub.disconnect()
    return done


def _print(
    options: argparse.Namespace,
    console: Console,
    benchmark: list[str],
    results: list[ImageResult],
    triggers: list[HubTriggerResult],
) -> None:
    """Print the results as a table, or as one JSON object with --json."""
    if options.json:
        data = {
            'benchmark': benchmark,
            'threshold': options.threshold,
            'match': all(result.match for result in results),
            'images': [asdict(result) for result in results],
            'triggers': [asdict(trigger) for trigger in triggers],
            'hub': options.hub or ('pretended' if options.pretend else ''),
        }
        console.print(json.dumps(data, indent=2), soft_wrap=True, highlight=False, markup=False)
        return
    table = Table('image', Column('texts', overflow='fold'), 'benchmark', 'component', 'score', 'match', 'overlay')
    for result in results:
        verdict = Text('match', 'green') if result.match else Text('no match', 'red')
        cells = (result.source, ', '.join(result.texts), result.benchmark_text, result.component_text, f'{result.score:.2f}')
        # As Text: a reading may hold brackets, which are no markup.
        table.add_row(*map(Text, cells), verdict, Text(result.overlay))
    console.print(table)
    for trigger in triggers:
        hub = options.hub or 'pretended hub'
        console.print(f'{hub}: {trigger.event} {trigger.message}', soft_wrap=True, highlight=False, markup=False)
