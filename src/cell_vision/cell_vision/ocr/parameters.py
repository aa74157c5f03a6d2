"""Parameters of the OCR node."""

from __future__ import annotations

from dataclasses import dataclass

from cell_common.parameters import parameter

from cell_vision.ocr.barcodes import FORMATS
from cell_vision.ocr.engines.base import ENGINES
from cell_vision.ocr.worker.protocol import STANDBY_MODES


@dataclass(frozen=True)
class OcrParameters:
    """Settings of the OCR engine, its worker, and the frame archive."""

    engine: str = parameter('ppocr', 'OCR engine.', choices=ENGINES)
    engine_python: str = parameter('', 'Python interpreter of the worker process; empty = the interpreter of the node.')
    backend: str = parameter(
        'auto',
        'Inference library; auto = OpenVINO if it is installed, otherwise ONNX Runtime.',
        choices=('auto', 'openvino', 'onnxruntime'),
    )
    precision: str = parameter(
        'auto',
        'Numeric precision of engine ppocr; auto = 8-bit integers if the processor has instructions '
        'for them (VNNI), which takes a quarter less time.',
        choices=('auto', 'int8', 'float32'),
    )
    model_dir: str = parameter('', 'Folder of the model files; empty = the models of the engine or its environment.')
    cache_dir: str = parameter('~/.cache/cell/ocr', 'Cache of compiled models, which speeds up the next start; empty = none.')
    fast: bool = parameter(True, 'Locate the part at low resolution first, and read only there if that is confident.')
    threads: int = parameter(1, 'Threads of the engine; use more than one only on reserved cores.', minimum=1, maximum=64)
    detector_side: int = parameter(
        960, 'Longest side of the image in which text is searched.', unit='px', minimum=160, maximum=4096
    )
    text_score: float = parameter(0.5, 'Text with less confidence is dropped.', minimum=0.0, maximum=1.0)
    engine_deadline: float = parameter(
        5.0, 'Longest reading; a worker that takes longer is restarted.', unit='s', minimum=0.1, maximum=600.0
    )
    memory_limit: int = parameter(
        1500, 'A worker with more memory than this after a reading is restarted.', unit='MB', minimum=300, maximum=64000
    )
    spare_worker: str = parameter(
        'light',
        'Standby process that replaces a lost worker: light = its libraries are loaded '
        '(about 50 MB), warm = its models, too (about 200 MB).',
        choices=STANDBY_MODES,
    )
    continuous_rate: float = parameter(
        0.0, 'Rate of readings without a request; 0 = only on request.', unit='Hz', minimum=0.0, maximum=60.0
    )
    read_timeout: float = parameter(
        5.0,
        'Timeout of ocr/read for a frame and its reading, if the request gives none.',
        unit='s',
        minimum=0.1,
        maximum=600.0,
    )
    frames: int = parameter(
        3,
        'Number of frames whose readings are combined if the first is not certain and the request gives no '
        'number; 1 = one frame only.',
        minimum=1,
        maximum=20,
    )
    codes: list[str] = parameter(
        [], 'Symbologies of barcodes to read, e.g. QRCode, DataMatrix, Code128; empty = none.', choices=FORMATS
    )
    crop_side: int = parameter(
        480, 'Longest side of the upright crop that ocr/get_crop serves; 0 = no crop.', unit='px', minimum=0, maximum=2048
    )
    kept_frames_folder: str = parameter('', 'Folder of the frames that ocr/keep_frame archives; empty = no archive.')
    kept_frames_limit: int = parameter(
        500, 'Limit of the size of that folder; the oldest frames are deleted first.', unit='MB', minimum=1, maximum=1_000_000
    )
    background_file: str = parameter(
        '', 'Image (PNG) of the learned empty view, written by camera/learn_background; empty = not kept over a restart.'
    )
    least_part_share: float = parameter(
        0.01,
        'Share of the frame that a part covers at least. Less than half of it counts as an empty view.',
        minimum=0.0005,
        maximum=0.5,
    )
    latest_arrival: float = parameter(
        15.0,
        'Time from the command of a pick after which a part that was not seen to come into view counts as not readable, so '
        'that the job rejects it. Longer than the delay of any camera; shorter than retry_time of the coordinator.',
        unit='s',
        minimum=1.0,
        maximum=600.0,
    )
    longest_image_age: float = parameter(
        1.0, 'Measured delay of the frames from which on no job may start.', unit='s', minimum=0.1, maximum=10.0
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
