"""Parameters of the OCR node."""

from __future__ import annotations

from dataclasses import dataclass

from cell_common.parameters import parameter

from cell_vision.ocr.barcode_formats import FORMATS
from cell_vision.ocr.engines.base import ENGINES
from cell_vision.ocr.worker.protocol import SPARES


@dataclass(frozen=True)
class OcrParameters:
    """How text is read."""

    engine: str = parameter('ppocr', 'OCR engine.', choices=ENGINES)
    engine_python: str = parameter('', 'Python interpreter of the worker process; empty = the one that runs the node.')
    backend: str = parameter(
        'auto',
        'Inference library; auto = OpenVINO when it is installed, otherwise ONNX Runtime.',
        choices=('auto', 'openvino', 'onnxruntime'),
    )
    precision: str = parameter(
        'auto',
        'Numbers in which engine ppocr computes; auto = 8-bit integers where the processor is '
        'made for them (VNNI), which takes a quarter less time.',
        choices=('auto', 'int8', 'float32'),
    )
    model_dir: str = parameter('', 'Folder of the model files; empty = those that come with the engine, or its environment.')
    cache_dir: str = parameter('~/.cache/cell/ocr', 'Folder where compiled models are kept for a quick start; empty = nowhere.')
    fast: bool = parameter(True, 'Look for the part at low resolution first and read only there when that reads well.')
    threads: int = parameter(1, 'Threads of the engine; more than one only on reserved cores.', minimum=1, maximum=64)
    detector_side: int = parameter(
        960, 'Longest side of the picture in which text is looked for.', unit='px', minimum=160, maximum=4096
    )
    text_score: float = parameter(0.5, 'Text read with less confidence is dropped.', minimum=0.0, maximum=1.0)
    engine_deadline: float = parameter(
        5.0, 'A reading that takes longer ends the worker; it is started again.', unit='s', minimum=0.1, maximum=600.0
    )
    memory_limit: int = parameter(
        1500, 'A worker with more memory than this after a reading is started again.', unit='MB', minimum=300, maximum=64000
    )
    spare_worker: str = parameter(
        'light',
        'A second process that takes over when the worker is lost: light = its libraries '
        'are loaded (about 50 MB), warm = its models, too (about 200 MB).',
        choices=SPARES,
    )
    continuous_rate: float = parameter(
        0.0, 'Readings made without being asked; 0 = only on request.', unit='Hz', minimum=0.0, maximum=60.0
    )
    read_timeout: float = parameter(
        5.0,
        'How long ocr/read waits for a frame and its reading when the request names no time.',
        unit='s',
        minimum=0.1,
        maximum=600.0,
    )
    frames: int = parameter(
        3,
        'Frames whose readings are put together when the first is not certain, if the request names no '
        'number; 1 = one frame only.',
        minimum=1,
        maximum=20,
    )
    codes: list[str] = parameter(
        [], 'Barcodes read beside the text, e.g. QRCode, DataMatrix, Code128; empty = none.', choices=FORMATS
    )
    crop_side: int = parameter(
        480, 'Longest side of the upright crop in ocr/result; 0 = no crop.', unit='px', minimum=0, maximum=2048
    )
    kept_frames_folder: str = parameter('', 'Folder where ocr/keep_frame keeps frames; empty = nowhere.')
    kept_frames_limit: int = parameter(
        500, 'Size of that folder; the oldest frames go first.', unit='MB', minimum=1, maximum=1_000_000
    )
    overlay_quality: int = parameter(75, 'JPEG quality of ocr/overlay/compressed.', unit='%', minimum=1, maximum=100)

    def worker_arguments(self) -> list[str]:
        """Return the command line of the worker process."""
        return [
            '--engine',
            self.engine,
            '--backend',
            self.backend,
            '--precision',
            self.precision,
            '--model-dir',
            self.model_dir,
            '--cache-dir',
            self.cache_dir,
            '--threads',
            str(self.threads),
            '--detector-side',
            str(self.detector_side),
            '--text-score',
            str(self.text_score),
        ]
