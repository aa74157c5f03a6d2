"""8-bit integer networks on processors with instructions for them (VNNI): a quarter less time a frame.

The weights of a convolution are rounded to 255 steps for each output, its input to 256 steps over a range that
bench/learn_ranges.py learned for each model file. Without VNNI the sums of such products saturate (OpenVINO documentation,
"Saturation (overflow) Issue Workaround"); there, and for model files without learned ranges, float32 is used.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import yaml
from numpy.typing import NDArray

from cell_vision.ocr.engines.base import EngineError

if TYPE_CHECKING:
    from openvino import Model, Node, Output

PROCESSOR = Path('/proc/cpuinfo')
RANGES = 'data/ranges.yaml'
INPUT_STEPS, WEIGHT_STEPS = 256, 255
"""Unsigned with zero, and symmetrical about zero: the operand types of VNNI."""
LEAST_RANGE = 1e-9
"""Range of an output whose weights are all zero."""

Ranges = Mapping[str, tuple[float, float]]
"""Layer -> lowest and highest value of its input."""


def int8_enabled(precision: str, backend: str, paths: Sequence[Path]) -> bool:
    """Return whether networks run in 8-bit integers.

    Args:
        precision: "float32", "int8", or "auto": int8 where possible.
        backend: The inference library.
        paths: The model files.

    Raises:
        EngineError: "int8" is requested but not possible.
    """
    if precision == 'float32':
        return False
    reason = _unsupported_reason(backend, paths)
    if reason and precision == 'int8':
        raise EngineError(f'{reason}: set parameter precision to auto')
    return not reason


def _unsupported_reason(backend: str, paths: Sequence[Path]) -> str:
    if backend != 'openvino':
        return f'{backend} does not run int8 networks here, only OpenVINO does'
    if not has_vnni():
        return 'this processor has no instructions for int8 networks (VNNI)'
    unknown = [path.name for path in paths if not activation_ranges(path)]
    return f'no ranges were learned for {", ".join(unknown)} (bench/learn_ranges.py)' if unknown else ''


def has_vnni(processor: Path = PROCESSOR) -> bool:
    """Return whether the processor multiplies 8-bit integers without overflow; False where /proc/cpuinfo is missing."""
    try:
        return 'vnni' in processor.read_text(errors='replace')
    except OSError:
        return False


@cache
def activation_ranges(path: Path) -> Ranges:
    """Return the learned input ranges of this model file, identified by its checksum; empty when there are none."""
    learned = yaml.safe_load(resources.files('cell_vision').joinpath(RANGES).read_text('utf-8')) or {}
    known = learned.get(path.name)
    # Ranges of another file would clip its values without any error.
    if known is None or known['sha256'] != digest(path):
        return {}
    return {layer: (float(low), float(high)) for layer, (low, high) in known['inputs'].items()}


def digest(path: Path) -> str:
    """Return the SHA-256 of a file, hexadecimal."""
    with path.open('rb') as file:
        return hashlib.file_digest(file, 'sha256').hexdigest()


def convolutions(model: Model) -> Iterator[Node]:
    """Yield the convolutions of a model that have constant weights and a two-dimensional input.

    Those on inputs of one row belong to the recognizer's sequence part, which loses accuracy in
    integers.

    Args:
        model: Model before compilation.
    """
    for node in model.get_ordered_ops():
        if node.get_type_name() == 'Convolution' and node.input_value(1).get_node().get_type_name() == 'Constant':
            size = node.input_value(0).get_partial_shape()
            if not (size[2].is_static and size[2].get_length() == 1):
                yield node


def quantize(model: Model, ranges: Ranges) -> None:
    """Modify a model so that the convolutions in `ranges` compute in 8-bit integers.

    FakeQuantize operations around a convolution tell OpenVINO's CPU plugin to run it in integers.

    Args:
        model: Model before compilation; changed in place.
        ranges: Layer -> range of its input; empty = nothing changes.

    Raises:
        EngineError: The model lacks one of these convolutions.
    """
    import openvino.opset13 as operations

    nodes = {node.get_friendly_name(): node for node in convolutions(model)}
    if missing := ranges.keys() - nodes.keys():
        raise EngineError(f'the model has no convolution {min(missing)}: {RANGES} does not fit it')

    def rounded(value: Output, low: float | NDArray[np.float32], high: float | NDArray[np.float32], steps: int) -> Output:
        ends = [operations.constant(np.asarray(end, np.float32)) for end in (low, high, low, high)]
        return operations.fake_quantize(value, *ends, steps).output(0)

    for layer, (low, high) in ranges.items():
        node = nodes[layer]
        weights = node.input_value(1).get_node().data.astype(np.float32)
        most = np.abs(weights).max((1, 2, 3), keepdims=True) + LEAST_RANGE
        node.input(0).replace_source_output(rounded(node.input_value(0), min(low, 0.0), max(high, 0.0), INPUT_STEPS))
        node.input(1).replace_source_output(rounded(operations.constant(weights), -most, most, WEIGHT_STEPS))
