"""`cell benchmarks` against a matcher with a database."""

from __future__ import annotations

import io

import pytest
from cell_bringup.benchmarks import show_benchmarks
from cell_bringup.client import CellError
from cell_vision.matching.node import MatcherNode
from geometry_msgs.msg import Point32
from rich.console import Console

from cell_bringup import cli
from cell_interfaces.msg import OcrResult, TextReading
from cell_interfaces.srv import StoreBenchmark

pytestmark = pytest.mark.slow

SQUARE = [Point32(x=x, y=y) for x, y in [(0.0, 0.0), (90.0, 0.0), (90.0, 20.0), (0.0, 20.0)]]


@pytest.fixture
def matcher(graph, tmp_path, catalogue_file):
    return graph.add(MatcherNode(**graph.options(catalogue_file=catalogue_file, database_url=f'sqlite:///{tmp_path}/cell.db')))


def shown(client, *words):
    console = Console(file=io.StringIO(), width=160)
    show_benchmarks(client, console, cli.parser().parse_args(['benchmarks', *words]).part_number)
    return console.file.getvalue()


def store(graph):
    texts = [TextReading(text='EM1-2U1', score=0.97, polygon=SQUARE)]
    request = StoreBenchmark.Request(part_number='EM1-2U1', ocr=OcrResult(status=OcrResult.OK, texts=texts, frames=3))
    request.command.operator_id = 'maria'
    assert graph.call(StoreBenchmark, 'matching/store_benchmark', request).code == 0


def test_the_newest_or_every_version_is_listed(graph, matcher, client):
    assert 'no benchmark is stored' in shown(client)
    store(graph)
    store(graph)
    newest = shown(client)
    assert len(newest.splitlines()) == 2 and 'maria' in newest and ' 3 ' in newest
    assert len(shown(client, 'EM1-2U1').splitlines()) == 3


def test_without_a_matcher_the_command_says_so(client):
    with pytest.raises(CellError, match='matching/benchmarks'):
        shown(client)
