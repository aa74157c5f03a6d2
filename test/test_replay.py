"""The launch file replays a recording in a domain and a folder of its own; its page says that it is a replay."""

import json
from pathlib import Path

import pytest
from cell_common.qos import latched
from cell_common.testing import wait_until

from cell_interfaces.msg import Replay

DATA = Path(__file__).resolve().parent / 'data' / 'recordings'
FRAGILE = {'texts', 'scores', 'score', 'codes'}
"""Values that differ between processors."""
pytestmark = [pytest.mark.slow, pytest.mark.timeout(180)]


def decisions(path: Path) -> list[tuple[str, str, dict[str, object]]]:
    """Return kind, key and values of each line, without what differs between processors."""
    items = [json.loads(line) for line in path.read_text(encoding='utf-8').splitlines()]
    return [(item['kind'], item['key'], {k: v for k, v in item['values'].items() if k not in FRAGILE}) for item in items]


def test_a_launched_replay_decides_as_the_golden_file_says(launch_cell, domain, tmp_path):
    folder = tmp_path / 'replay'
    settings = {'rate': 10.0, 'keep': 'true', 'state_dir': folder, 'domain': domain}
    cell = launch_cell(wait=False, launch_file='replay.launch.py', bag=DATA / 'normal_job', **settings)
    states: list[Replay] = []
    cell.client.node.create_subscription(Replay, 'replay', states.append, latched())
    wait_until(lambda: states and states[-1].state == Replay.ENDED, 120, f'the end of the replay; see {cell.log}')
    # Not `different`: it counts scores, too, which differ between processors.
    assert states[-1].bag == 'normal_job' and states[-1].decided == len(decisions(DATA / 'normal_job.jsonl'))
    assert decisions(folder / 'decisions.jsonl') == decisions(DATA / 'normal_job.jsonl')
    nodes = {name for name, _ in cell.client.node.get_node_names_and_namespaces()}
    assert not nodes & {'camera', 'robot', 'scale_bridge', 'weigh_station', 'inventory'}
