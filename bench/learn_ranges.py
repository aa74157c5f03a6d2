"""Learn the range of each convolution's input on drawn frames; write the data file for integer inference.

    python bench/learn_ranges.py [--frames N] [--write]

Frames of the split train only. Of the lowest and highest values of each picture the middle ones count (LOWEST, HIGHEST): rare
extremes, cut off, cost less than the steps that a wide range makes coarse. Without --write the result is only printed.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any
from unittest.mock import patch

import numpy as np
import yaml
from cell_vision.ocr.engines import ppocr as engine_ppocr
from cell_vision.ocr.engines.base import EngineOptions
from cell_vision.ocr.engines.model_files import DETECTOR, RECOGNIZER, model_folder
from cell_vision.ocr.engines.ppocr import PpOcrEngine
from cell_vision.ocr.engines.ppocr_ops import detector_input, recognizer_input
from cell_vision.ocr.engines.quantization import RANGES, convolutions, digest
from cell_vision.ocr.pipeline import read_frame
from numpy.typing import NDArray
from vision_frames import LEVELS, bench_catalogue, frame

if TYPE_CHECKING:
    from cv2.typing import MatLike

ROOT = Path(__file__).resolve().parents[1]
DATA = ROOT / 'src' / 'cell_vision' / 'cell_vision' / RANGES
LOWEST, HIGHEST = 10, 90
"""Percentiles of the extremes of a layer, over all images."""
EVERY = 3
"""One batch out of this many is used."""
LEFT = ('p2o.Conv.0', 'p2o.Conv.33', 'p2o.Conv.34')
"""Layers left in float32: on the image itself, and between body and neck of the recognizer. Their cost is negligible."""
HEADER = """\
# Lowest and highest input of the convolutions that compute in 8-bit integers, for each model file;
# see cell_vision.ocr.engines.quantization.
# Written by bench/learn_ranges.py: do not edit.
"""


def main() -> int:
    """Learn the ranges, print them, and write them on request."""
    parser = argparse.ArgumentParser(description=str(__doc__).split('\n')[0])
    parser.add_argument('--frames', type=int, default=60, help='frames of each level')
    parser.add_argument('--write', action='store_true', help=f'write {DATA.relative_to(ROOT)}')
    options = parser.parse_args()
    folder = model_folder('')
    learnt = {
        name: {'sha256': digest(folder / name), 'inputs': _ranges(folder / name, batches[::EVERY])}
        for name, batches in _batches(options.frames).items()
    }
    text = HEADER + yaml.safe_dump(learnt, sort_keys=False, default_flow_style=None, width=120)
    print(text)
    if options.write:
        DATA.write_text(text, 'utf-8')
    return 0


def _batches(frames: int) -> dict[str, list[NDArray[np.float32]]]:
    """Return the inputs of detector and recognizer during the reading of frames.

    The engine runs in float32: ranges that were learned before must not shape the new ones.
    """
    seen: dict[str, list[NDArray[np.float32]]] = {DETECTOR: [], RECOGNIZER: []}

    def looking(*arguments: Any) -> tuple[NDArray[np.float32], float]:
        batch, scale = detector_input(*arguments)
        seen[DETECTOR].append(batch)
        return batch, scale

    def reading(strip: MatLike) -> NDArray[np.float32]:
        batch = recognizer_input(strip)
        seen[RECOGNIZER].append(batch)
        return batch

    parts = list(bench_catalogue(ROOT / 'config').parts)
    with patch.object(engine_ppocr, 'detector_input', looking), patch.object(engine_ppocr, 'recognizer_input', reading):
        engine = PpOcrEngine(EngineOptions(precision='float32'))
        for level in LEVELS:
            for number in range(frames):
                read_frame(engine, frame('train', level, number, parts).data, {})
    return seen


def _ranges(path: Path, batches: Sequence[NDArray[np.float32]]) -> dict[str, list[float]]:
    """Return the range of each convolution's input.

    Args:
        path: The ONNX file.
        batches: Inputs of this network.

    Returns:
        Name of the layer -> [lowest, highest].
    """
    import openvino
    import openvino.opset13 as operations

    core = openvino.Core()
    model = core.read_model(str(path))
    layers = [node for node in convolutions(model) if node.get_friendly_name() not in LEFT]
    names = [node.get_friendly_name() for node in layers]
    # The inputs become outputs of the network, so one inference delivers all of them.
    results = [operations.result(node.input_value(0)) for node in layers]
    request = core.compile_model(openvino.Model(results, model.get_parameters(), 'inputs'), 'CPU').create_infer_request()
    ends = []
    for batch in batches:
        request.infer([batch])
        ends.append([(tensor.data.min(), tensor.data.max()) for tensor in request.output_tensors])
    low, high = np.percentile(np.array(ends)[..., 0], LOWEST, axis=0), np.percentile(np.array(ends)[..., 1], HIGHEST, axis=0)
    return {name: [round(float(a), 5), round(float(b), 5)] for name, a, b in zip(names, low, high, strict=True)}


if __name__ == '__main__':
    sys.exit(main())
