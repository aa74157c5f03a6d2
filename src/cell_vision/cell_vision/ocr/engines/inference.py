"""Runs ONNX networks on the CPU with OpenVINO or ONNX Runtime, single-threaded by default, without busy waiting."""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from cell_vision.ocr.engines.base import EngineError
from cell_vision.ocr.engines.quantization import Ranges, activation_ranges, quantize

Tensor = NDArray[np.float32]
InferFn = Callable[[Tensor], Tensor]
"""Maps a batch of shape (n, channels, height, width) to the first output; valid until the next call."""
CHARACTERS = 'character'
"""Metadata key of the recognizer's alphabet, one character a line (ONNX export of PaddleOCR)."""


@dataclass(frozen=True)
class Network:
    """A network ready to run. Not thread-safe: each network has one request.

    Attributes:
        run: Runs a batch.
        characters: Alphabet in the model's metadata; empty when it has none.
    """

    run: InferFn
    characters: tuple[str, ...]


def select_backend(wanted: str) -> str:
    """Return the inference library to use.

    Args:
        wanted: "openvino", "onnxruntime", or "auto": OpenVINO if it is installed.

    Raises:
        EngineError: The library is not installed.
    """
    order = ('openvino', 'onnxruntime') if wanted == 'auto' else (wanted,)
    for name in order:
        if importlib.util.find_spec(name) is not None:
            return name
    raise EngineError(f'no inference library: install {" or ".join(order)} (release in requirements/runtime.txt)')


def disable_openvino_telemetry() -> None:
    """Keep OpenVINO from reporting its use over the network.

    `openvino` 2026.4 imports `openvino.tools.ovc`, which forks a process that calls a statistics server. On a machine without
    a network this process never ends. With the reporting package hidden, OpenVINO uses its own empty stub
    (openvino/tools/ovc/telemetry_stub.py).
    """
    sys.modules['openvino_telemetry'] = None  # type: ignore[assignment]


def load_network(
    path: Path, backend: str, threads: int, cache_dir: str = '', shape: tuple[int, int] | None = None, *, integers: bool = False
) -> Network:
    """Load a network.

    Args:
        path: The ONNX file.
        backend: "openvino" or "onnxruntime".
        threads: Largest number of threads.
        cache_dir: Folder where OpenVINO keeps compiled networks, which cuts the next start to a third; "" = no cache.
        shape: Height and width if all batches have the same; OpenVINO then takes a third less time.
        integers: Compute in 8-bit integers (OpenVINO only); see `cell_vision.ocr.engines.quantization`.
    """
    if backend == 'openvino':
        return _openvino(path, threads, cache_dir, shape, activation_ranges(path) if integers else {})
    return _onnxruntime(path, threads)


def _openvino(path: Path, threads: int, cache_dir: str, shape: tuple[int, int] | None, ranges: Ranges) -> Network:
    """Load a network with OpenVINO; a cache folder that cannot be used is given up."""
    disable_openvino_telemetry()
    import openvino

    core = openvino.Core()
    settings = {
        'PERFORMANCE_HINT': 'LATENCY',
        'INFERENCE_NUM_THREADS': threads,
        'NUM_STREAMS': 1,
        'ENABLE_CPU_PINNING': False,
        # The default is bfloat16 on processors that have it, and readings would differ from one machine to another.
        'INFERENCE_PRECISION_HINT': 'f32',
    }
    if cache_dir:
        settings['CACHE_DIR'] = str(Path(cache_dir).expanduser())
    model = core.read_model(str(path))
    if shape:
        model.reshape([1, 3, *shape])
    quantize(model, ranges)
    try:
        request = core.compile_model(model, 'CPU', settings).create_infer_request()
    except RuntimeError:
        settings.pop('CACHE_DIR', None)  # The folder may be read-only, or hold the rest of an interrupted start.
        request = core.compile_model(model, 'CPU', settings).create_infer_request()

    def run(batch: Tensor) -> Tensor:
        request.infer([batch], share_inputs=True)
        output: Tensor = request.get_output_tensor().data
        return output

    information = model.get_rt_info()
    known = 'framework' in information and CHARACTERS in information['framework']
    return Network(run, tuple(information['framework'][CHARACTERS].value.splitlines()) if known else ())


def _onnxruntime(path: Path, threads: int) -> Network:
    """Return a network on ONNX Runtime, on the CPU only, with settings for a machine that the other nodes share.

    Args:
        path: Model file.
        threads: Threads within one operator.
    """
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    # The arena keeps the largest batch's memory for good; strips of many widths would let it grow.
    options.enable_cpu_mem_arena = False
    options.log_severity_level = 4
    # Without spinning a waiting thread leaves its core to the other nodes.
    options.add_session_config_entry('session.intra_op.allow_spinning', '0')
    session = onnxruntime.InferenceSession(str(path), options, providers=['CPUExecutionProvider'])
    name = session.get_inputs()[0].name

    def run(batch: Tensor) -> Tensor:
        output: Tensor = session.run(None, {name: batch})[0]
        return output

    text = session.get_modelmeta().custom_metadata_map.get(CHARACTERS, '')
    return Network(run, tuple(text.splitlines()))
