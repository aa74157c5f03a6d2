"""Run an ONNX network on the CPU with OpenVINO or ONNX Runtime, one thread unless told otherwise, no busy waiting."""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cell_vision.ocr.engines.base import EngineError
from cell_vision.ocr.engines.quantization import Ranges, ranges_of, to_integers

Run = Callable[[Any], Any]
"""Takes a float32 batch (n, channels, height, width), returns the first output; valid until the next call."""
CHARACTERS = 'character'
"""Key of a recogniser's alphabet in the model's metadata, one character a line (PaddleOCR's ONNX export)."""


@dataclass(frozen=True)
class Network:
    """A network ready to run."""

    run: Run
    characters: tuple[str, ...]
    """The alphabet in the model's metadata; empty when it has none."""


def choose_backend(wanted: str) -> str:
    """Return the inference library to use.

    Args:
        wanted: "openvino", "onnxruntime", or "auto": OpenVINO when it is installed.

    Raises:
        EngineError: The wanted one is not installed.
    """
    order = ('openvino', 'onnxruntime') if wanted == 'auto' else (wanted,)
    for name in order:
        if importlib.util.find_spec(name) is not None:
            return name
    raise EngineError(f'no inference library: install {" or ".join(order)} (requirements/runtime.txt names the release)')


def keep_quiet() -> None:
    """Keep OpenVINO from reporting its use over the network.

    `openvino` 2026.4 imports `openvino.tools.ovc`, which forks a process that calls a statistics server; on a machine without a
    network that process waits for ever. With the reporting package hidden, OpenVINO uses its own empty stand-in
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
        threads: At most so many.
        cache_dir: OpenVINO keeps the compiled networks there, so that the next start takes a third of the time; "" = nowhere.
        shape: Height and width of every batch, if it is always the same: OpenVINO then runs a third faster.
        integers: Let OpenVINO compute in 8-bit integers; see `cell_vision.ocr.engines.quantization`.
    """
    if backend == 'openvino':
        return _openvino(path, threads, cache_dir, shape, ranges_of(path) if integers else {})
    return _onnxruntime(path, threads)


def _openvino(path: Path, threads: int, cache_dir: str, shape: tuple[int, int] | None, ranges: Ranges) -> Network:
    keep_quiet()
    import openvino

    core = openvino.Core()
    settings = {
        'PERFORMANCE_HINT': 'LATENCY',
        'INFERENCE_NUM_THREADS': threads,
        'NUM_STREAMS': 1,
        'ENABLE_CPU_PINNING': False,
        'INFERENCE_PRECISION_HINT': 'f32',
    }  # it takes bfloat16 where the processor has it, and reads otherwise
    if cache_dir:
        settings['CACHE_DIR'] = str(Path(cache_dir).expanduser())
    model = core.read_model(str(path))
    if shape:
        model.reshape([1, 3, *shape])
    to_integers(model, ranges)
    try:
        request = core.compile_model(model, 'CPU', settings).create_infer_request()
    except RuntimeError:
        settings.pop('CACHE_DIR', None)  # The folder may not be writable, or hold what an interrupted start left.
        request = core.compile_model(model, 'CPU', settings).create_infer_request()

    def run(batch: Any) -> Any:
        request.infer([batch], share_inputs=True)
        return request.get_output_tensor().data

    information = model.get_rt_info()
    known = 'framework' in information and CHARACTERS in information['framework']
    return Network(run, tuple(information['framework'][CHARACTERS].value.splitlines()) if known else ())


def _onnxruntime(path: Path, threads: int) -> Network:
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.enable_cpu_mem_arena = False
    options.log_severity_level = 4
    options.add_session_config_entry('session.intra_op.allow_spinning', '0')
    session = onnxruntime.InferenceSession(str(path), options, providers=['CPUExecutionProvider'])
    name = session.get_inputs()[0].name

    def run(batch: Any) -> Any:
        return session.run(None, {name: batch})[0]

    text = session.get_modelmeta().custom_metadata_map.get(CHARACTERS, '')
    return Network(run, tuple(text.splitlines()))
