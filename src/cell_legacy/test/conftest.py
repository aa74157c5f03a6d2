from cell_common.testing import *
