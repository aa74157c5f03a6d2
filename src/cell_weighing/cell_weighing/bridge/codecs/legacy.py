"""The print format of the old scale server: `scale_id,weight unit`, e.g. `3,12.500 kg`.

It says nothing of motion, gross or net, so the stability of every reading is unknown.
"""

from __future__ import annotations

from cell_weighing.bridge.codecs.template import TemplateCodec


class LegacyCodec(TemplateCodec):
    """Reads `scale_id,weight unit`."""

    def __init__(self, *, decimal_comma: bool = False) -> None:
        """Compile its template; `decimal_comma` where numbers have a comma for a point."""
        super().__init__('{id},{weight} {unit}', decimal_comma=decimal_comma)
