"""Planted faults: each is found by its check, which names the remedy."""

import json
from dataclasses import replace

import pytest
from cell_bringup.client import CellClient
from cell_bringup.doctor import CHECKS
from cell_bringup.doctor_cell import CELL_CHECKS, EXPECTED, GIB, CellFacts, RobotFacts, run_cell_checks
from cell_bringup.doctor_cell_probe import gather_cell
from cell_bringup.doctor_command import as_json
from cell_common.qos import latched
from cell_common.testing import wait_until

from cell_interfaces.msg import Alarm, AlarmList, RobotState

NOW = 1_796_000_000.0
ROBOT = RobotFacts('rtde', True, 7, 1, '', 'UR5', 'ur5e')
HEALTHY = CellFacts(
    versions={'cell_web': '1.0', 'cell_robot': '1.0'},
    nodes=EXPECTED,
    health={'robot: link': (0, ''), 'camera: capture': (0, ''), 'ocr: pictures': (0, '')},
    bridge='',
    image_age_s=0.1,
    robot=ROBOT,
    free=50 * GIB,
    database='',
    now_s=NOW,
    synchronized=True,
    lint=[],
    delivery='',
    backup_age_s=3600.0,
    alarms=[],
)
FAULTS = [
    ({'page_built': False}, 'set-up', 'make setup'),
    ({'versions': {}}, 'versions', 'make setup'),
    ({'versions': {'cell_web': '1.0', 'cell_robot': '1.0', 'cell_sim': '0.9'}}, 'versions', 'cell_sim 0.9'),
    ({'nodes': ()}, 'discovery', 'ROS_DOMAIN_ID'),
    ({'nodes': (*EXPECTED, 'robot')}, 'discovery', 'robot runs twice'),
    ({'nodes': EXPECTED[1:]}, 'discovery', 'not running: inventory'),
    ({'bridge': None}, 'page and rosbridge', 'does not answer'),
    ({'bridge': 'rosbridge sends nothing'}, 'page and rosbridge', 'sends nothing'),
    ({'health': {'inventory: ledger': (2, 'disk full')}}, 'health of the nodes', 'inventory: ledger is error (disk full)'),
    ({'health': {'inventory: ledger': (3, 'stopped')}}, 'health of the nodes', 'stale'),
    ({'health': {'camera: capture': (1, 'too dark')}}, 'camera', 'too dark'),
    ({'health': {'ocr: pictures': (2, 'late')}}, 'camera', 'late'),
    ({'image_age_s': 3.2}, 'camera', '3.2 s late'),
    ({'robot': replace(ROBOT, connected=False)}, 'robot', 'not connected'),
    ({'robot': replace(ROBOT, connected=False, message='switch it on')}, 'robot', 'switch it on'),
    ({'robot': replace(ROBOT, safety=7)}, 'robot', 'safety mode 7'),
    ({'robot': replace(ROBOT, mode=5)}, 'robot', 'release its brakes'),
    ({'robot': replace(ROBOT, message='program stopped')}, 'robot', 'program stopped'),
    ({'robot': replace(ROBOT, recipe_model='ur10e')}, 'robot model', 'recipe is for ur10e'),
    ({'robot': replace(ROBOT, kinematics='the flange is 3 mm off')}, 'robot model', '3 mm off'),
    ({'now_s': 0.0}, 'system clock', 'in the past'),
    ({'synchronized': False}, 'system clock', 'set-ntp'),
    ({'free': GIB}, 'disk', '1.0 GiB'),
    ({'free': None, 'state_folder': '/nowhere'}, 'disk', '/nowhere does not exist'),
    ({'database': 'cell.db is damaged'}, 'database file', 'damaged'),
    ({'lint': ['A and B print alike', 'C']}, 'catalogue', '2 to mend'),
    ({'delivery': 'the key was rejected', 'waiting': 3}, 'delivery', '3 wait'),
    ({'dead': 1}, 'delivery', '1 refused'),
    ({'waiting': 101}, 'delivery', '101 wait'),
    ({'backup_age_s': None}, 'backups', 'cell backup'),
    ({'backup_age_s': 8 * 86400.0}, 'backups', '8 days'),
    ({'alarms': ['Robot lost']}, 'alarms', 'Robot lost'),
]


def bad(facts):
    return {name: finding for name, finding in run_cell_checks(facts) if not finding.ok}


def test_a_healthy_cell_is_ok_in_everything():
    assert bad(HEALTHY) == {}


@pytest.mark.parametrize(('fault', 'name', 'word'), FAULTS)
def test_a_fault_is_found_by_its_check_only(fault, name, word):
    found = bad(replace(HEALTHY, **fault))
    assert list(found) == [name] and word in found[name].text and not found[name].skipped


def test_each_check_has_a_fault_and_a_name_of_its_own():
    assert {name for _, name, _ in FAULTS} == {name for name, _ in CELL_CHECKS}
    names = [name for name, _ in (*CELL_CHECKS, *CHECKS)]
    assert len(set(names)) == len(names)


def test_what_no_node_reports_is_not_checked_instead_of_ok():
    silent = CellFacts(nodes=EXPECTED, versions={'cell_web': '1'})
    skipped = {name for name, finding in run_cell_checks(silent) if finding.skipped}
    assert skipped == {'health of the nodes', 'camera', 'robot', 'robot model', 'catalogue', 'delivery', 'alarms'}


def test_a_backend_without_modes_is_ok():
    assert bad(replace(HEALTHY, robot=RobotFacts('letters', True))) == {}


def test_json_has_each_line():
    text = json.dumps(as_json(run_cell_checks(replace(HEALTHY, free=GIB, alarms=None))))
    states = {line['check']: line['state'] for line in json.loads(text)['checks']}
    assert states['disk'] == 'not ok' and states['alarms'] == 'not checked' and states['camera'] == 'ok'
    assert json.loads(text)['ok'] is False


def test_nodes_are_asked_and_files_are_looked_at(graph, domain, tmp_path, monkeypatch):
    monkeypatch.setenv('HOME', str(tmp_path))
    monkeypatch.chdir(tmp_path)
    graph.node.create_publisher(RobotState, 'robot/state', latched()).publish(RobotState(backend='letters', connected=True))
    alarm = Alarm(text='Robot lost', state=Alarm.UNACKNOWLEDGED)
    graph.node.create_publisher(AlarmList, 'alarms', latched()).publish(AlarmList(alarms=[alarm, Alarm(state=Alarm.RETURNED)]))
    monkeypatch.setattr('cell_bringup.client.ANSWER_S', 0.5)
    client = CellClient('cell', domain)
    try:
        # Each round waits seconds for nodes that do not run here.
        facts = wait_until(lambda: f if (f := gather_cell(client, 'cell', None)).robot and f.alarms and f.nodes else None, 60)
    finally:
        client.close()
    assert facts.robot.backend == 'letters' and facts.alarms == ['Robot lost']
    assert facts.nodes == ['test'] and facts.bridge is None and facts.free is None and facts.backup_age_s is None
    assert 'does not exist' in facts.database and facts.lint is not None
