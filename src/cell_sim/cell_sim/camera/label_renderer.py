"""Draws one part: a relay-like body with its print, in real fonts, without camera effects.

The style of a label (maker, colors, typeface, layout) depends on the part number alone. Date code
and small offsets of the print differ from part to part. Seeds are texts, because `random.Random`
hashes texts the same way in every process and Python version.
"""

from __future__ import annotations

import random
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from cell_common.catalogue import Part
from PIL import Image, ImageDraw, ImageFilter, ImageFont

from cell_sim.world.parts import PhysicalPart

Color = tuple[int, int, int]
BODY = (760, 440)
"""Width and height of the body, pixels of the drawing."""
CODE_SIDE = 136
"""Side of a DataMatrix with its quiet zone, pixels of the drawing."""
_LABEL_MARGIN = 38
_MAKERS = ('KESTREL', 'NORDWERK', 'TANAKA DENKI', 'ELCORA', 'VESTA RELAYS', 'ORBIS COMPONENTS')
_COILS = ('COIL 12VDC', 'COIL 24VDC', 'COIL 5VDC', 'COIL 230VAC')
_RATINGS = ('10A 250VAC~ / 30VDC', '16A 250VAC~', '30A 14VDC', '7A 250VAC~  CAT.II', '35A 14VDC  -40..+85C')
_ORIGINS = ('MADE IN PORTUGAL', 'MADE IN MALAYSIA', 'ASSEMBLED IN CZ', 'MADE IN MEXICO')
_WEIGHTS = ('Roboto-Regular', 'Roboto-Medium', 'Roboto-Bold')


@dataclass(frozen=True)
class Style:
    """Label style of a part number.

    Attributes:
        body: RGB color of the housing.
        plate: Color of the label paper; None = printed on the body itself.
        ink: Color of the print.
        typeface: File name of a Roboto weight, without its ending.
        size: Size of the part number, pixels.
        centered: Lines are centered; otherwise they start at the left margin.
        maker: Invented manufacturer, first line.
        coil: Coil voltage, line of the date code.
        rating: Contact rating.
        origin: Last line.
        barcode: Whether a decorative barcode, which encodes nothing, is at the top right.
    """

    body: Color
    plate: Color | None
    ink: Color
    typeface: str
    size: int
    centered: bool
    maker: str
    coil: str
    rating: str
    origin: str
    barcode: bool


_LOOKS: tuple[tuple[Color, Color | None, Color], ...] = (
    ((46, 48, 52), (238, 236, 228), (24, 24, 28)),
    ((38, 62, 104), (244, 244, 242), (20, 22, 40)),
    ((34, 35, 37), None, (206, 206, 200)),
    ((196, 198, 196), None, (30, 32, 38)),
    ((182, 112, 40), (246, 242, 226), (28, 22, 20)),
    ((52, 54, 56), (206, 210, 212), (22, 24, 26)),
)


def style_of(part_number: str) -> Style:
    """Return the style of a part number, always the same one."""
    rng = random.Random(f'style of {part_number}')
    body, plate, ink = rng.choice(_LOOKS)
    return Style(
        body,
        plate,
        ink,
        rng.choice(_WEIGHTS),
        rng.randint(66, 84),
        rng.random() < 0.4,
        rng.choice(_MAKERS),
        rng.choice(_COILS),
        rng.choice(_RATINGS),
        rng.choice(_ORIGINS),
        plate is not None and rng.random() < 0.5,
    )


def draw_part(
    piece: PhysicalPart, prints: Mapping[str, tuple[str, ...]], codes: Mapping[str, str] | None = None
) -> Image.Image:
    """Draw a part as an RGBA image of BODY pixels.

    Args:
        piece: The part; its serial seeds date code and offsets.
        prints: Part number -> further texts printed on that part.
        codes: Part number -> content of the DataMatrix on that part; other parts have none.

    Returns:
        Upright drawing, transparent at the rounded corners. Wear, pose and light come later.
    """
    style, rng = style_of(piece.part_number), random.Random(f'print of {piece.serial}')
    image = Image.new('RGBA', BODY, (0, 0, 0, 0))
    pen = ImageDraw.Draw(image)
    pen.rounded_rectangle((0, 0, BODY[0] - 1, BODY[1] - 1), 22, fill=style.body)
    _draw_housing(pen, style.body)
    frame = (_LABEL_MARGIN, _LABEL_MARGIN, BODY[0] - _LABEL_MARGIN, BODY[1] - _LABEL_MARGIN)
    if style.plate is not None:
        pen.rounded_rectangle(frame, 8, fill=style.plate)
    if codes and piece.part_number in codes:
        image.paste(_data_matrix(codes[piece.part_number]), (frame[2] - CODE_SIDE - 12, frame[3] - CODE_SIDE - 12))
    _draw_print(pen, style, _lines(piece, style, prints.get(piece.part_number, ()), rng), frame, rng)
    return image


def code_text(part: Part) -> str:
    """Return the barcode text of a part: the catalogue's pattern if it is plain text, else the part number if it matches.

    Args:
        part: Part of the catalogue; its `code` is a regular expression, "" = no barcode.

    Returns:
        A text that the pattern accepts; "" if the part has no code, or none can be derived.
    """
    fitting = [text for text in (part.code, part.part_number) if text and re.fullmatch(part.code, text)]
    return fitting[0] if part.code and fitting else ''


def font(typeface: str, size: int) -> ImageFont.FreeTypeFont:
    """Return a typeface of the Roboto family, or Pillow's default if that package is not installed.

    Args:
        typeface: File name without its ending.
        size: Height of the em square, pixels.
    """
    try:
        import font_roboto
    except ImportError:
        default = ImageFont.load_default(size)
        assert isinstance(default, ImageFont.FreeTypeFont)
        return default
    return ImageFont.truetype(str(Path(font_roboto.__file__).parent / 'files' / f'{typeface}.ttf'), size)


def _lines(piece: PhysicalPart, style: Style, prints: tuple[str, ...], rng: random.Random) -> list[tuple[str, int]]:
    """Return the lines of a label as (text, size); the second line is the part number."""
    # A printed text that contains the part number replaces it, as on a label with a type
    # designation.
    number = next((text for text in prints if piece.part_number in text), piece.part_number)
    further = [text for text in prints if text != number]
    date = f'{rng.choice("ABCDEFGHKMN")}{rng.randint(24, 26)}{rng.randint(1, 52):02d}'
    lines = [(style.maker, 34), (number, style.size)]
    lines += [(text, 40) for text in further[:1]]
    return [*lines, (style.rating, 32), (f'{style.coil}   {date}', 30), (style.origin, 22)]


def _draw_print(
    pen: ImageDraw.ImageDraw,
    style: Style,
    lines: list[tuple[str, int]],
    frame: tuple[int, int, int, int],
    rng: random.Random,
) -> None:
    """Draw the lines of a label into a frame (left, top, right, bottom), evenly spaced."""
    left, top, right, bottom = frame
    gap = max(8, (bottom - top - sum(size for _, size in lines)) // (len(lines) + 1))
    y = top + gap // 2 + rng.randint(-4, 4)
    for number, (text, size) in enumerate(lines):
        letters = font(style.typeface if number == 1 else 'Roboto-Regular', size)
        letters = _fit_font(letters, text, right - left - 40)
        x = (left + right - letters.getlength(text)) / 2 if style.centered else left + 24
        pen.text((x, y), text, font=letters, fill=style.ink)
        y += size + gap
    if style.barcode:
        _draw_barcode(pen, (right - 150, top + 14, right - 20, top + 52), style.ink, rng)


def _data_matrix(text: str) -> Image.Image:
    """Return a DataMatrix with its quiet zone on white, CODE_SIDE pixels square."""
    import zxingcpp  # needed only if the catalogue has codes

    modules = np.asarray(zxingcpp.create_barcode(text, zxingcpp.BarcodeFormat.DataMatrix).to_image(scale=1))
    ground = Image.new('RGBA', (CODE_SIDE, CODE_SIDE), (250, 250, 248, 255))
    inside = Image.fromarray(modules)
    scale = max(1, CODE_SIDE // (max(inside.size) + 2))
    inside = inside.resize((inside.width * scale, inside.height * scale), Image.Resampling.NEAREST).convert('RGBA')
    ground.paste(inside, ((CODE_SIDE - inside.width) // 2, (CODE_SIDE - inside.height) // 2))
    return ground


def _fit_font(letters: ImageFont.FreeTypeFont, text: str, width: float) -> ImageFont.FreeTypeFont:
    length = letters.getlength(text)
    return letters if length <= width else letters.font_variant(size=int(letters.size * width / length))


def _draw_housing(pen: ImageDraw.ImageDraw, body: Color) -> None:
    """Draw the molded edges of the housing: a bright one and a shaded one."""
    light = tuple(min(255, c + 34) for c in body)
    dark = tuple(max(0, c - 26) for c in body)
    width, height = BODY
    pen.rounded_rectangle((2, 2, width - 3, height - 3), 20, outline=light, width=3)
    pen.line((18, height - 8, width - 18, height - 8), fill=dark, width=6)
    pen.line((width - 7, 20, width - 7, height - 20), fill=dark, width=5)
    pen.ellipse((12, 12, 26, 26), fill=dark)


def _draw_barcode(pen: ImageDraw.ImageDraw, box: tuple[int, int, int, int], ink: Color, rng: random.Random) -> None:
    left, top, right, bottom = box
    x = left
    while x < right:
        bar = rng.choice((1, 2, 2, 3, 4))
        pen.rectangle((x, top, min(x + bar, right) - 1, bottom), fill=ink)
        x += bar + rng.choice((2, 2, 3, 5))


def apply_wear(image: Image.Image, kind: str, rng: random.Random) -> Image.Image:
    """Return an unreadable part: its print `rubbed` off, `smeared`, or hidden under `grease`.

    Args:
        image: RGBA drawing of BODY pixels.
        kind: rubbed, smeared or grease.
        rng: Places the strokes.

    Returns:
        RGBA drawing of the same size.
    """
    if kind == 'smeared':
        worn = image.filter(ImageFilter.BoxBlur((44, 9)))
        worn.putalpha(image.getchannel('A'))
        return worn
    ground = image.getpixel((BODY[0] // 2, _LABEL_MARGIN + 4)) if kind == 'rubbed' else (58, 50, 40, 255)
    over = Image.new('RGBA', image.size, ground)
    return Image.composite(over, image, _strokes(rng))


def _strokes(rng: random.Random) -> Image.Image:
    """Return the opacity mask of wear: many strokes across the label, most of them over the part number."""
    strokes = Image.new('L', BODY, 0)
    pen = ImageDraw.Draw(strokes)
    for _ in range(150):
        # The mode of the triangle, 140, is the height of the part number: that line must be gone.
        x, y = rng.randint(60, BODY[0] - 60), int(rng.triangular(40, BODY[1] - 40, 140))
        long = rng.randint(90, 220)
        end = (x + long, y + rng.randint(-20, 20))
        pen.line((x - long, y, *end), fill=rng.randint(246, 255), width=rng.randint(14, 30))
    inside = Image.new('L', BODY, 0)
    frame = (_LABEL_MARGIN + 3, _LABEL_MARGIN + 3, BODY[0] - _LABEL_MARGIN - 3, BODY[1] - _LABEL_MARGIN - 3)
    ImageDraw.Draw(inside).rectangle(frame, fill=255)
    return Image.composite(strokes.filter(ImageFilter.GaussianBlur(4)), Image.new('L', BODY, 0), inside)
