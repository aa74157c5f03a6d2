"""What a client leaves behind."""

from __future__ import annotations

import gc

from cell_bringup.client import CellClient
from cell_common.testing import dds_thread_count


def test_a_closed_client_leaves_no_participant_for_the_garbage_collector(domain):
    gc.disable()
    try:
        CellClient(domain_id=domain).close()
        left = dds_thread_count()
        client = CellClient(domain_id=domain)
        assert dds_thread_count() > left
        client.close()
        assert dds_thread_count() == left
    finally:
        gc.enable()


def test_a_client_may_be_closed_twice(domain):
    client = CellClient(domain_id=domain)
    client.close()
    client.close()
