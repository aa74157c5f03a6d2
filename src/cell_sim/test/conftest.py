from __future__ import annotations

from cell_common.testing import *
