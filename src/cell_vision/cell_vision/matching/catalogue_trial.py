"""Tries a catalogue on images: how each part was read, with what verdict and margin, and how good the images are."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import cv2
import numpy as np
from cell_common.catalogue import Catalogue

from cell_vision.matching.catalogue_lint import lint_catalogue
from cell_vision.matching.catalogue_notes import catalogue_notes
from cell_vision.matching.catalogue_suggestions import suggestions
from cell_vision.matching.default_weights import load_weights
from cell_vision.matching.matcher import Decision, Matcher, MatchOutcome
from cell_vision.ocr.box_geometry import height
from cell_vision.ocr.engines.base import BadImageError, Engine, EngineOptions
from cell_vision.ocr.engines.registry import make_engine
from cell_vision.ocr.pipeline import decode, read_frame
from cell_vision.types import UNREAD, FrameReading

if TYPE_CHECKING:
    from cv2.typing import MatLike

__all__ = ['Trial', 'TrialResult', 'camera_images', 'folder_images', 'lint', 'make_trial_engine', 'try_catalogue']

SUFFIXES = ('.jpg', '.jpeg', '.png', '.bmp', '.tif', '.tiff', '.webp')
CAMERA_IMAGES = 10
SMALL_LETTERS = 14
"""Print lower than this is read badly, pixels."""
LOW_CONTRAST = 30
"""Gray levels."""
BLURRED = 30
"""Variance of the Laplacian in the read region below which print is blurred."""
GLARE = 0.02
"""Share of saturated pixels."""
DARK, BRIGHT = 25, 235
"""Mean gray levels."""


@dataclass(frozen=True)
class TrialResult:
    """Result of one image.

    Attributes:
        name: File name, or number of the camera image.
        verdict: MATCH where the image shows one part of the catalogue for sure; otherwise as
            `MatchOutcome`, or BAD_IMAGE.
        part_number: Recognized part; "" unless MATCH.
        text: Line that decided.
        margin: Score of the best part minus that of the next one, 0..1.
        reason: Why there is no match; "" for a match.
        nearest: Part that the image resembles most; "" = none.
        texts: All texts that were read.
        letter_height: Height of the tallest line, pixels.
        contrast: Between ink and ground, gray levels.
        sharpness: Variance of the Laplacian in the region that was read.
        glare: Share of saturated pixels.
        advice: Sentences about light, focus and distance.
    """

    name: str
    verdict: str
    part_number: str
    text: str
    margin: float
    reason: str
    nearest: str = ''
    texts: tuple[str, ...] = ()
    letter_height: float = 0.0
    contrast: float = 0.0
    sharpness: float = 0.0
    glare: float = 0.0
    advice: tuple[str, ...] = ()


@dataclass
class Trial:
    """Result of a trial.

    Attributes:
        pictures: One result for each image; the name is that of the JSON output, in order.
        never_seen: Parts that no image showed for sure.
        confused: Pairs that a image could not tell apart.
        warnings: Errors of the catalogue.
        notes: Numbers that need a second look.
        suggestions: Probable errors of the catalogue, from what the images show, each with its remedy.
    """

    pictures: list[TrialResult]
    never_seen: list[str] = field(default_factory=list)
    confused: list[tuple[str, str]] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    suggestions: list[str] = field(default_factory=list)


def lint(catalogue: Catalogue) -> tuple[list[str], list[str]]:
    """Return the errors of a catalogue and the notes on it.

    Args:
        catalogue: Valid catalogue.
    """
    weights = load_weights()
    return lint_catalogue(catalogue, weights), catalogue_notes(catalogue, weights)


def make_trial_engine() -> Engine:
    """Load the default OCR engine.

    Raises:
        EngineError: It is not installed.
    """
    return make_engine('ppocr', EngineOptions())


def folder_images(folder: Path) -> Iterator[tuple[str, bytes]]:
    """Yield name and bytes of each image of a folder.

    Args:
        folder: Searched without its subfolders; files are chosen by their ending and sorted by
            name.
    """
    for path in sorted(folder.iterdir()):
        if path.suffix.lower() in SUFFIXES:
            yield path.name, path.read_bytes()


def camera_images(source: str, count: int = CAMERA_IMAGES) -> Iterator[tuple[str, bytes]]:
    """Yield images of a camera: an index, a device path or a URL that OpenCV opens.

    Args:
        source: The camera.
        count: Number of images.

    Raises:
        OSError: The camera cannot be opened or gives no image.
    """
    camera = cv2.VideoCapture(int(source) if source.isdigit() else source)
    try:
        for number in range(count):
            good, image = camera.read()
            if not good:
                raise OSError(f'no picture of camera {source}: check its index, path or address')
            yield f'picture {number + 1}', bytes(cv2.imencode('.png', image)[1])
    finally:
        camera.release()


def try_catalogue(catalogue: Catalogue, images: Iterable[tuple[str, bytes]], engine: Engine) -> Trial:
    """Read images and judge each against the whole catalogue.

    Args:
        catalogue: The parts.
        images: Name and compressed bytes of each image.
        engine: Reads them.
    """
    matcher = Matcher(catalogue, load_weights())
    warnings, notes = lint(catalogue)
    trial = Trial([], warnings=warnings, notes=notes)
    confused: set[tuple[str, str]] = set()
    for name, data in images:
        try:
            image, (decision, reading) = decode(data), _judged(matcher, engine, data)
        except BadImageError as error:
            trial.pictures.append(TrialResult(name, 'BAD_IMAGE', '', '', 0.0, str(error)))
            continue
        trial.pictures.append(_result(name, decision, reading, image))
        if decision.verdict is MatchOutcome.AMBIGUOUS:
            names = sorted(part for part, _ in decision.candidates)
            confused.update((one, other) for i, one in enumerate(names) for other in names[i + 1 :])
    seen = {result.part_number for result in trial.pictures if result.verdict == MatchOutcome.MATCH.value}
    trial.never_seen = [part for part in catalogue.parts if part not in seen]
    trial.confused = sorted(confused)
    trial.suggestions = suggestions(catalogue, trial.pictures, trial.never_seen)
    return trial


def _judged(matcher: Matcher, engine: Engine, data: bytes) -> tuple[Decision, FrameReading]:
    """Return the decision of the first look, or of the careful one where the first leaves a doubt."""
    # Any part: a trial asks which part is shown, so MATCH and MISMATCH both name one for sure.
    expected = next(iter(matcher.catalogue.parts))
    reading = read_frame(engine, data, {})
    decision = matcher.match(expected, reading.readings)
    if decision.verdict not in {MatchOutcome.MATCH, MatchOutcome.MISMATCH}:
        reading = read_frame(engine, data, {'careful': True})
        decision = matcher.match(expected, reading.readings)
    return decision, reading


def _result(name: str, decision: Decision, reading: FrameReading, image: MatLike) -> TrialResult:
    """Return what a image shows: verdict, margin to the next part, and figures of the region with text.

    Letter height is in pixels, contrast the difference of the 95th and 5th percentile of the gray values, sharpness the
    variance of
    the Laplacian, glare the share of pixels at 253 or above.

    Args:
        name: Name of the image.
        decision: Decision of the matcher; without an expected part a MISMATCH is as good as a MATCH.
        reading: What was read.
        image: Shape (height, width, 3), BGR.
    """
    named = decision.verdict in {MatchOutcome.MATCH, MatchOutcome.MISMATCH}
    scores = [score for _, score in decision.candidates]
    margin = (scores[0] - scores[1] if len(scores) > 1 else scores[0]) if scores else 0.0
    boxes = [item.polygon for item in reading.readings if item.text != UNREAD]
    gray = cv2.cvtColor(image, cv2.COLOR_BGR2GRAY)
    region = gray
    if boxes:
        left, top, wide, high = cv2.boundingRect(np.array(boxes, np.float32).reshape(-1, 1, 2))
        region = gray[max(0, top) : top + high, max(0, left) : left + wide]
    region = region if region.size else gray
    low, high_level = np.percentile(np.asarray(region), (5, 95))
    letters = max(map(height, boxes), default=0.0)
    sharpness = float(np.asarray(cv2.Laplacian(region, cv2.CV_32F)).var())
    glare = float((np.asarray(region) >= 253).mean())
    verdict = MatchOutcome.MATCH.value if named else decision.verdict.value
    result = TrialResult(
        name, verdict, decision.part_number, decision.text, round(margin, 3), decision.reason if not named else '',
        decision.candidates[0][0] if decision.candidates else '',
        tuple(item.text for item in reading.readings if item.text != UNREAD),
        round(letters, 1), round(float(high_level - low), 1), round(sharpness, 1), round(glare, 4),
    )  # fmt: skip
    return TrialResult(**{**vars(result), 'advice': tuple(_advice(result, float(np.asarray(gray).mean())))})


def _advice(result: TrialResult, brightness: float) -> Iterator[str]:
    """Yield what to change about light, lens or distance; `brightness` is the mean gray value of the image, 0..255."""
    if brightness < DARK:
        yield 'nearly black: more light or a longer exposure'
    if brightness > BRIGHT:
        yield 'over-exposed: less light or a shorter exposure'
    if not result.letter_height:
        yield 'no text found: check light, focus and distance'
        return
    if result.letter_height < SMALL_LETTERS:
        yield f'letters are only {result.letter_height:.0f} px high: go closer or use a longer lens'
    if result.contrast < LOW_CONTRAST:
        yield 'low contrast: light from the side, or brighter'
    if result.sharpness < BLURRED:
        yield 'blurred: focus the lens or shorten the exposure'
    if result.glare > GLARE:
        yield 'glare on the print: diffuse or tilt the light'
