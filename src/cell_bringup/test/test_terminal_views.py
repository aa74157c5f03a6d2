"""Texts of the terminal views."""

import pytest
from cell_bringup.terminal_views import weigh_line

from cell_interfaces.msg import WeighJob


@pytest.mark.parametrize(('tolerance', 'shown'), [('0.05', '5%'), ('0.025', '2.5%'), ('0.07', '7%'), ('0', '0%')])
def test_a_tolerance_is_shown_as_it_was_set(tolerance: str, shown: str):
    job = WeighJob(target_weight='1.10', unit='kg', tolerance=tolerance, quantity=3)
    assert weigh_line(job) == f'0/3 bags of 1.10 kg ± {shown} · 0 out of tolerance'
