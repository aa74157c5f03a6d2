"""The print format of the old scale server: `scale_id,weight unit`, e.g. `3,12.500 kg`.

It says nothing of motion, gross or net, so the stability of every reading is unknown.
"""

from __future__ import annotations

import re

from cell_weighing.codecs.grammar import NUMBER, SCALE_ID, UNIT, malformed, scale_id_of, weighed
from cell_weighing.reading import Status, Weighing

_USUAL = re.compile(rb' *(' + SCALE_ID + rb') *, *(?:\+ *)?(' + NUMBER + rb') +(' + UNIT + rb') *')
_FIELDS = re.compile(rb' *(' + SCALE_ID + rb') *,([^,]*?) *([A-Za-z]*) *')


class LegacyCodec:
    """Reads `scale_id,weight unit`."""

    def parse(self, line: bytes) -> Weighing:
        """Understand one line."""
        usual = _USUAL.fullmatch(line)
        if usual:
            return Weighing(usual[1].decode('ascii'), Status.VALID, usual[2].decode('ascii'), usual[3].decode('ascii').lower())
        fields = _FIELDS.fullmatch(line)
        if not fields:
            return malformed(scale_id_of(line), 'the line is not "scale_id,weight unit"')
        result = weighed(fields[1].decode('ascii'), fields[2], fields[3])
        if result.status is Status.VALID:
            return malformed(result.scale_id, 'a blank is missing between weight and unit')
        return result
