"""Draws a line of text for bench/vision.py in typefaces, as dot matrix or as laser strokes, without camera effects."""

from __future__ import annotations

import random
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

import cv2
import numpy as np
from PIL import Image, ImageDraw, ImageFont
from vision_strokes import stroke_lettering

if TYPE_CHECKING:
    from cv2.typing import MatLike

DEBIAN = Path('/usr/share/fonts/truetype')
FACES = (
    'Roboto-Regular',
    'Roboto-Medium',
    'Roboto-Bold',
    'Roboto-Light',
    'pillow',
    'dejavu/DejaVuSans',
    'dejavu/DejaVuSans-Bold',
    'dejavu/DejaVuSansMono',
    'liberation/LiberationSans-Regular',
    'liberation/LiberationSans-Bold',
    'liberation/LiberationMono-Regular',
)
"""Typefaces of all splits: the wheel font-roboto, Pillow's own, Debian's fonts-dejavu-core and fonts-liberation."""
TEST_FACES = ('Roboto-Black', 'Roboto-Italic', 'dejavu/DejaVuSansMono-Bold', 'liberation/LiberationSansNarrow-Regular')
"""Typefaces that only the test split has."""
FURTHER_FACES = {
    'OCR-A': 'ocr-a/OCRA',
    'DIN 1451': 'din',
    'stencil': '../opentype/allerta/allerta_stencil',
    'engraved serif': 'dejavu/DejaVuSerif',
}
"""Typefaces of bench/vision_typefaces.py: Debian's fonts-ocr-a (public domain), own strokes, fonts-allerta (OFL), DejaVu."""
STROKES = (cv2.FONT_HERSHEY_SIMPLEX, cv2.FONT_HERSHEY_DUPLEX)

_DOTS = {
    '0': '3E5149453E',
    '1': '00427F4000',
    '2': '4261514946',
    '3': '2141454B31',
    '4': '1814127F10',
    '5': '2745454539',
    '6': '3C4A494930',
    '7': '0171090503',
    '8': '3649494936',
    '9': '064949291E',
    'A': '7E1111117E',
    'B': '7F49494936',
    'C': '3E41414122',
    'D': '7F4141221C',
    'E': '7F49494941',
    'F': '7F09090901',
    'G': '3E4149497A',
    'H': '7F0808087F',
    'I': '00417F4100',
    'J': '2040413F01',
    'K': '7F08142241',
    'L': '7F40404040',
    'M': '7F020C027F',
    'N': '7F0408107F',
    'O': '3E4141413E',
    'P': '7F09090906',
    'Q': '3E4151215E',
    'R': '7F09192946',
    'S': '4649494931',
    'T': '01017F0101',
    'U': '3F4040403F',
    'V': '1F2040201F',
    'W': '3F4038403F',
    'X': '6314081463',
    'Y': '0708700807',
    'Z': '6151494543',
    '-': '0808080808',
    '/': '2010080402',
    '.': '0060600000',
    ':': '0036360000',
    '+': '08083E0808',
    ' ': '0000000000',
}
"""The usual 5 x 7 characters of dot-matrix coders, a column a byte, lowest bit on top."""


def faces(split: str) -> tuple[str, ...]:
    """Return the typefaces of a split that are installed; frames differ between machines with other fonts."""
    wanted = FACES + TEST_FACES if split == 'test' else FACES
    return tuple(face for face in wanted if _font(face, 40) is not None)


def is_installed(face: str) -> bool:
    """Return whether a face of FURTHER_FACES can be drawn here."""
    return face == 'DIN 1451' or _font(FURTHER_FACES[face], 40) is not None


def printed(text: str, look: str, face: str, height: int, rng: random.Random) -> MatLike:
    """Return a line of print as coverage, float32 0..1; capitals are about `height` pixels high.

    Args:
        text: Capitals, digits, separators.
        look: "font", "dots" or "laser".
        face: Of look "font"; see `faces`.
        height: Pixels.
        rng: Draws what differs from piece to piece.
    """
    if look == 'dots':
        return _dot_matrix(text, height, rng)
    return _strokes(text, height, rng) if look == 'laser' else _typeset(text, face, height)


@lru_cache(maxsize=256)
def _font(face: str, size: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont | None:
    """Return a typeface in a size, None if it is not installed.

    Args:
        face: `pillow`, a path below Debian's font folder, or a name of package font_roboto.
        size: Pixels.
    """
    if face == 'pillow':
        return ImageFont.load_default(size)
    if '/' in face:
        path = DEBIAN / f'{face}{".otf" if "opentype" in face else ".ttf"}'
    else:
        import font_roboto

        path = Path(font_roboto.__file__).parent / 'files' / f'{face}.ttf'
    return ImageFont.truetype(str(path), size) if path.is_file() else None


def _typeset(text: str, face: str, height: int) -> MatLike:
    """Return a line in a typeface as coverage, float32 0..1.

    Args:
        text: The line.
        face: Key of FURTHER_FACES or a name that `_font` knows.
        height: Height of its capitals, pixels; they are about 0.72 of the size high in these faces.

    Raises:
        ValueError: The typeface is not installed.
    """
    if face == 'DIN 1451':
        return stroke_lettering(text, height)
    if face == 'engraved serif':
        return _engraved(_typeset(text, FURTHER_FACES[face], height))
    face = FURTHER_FACES.get(face, face)
    font = _font(face, max(6, round(height / 0.72)))
    if font is None:
        raise ValueError(f'the typeface {face} is not installed')
    left, top, right, bottom = font.getbbox(text)
    image = Image.new('L', (int(right - left) + 4, int(bottom - top) + 4))
    ImageDraw.Draw(image).text((2 - left, 2 - top), text, font=font, fill=255)
    return np.asarray(image, np.float32) / 255


def _engraved(cover: MatLike) -> MatLike:
    """Return a groove lit from the top left: its upper edges are in shade, its lower edges shine."""
    deep = max(1, round(cover.shape[0] * 0.04))
    lower = np.roll(cover, (deep, deep), (0, 1))
    return np.asarray(0.55 * cover + np.clip(cover - lower, 0, 1) - 0.5 * np.clip(lower - cover, 0, 1), np.float32)


def _dot_matrix(text: str, height: int, rng: random.Random) -> MatLike:
    """Return a line of 5 x 7 dots, each a little off its place, as ink-jet coders print.

    Args:
        text: Characters without a pattern are drawn as a hyphen.
        height: Height of seven rows, pixels.
        rng: Draws the size of the dots, the width and the offsets.

    Returns:
        Coverage, float32 0..1.
    """
    pitch, size = height / 7, rng.uniform(0.46, 0.66)
    wide = rng.uniform(0.85, 1.1)
    image = np.zeros((round(height + pitch * 2), round(pitch * wide * 6 * len(text) + pitch * 2)), np.uint8)
    shift = 4
    for i, character in enumerate(text):
        columns = bytes.fromhex(_DOTS.get(character, _DOTS['-']))
        for column, bits in enumerate(columns):
            for row in (row for row in range(7) if bits >> row & 1):
                x = (1.5 + (i * 6 + column) * wide) * pitch + rng.gauss(0, 0.06) * pitch
                y = (1.5 + row) * pitch + rng.gauss(0, 0.06) * pitch
                middle = (round(x * 2**shift), round(y * 2**shift))
                cv2.circle(image, middle, max(1, round(size * pitch * 2**shift)), 255, -1, cv2.LINE_AA, shift)
    return image.astype(np.float32) / 255


def _strokes(text: str, height: int, rng: random.Random) -> MatLike:
    """Return a line of single strokes with uneven depth, as a laser engraves.

    Args:
        text: The line.
        height: Height of its capitals, pixels; a stroke is 0.07 to 0.13 of it wide.
        rng: Draws face, width and grain.

    Returns:
        Coverage, float32 0..1.
    """
    face, thick = rng.choice(STROKES), max(1, round(height * rng.uniform(0.07, 0.13)))
    scale = height / 21.0
    (wide, high), below = cv2.getTextSize(text, face, scale, thick)
    image = np.zeros((high + below + 6, wide + 6), np.uint8)
    cv2.putText(image, text, (3, high + 3), face, scale, 255, thick, cv2.LINE_AA)
    grain = np.random.default_rng(rng.getrandbits(32)).uniform(0.7, 1.0, image.shape)
    return (image / 255 * grain).astype(np.float32)
