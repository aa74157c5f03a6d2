"""/metrics: what Prometheus reads of the cell."""

import pytest
import requests
from cell_common.qos import latched
from cell_common.testing import wait_until
from cell_web.gateway_node import GatewayNode
from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus
from prometheus_client.parser import text_string_to_metric_families

from cell_interfaces.msg import Alarm, AlarmList, Inventory, JobState, PartStock, RobotState, TrayStock


@pytest.fixture
def scrape(graph, tmp_path):
    node = graph.add(GatewayNode(**graph.options(port=0, hmi_folder=str(tmp_path), bridge_check_period=0.0)))
    port = wait_until(lambda: node.server.state.port)

    def read():
        answer = requests.get(f'http://127.0.0.1:{port}/metrics', timeout=10)
        assert answer.status_code == 200 and answer.headers['Content-Type'].startswith('text/plain')
        families = list(text_string_to_metric_families(answer.text))
        return {(sample.name, *sorted(sample.labels.items())): sample.value for f in families for sample in f.samples}

    return read


def value(samples, name, **labels):
    return samples.get((name, *sorted({'cell': 'cell', **labels}.items())))


def test_states_of_the_nodes_are_samples_with_the_cells_label(graph, scrape):
    robot = graph.node.create_publisher(RobotState, 'robot/state', latched())
    stock = graph.node.create_publisher(Inventory, 'inventory', latched())
    alarms = graph.node.create_publisher(AlarmList, 'alarms', latched())
    tree = graph.node.create_publisher(DiagnosticArray, 'diagnostics_agg', 10)
    robot.publish(RobotState(connected=True, robot_mode=7, data_age=0.5))
    trays = [TrayStock(tray=2, count=7, capacity=24)]
    stock.publish(Inventory(parts=[PartStock(part_number='A "quoted" part', trays=trays)]))
    returned = Alarm(priority=Alarm.HIGH, state=Alarm.RETURNED)
    alarms.publish(AlarmList(alarms=[Alarm(priority=Alarm.HIGH), returned]))
    health = DiagnosticArray(status=[DiagnosticStatus(name='/Cell/Robot', level=b'\x02')])

    def all_there():
        tree.publish(health)
        found = scrape()
        wanted = [value(found, 'cell_diagnostic_level', path='/Cell/Robot'), value(found, 'cell_robot_mode')]
        wanted += [value(found, 'cell_tray_pieces', part='A "quoted" part', tray='2')]
        wanted += [value(found, 'cell_alarms', priority='high')]
        return found if None not in wanted else None

    found = wait_until(all_there)
    assert value(found, 'cell_diagnostic_level', path='/Cell/Robot') == 2
    assert value(found, 'cell_robot_connected') == 1 and value(found, 'cell_robot_data_age_seconds') == 0.5
    assert value(found, 'cell_tray_pieces', part='A "quoted" part', tray='2') == 7
    assert value(found, 'cell_alarms', priority='high') == 1 and value(found, 'cell_alarms', priority='low') == 0
    assert value(found, 'cell_web_pages') == 0 and all(dict(labels)['cell'] == 'cell' for _, *labels in found)


def test_pieces_are_counted_from_one_job_to_the_next(graph, scrape):
    jobs = graph.node.create_publisher(JobState, 'job', latched())
    jobs.publish(JobState(job_id='1', state=JobState.RUNNING, placed=5))
    wait_until(lambda: value(scrape(), 'cell_job_pieces', what='placed') == 5)
    assert value(scrape(), 'cell_pieces_total', outcome='placed') == 0  # placed before the gateway started
    jobs.publish(JobState(job_id='1', state=JobState.RUNNING, placed=6, rejected=1))
    wait_until(lambda: value(scrape(), 'cell_pieces_total', outcome='placed') == 1)
    jobs.publish(JobState(job_id='2', state=JobState.DONE, placed=2))
    wait_until(lambda: value(scrape(), 'cell_pieces_total', outcome='placed') == 3)
    found = scrape()
    assert value(found, 'cell_pieces_total', outcome='rejected') == 1
    assert value(found, 'cell_job_state', state='done') == 1 and value(found, 'cell_job_state', state='running') == 0


def test_what_no_node_has_reported_is_left_out(scrape):
    found = scrape()
    assert value(found, 'cell_robot_connected') is None and value(found, 'cell_ready') is None
    assert value(found, 'cell_web_pages') == 0
