"""Reads recorded frames again, and judges recorded readings again, by the engine and the rules of today.

A live reading stops when its time is used up. Here nothing does: every frame gets as many passes as it needs, so two replays of
one bag have equal results on machines of any speed.
"""

from __future__ import annotations

import functools
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields, replace

import cv2
import numpy as np
from cell_common.catalogue import Catalogue
from sensor_msgs.msg import CompressedImage

from cell_interfaces.msg import BenchmarkSet, OcrResult, ResultCode
from cell_interfaces.srv import MatchPart, StoreBenchmark
from cell_vision.matching.benchmark import Benchmark
from cell_vision.matching.default_weights import load_weights
from cell_vision.matching.judge import PartJudge
from cell_vision.ocr.arrival import ArrivalWatch
from cell_vision.ocr.conversions import fill_result
from cell_vision.ocr.engines.base import BadImageError, Engine, EngineOptions
from cell_vision.ocr.engines.registry import make_engine
from cell_vision.ocr.fusion import MultiFrameReading
from cell_vision.ocr.parameters import OcrParameters
from cell_vision.ocr.pipeline import read_frame
from cell_vision.ocr.thumbnail import thumbnail_of
from cell_vision.types import UNREAD, FrameReading, Reading, ReadOptions

__all__ = ['ReadAgain', 'RecordedJudge', 'RecordedReader']


@dataclass(frozen=True)
class ReadAgain:
    """What a live request asked for.

    Attributes:
        request_id: Id of the reading.
        frames: Largest number of frames; 0 = the default of the parameters.
        careful: Read the first frame in several ways.
    """

    request_id: str
    frames: int = 0
    careful: bool = False


class RecordedReader:
    """Reads frames with an engine in this process."""

    def __init__(self, parameters: Mapping[str, object], engine: str = '', empty_view: bytes = b'') -> None:
        """Set the reader up; the engine is loaded with the first frame.

        Args:
            parameters: Recorded parameters of node ocr; unknown ones are left out.
            engine: Engine in place of the recorded one; "" = that one.
            empty_view: PNG of the learned empty view; b"" = none.
        """
        known = {field.name for field in fields(OcrParameters)}
        self._options = OcrParameters(**{name: value for name, value in parameters.items() if name in known})  # type: ignore[arg-type]
        self._engine_name = engine or self._options.engine
        self._engine: Engine | None = None
        background = cv2.imdecode(np.frombuffer(empty_view, np.uint8), cv2.IMREAD_GRAYSCALE) if empty_view else None
        learned = None if background is None else np.asarray(background, np.float32)
        self._watch = ArrivalWatch(self._options.least_part_share, learned)

    def read(self, asked: ReadAgain, images: Iterable[CompressedImage]) -> OcrResult:
        """Read frames until the reading is certain, as node ocr does.

        Args:
            asked: The recorded request.
            images: The frames that were read live, and further ones, oldest first. A frame is taken only if it is needed.

        Raises:
            EngineError: The engine cannot be used.
        """
        engine = self._engine = self._engine or self._make_engine()
        result = OcrResult(request_id=asked.request_id)
        fusion = MultiFrameReading(asked.frames or self._options.frames)
        used: list[CompressedImage] = []
        for image in images:
            jpeg = bytes(image.data)
            options = ReadOptions(
                fast=self._options.fast,
                careful=asked.careful and not used,
                codes=self._options.codes,
            )
            try:
                found = read_frame(engine, jpeg, options)
            except BadImageError as error:
                result.status, result.message = OcrResult.FAILED, str(error)
                break
            fusion.readings.append(self._without_the_empty_view(found, jpeg))
            used.append(image)
            if not fusion.needs_more:
                break
        if used:
            fill_result(result, fusion.fuse(), len(used))
            result.header = used[fusion.reference_index].header
            result.frame_stamps = [image.header.stamp for image in used]
        return result

    def _make_engine(self) -> Engine:
        options = self._options
        return _engine(
            self._engine_name,
            EngineOptions(
                detector_side=options.detector_side,
                text_score=options.text_score,
                threads=options.threads,
                backend=options.backend,
                precision=options.precision,
                model_dir=options.model_dir,
            ),
        )

    def _without_the_empty_view(self, found: FrameReading, jpeg: bytes) -> FrameReading:
        """Remove unread parts that stand in the empty view too, as node ocr does."""
        thumbnail = thumbnail_of(jpeg) if any(item.text == UNREAD for item in found.readings) else None
        if thumbnail is None:
            return found

        def stands_always(item: Reading) -> bool:
            polygon = [(x / found.width, y / found.height) for x, y in item.polygon]
            return item.text == UNREAD and self._watch.is_region_empty(thumbnail, polygon)

        return replace(found, readings=tuple(item for item in found.readings if not stands_always(item)))


@functools.lru_cache(2)
def _engine(name: str, options: EngineOptions) -> Engine:
    """Return a loaded engine; two replays in one process share it. Its compiled models go to no cache outside the replay.

    It is warmed up to the end, as a live engine is after its first idle seconds: networks compiled for one shape round
    differently from the one for any shape, so that scores and doubtful texts would differ.
    """
    engine = make_engine(name, options)
    while engine.warm_next():
        pass
    return engine


class RecordedJudge:
    """Catalogue and benchmarks of a replay."""

    def __init__(self, catalogue: Catalogue, benchmarks: Sequence[BenchmarkSet]) -> None:
        """Prepare the catalogue.

        Args:
            catalogue: Parts of the replay.
            benchmarks: The latest benchmark of each part at the recording's start.
        """
        self._judge = PartJudge(catalogue, load_weights(), {})
        for item in benchmarks:
            if item.part_number in catalogue.parts:
                self._use(item.part_number, item.version, list(item.texts), max(1, int(item.frames)))

    def match(self, request: MatchPart.Request) -> MatchPart.Response:
        """Judge a reading again."""
        response = MatchPart.Response()
        self._judge.judge(request, response)
        return response

    def store_benchmark(self, request: StoreBenchmark.Request) -> StoreBenchmark.Response:
        """Set a benchmark again; it holds for the rest of the replay."""
        response = StoreBenchmark.Response()
        texts, identifying = self._judge.benchmark_texts(request.part_number, request.ocr)
        response.code, response.message = self._judge.benchmark_error(request.part_number, request.ocr, identifying)
        if response.code == ResultCode.OK:
            known = self._judge.matcher.benchmarks.get(request.part_number)
            response.version = known.version + 1 if known else 1
            self._use(request.part_number, response.version, texts, max(1, int(request.ocr.frames)))
        return response

    def _use(self, part_number: str, version: int, texts: list[str], frames: int) -> None:
        identifying = self._judge.matcher.identifying_texts(texts, part_number)
        self._judge.set_benchmark(Benchmark(part_number, version, tuple(texts), tuple(identifying), frames))
