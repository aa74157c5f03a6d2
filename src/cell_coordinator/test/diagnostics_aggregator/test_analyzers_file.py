from pathlib import Path

import pytest
from cell_coordinator.diagnostics_aggregator.analyzers import Analyzer
from cell_coordinator.diagnostics_aggregator.analyzers_file import AnalyzersError, parse_analyzers, read_analyzers

SHIPPED = Path(__file__).parents[4] / 'config' / 'diagnostics.yaml'
GENERIC = 'type: diagnostic_aggregator/GenericAnalyzer'


def test_the_shipped_file_takes_every_node_of_the_cell():
    top, analyzers = read_analyzers(str(SHIPPED))
    assert top == 'Cell'
    nodes = 'camera ocr part_matcher robot inventory coordinator alarms scale_bridge weigh_station web_gateway recorder world'
    for node in [*nodes.split(), 'socketio_gateway', 'diagnostics_aggregator']:
        assert any(analyzer.takes(f'{node}: x') or f'{node}: ' in str(analyzer.expected) for analyzer in analyzers), node


def test_upstreams_form_with_node_and_parameters_is_read():
    text = f"""
analyzers:
  ros__parameters:
    path: Plant
    arm: {{{GENERIC}, path: Arm, startswith: robot, timeout: 2.0, find_and_remove_prefix: ['robot: '], discard_stale: true}}
"""
    assert parse_analyzers(text) == ('Plant', [Analyzer('Arm', ('robot',), (), (), ('robot: ',), 2.0, True)])


def test_groups_of_groups_have_paths():
    text = f"""
analyzers:
  a: {{type: diagnostic_aggregator/AnalyzerGroup, path: Vision, analyzers: {{b: {{{GENERIC}, contains: [camera]}}}}}}
"""
    assert [analyzer.path for analyzer in parse_analyzers(text)[1]] == ['Vision/b']


@pytest.mark.parametrize(
    ('text', 'word'),
    [
        ('[', 'not YAML'),
        ('7', 'mapping "analyzers"'),
        ('analyzers: {}', 'names no group'),
        ('analyzers: {a: 3}', '"a" is no mapping'),
        ('analyzers: {a: {type: x/Y}}', 'use diagnostic_aggregator/GenericAnalyzer'),
        (f'analyzers: {{a: {{{GENERIC}}}}}', 'takes no report'),
        (f'analyzers: {{a: {{{GENERIC}, startwith: b}}}}', 'unknown startwith'),
        (f'analyzers: {{a: {{{GENERIC}, startswith: [3]}}}}', 'startswith is'),
        (f'analyzers: {{a: {{{GENERIC}, startswith: b, timeout: soon}}}}', 'timeout is'),
        (f'analyzers: {{a: {{{GENERIC}, startswith: b, discard_stale: 3}}}}', 'discard_stale is'),
        ('analyzers: {a: {type: diagnostic_aggregator/AnalyzerGroup}}', 'no mapping "analyzers"'),
    ],
)
def test_a_wrong_file_is_refused_with_the_group_and_the_remedy(text, word):
    with pytest.raises(AnalyzersError, match=word):
        parse_analyzers(text)


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(AnalyzersError, match=r'nothing\.yaml cannot be read'):
        read_analyzers(str(tmp_path / 'nothing.yaml'))
