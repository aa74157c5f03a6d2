"""Networks that compute in 8-bit integers, where the processor has instructions for it (VNNI): a quarter less time a frame.

A convolution's weights are rounded to 255 steps for each of its outputs, its input to 256 steps over a range that
bench/learn_ranges.py learnt for each model file. Without VNNI the sums of such products saturate (OpenVINO documentation,
"Saturation (overflow) Issue Workaround"): there, and for model files that nobody learnt, float32 is used.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any

import numpy as np
import yaml

from cell_vision.ocr.engines.base import EngineError

PROCESSOR = Path('/proc/cpuinfo')
RANGES = 'data/ranges.yaml'
INPUT_STEPS, WEIGHT_STEPS = 256, 255
"""Unsigned with zero, and symmetrical about zero: what VNNI multiplies."""
LEAST_RANGE = 1e-9
"""Of an output whose weights are all zero."""

Ranges = Mapping[str, tuple[float, float]]
"""Layer -> lowest and highest value of its input."""


def wanted(precision: str, backend: str, paths: list[Path]) -> bool:
    """Say whether networks are to compute in integers.

    Args:
        precision: "float32", "int8", or "auto": integers where that is possible.
        backend: The inference library.
        paths: The model files.

    Raises:
        EngineError: "int8" is asked for and not possible here.
    """
    if precision == 'float32':
        return False
    why_not = _why_not(backend, paths)
    if why_not and precision == 'int8':
        raise EngineError(f'{why_not}: set parameter precision to auto')
    return not why_not


def _why_not(backend: str, paths: list[Path]) -> str:
    if backend != 'openvino':
        return f'{backend} is not set up for networks of integers, OpenVINO is'
    if not has_vnni():
        return 'this processor has no instructions for networks of integers (VNNI)'
    unknown = [path.name for path in paths if not ranges_of(path)]
    return f'no ranges were learnt for {", ".join(unknown)} (bench/learn_ranges.py)' if unknown else ''


def has_vnni(processor: Path = PROCESSOR) -> bool:
    """Say whether the processor multiplies 8-bit integers without overflow; no where the file is missing."""
    try:
        return 'vnni' in processor.read_text(errors='replace')
    except OSError:
        return False


@cache
def ranges_of(path: Path) -> Ranges:
    """Return what was learnt for exactly this model file; empty when nothing was."""
    learnt = yaml.safe_load(resources.files('cell_vision').joinpath(RANGES).read_text('utf-8')) or {}
    known = learnt.get(path.name)
    if known is None or known['sha256'] != digest(path):
        return {}
    return {layer: (float(low), float(high)) for layer, (low, high) in known['inputs'].items()}


def digest(path: Path) -> str:
    """Return the SHA-256 of a file, hexadecimal."""
    with path.open('rb') as file:
        return hashlib.file_digest(file, 'sha256').hexdigest()


def convolutions(model: Any) -> Iterator[Any]:
    """Give the convolutions of an OpenVINO model that work on a whole picture and have constant weights."""
    for node in model.get_ordered_ops():
        if node.get_type_name() == 'Convolution' and node.input_value(1).get_node().get_type_name() == 'Constant':
            size = node.input_value(0).get_partial_shape()
            if not (size[2].is_static and size[2].get_length() == 1):
                yield node


def to_integers(model: Any, ranges: Ranges) -> None:
    """Change an OpenVINO model so that the convolutions of `ranges` compute in integers.

    Raises:
        EngineError: The model has no such convolution.
    """
    import openvino.opset13 as operations

    nodes = {node.get_friendly_name(): node for node in convolutions(model)}
    if missing := ranges.keys() - nodes.keys():
        raise EngineError(f'the model has no convolution {min(missing)}: {RANGES} does not fit to it')

    def rounded(value: Any, low: Any, high: Any, steps: int) -> Any:
        ends = [operations.constant(np.asarray(end, np.float32)) for end in (low, high, low, high)]
        return operations.fake_quantize(value, *ends, steps).output(0)

    for layer, (low, high) in ranges.items():
        node = nodes[layer]
        weights = node.input_value(1).get_node().data.astype(np.float32)
        most = np.abs(weights).max((1, 2, 3), keepdims=True) + LEAST_RANGE
        node.input(0).replace_source_output(rounded(node.input_value(0), min(low, 0.0), max(high, 0.0), INPUT_STEPS))
        node.input(1).replace_source_output(rounded(operations.constant(weights), -most, most, WEIGHT_STEPS))
