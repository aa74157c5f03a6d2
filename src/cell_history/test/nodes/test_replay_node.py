"""Node replay plays a recording: decisions at every rate are equal bytes, recorded ones stay below `recorded/`."""

from __future__ import annotations

import json
import socket
from pathlib import Path

import pytest
from cell_common.qos import events, latched
from cell_common.runner import StartError
from cell_common.testing import NodeGraph, wait_until
from cell_history.bags.reader import BagReader
from cell_history.replay.decide_again import ReplaySession
from cell_history.replay.decisions import to_lines
from cell_history.replay.node import ReplayNode
from cell_history.replay.recording import Recording
from rosgraph_msgs.msg import Clock

from cell_interfaces.msg import BagRecord, Replay, WeighJobList

RECORDINGS = Path(__file__).resolve().parents[4] / 'test' / 'data' / 'recordings'
SHIFT = RECORDINGS / 'scale_shift'
ENDED_S = 60.0
FAST = 50.0


def play(graph: NodeGraph, folder: Path, **parameters: object) -> ReplayNode:
    settings = {'bag': str(SHIFT), 'rate': FAST, 'state_dir': str(folder), 'keep': True, **parameters}
    return graph.add(ReplayNode(**graph.options(**settings)))


def in_process() -> str:
    with BagReader(SHIFT) as bag, ReplaySession(Recording.read(bag)) as session:
        return to_lines(session.run())


@pytest.mark.parametrize('rate', [FAST, 10 * FAST])
def test_decisions_are_the_same_bytes_at_every_rate_and_in_process(graph: NodeGraph, tmp_path: Path, rate: float):
    node = play(graph, tmp_path / 'own', rate=rate)
    wait_until(node.ended.is_set, ENDED_S, 'the end of the recording')
    assert (tmp_path / 'own' / 'decisions.jsonl').read_text(encoding='utf-8') == in_process()


def test_new_and_recorded_decisions_have_names_of_their_own(graph: NodeGraph, tmp_path: Path):
    states = graph.collect(Replay, 'replay', latched())
    new, old = (
        graph.collect(BagRecord, 'weighing/bag', events(100)),
        graph.collect(BagRecord, 'recorded/weighing/bag', events(100)),
    )
    jobs, clock = graph.collect(WeighJobList, 'weighing/job', latched()), graph.collect(Clock, '/clock')
    # Begins with a second of silence, so that the subscriptions have found the publishers.
    node = play(graph, tmp_path / 'own', rate=5.0)
    wait_until(node.ended.is_set, ENDED_S, 'the end of the recording')
    wait_until(lambda: states and states[-1].state == Replay.ENDED, what='the end is published')
    state = states[-1]
    assert (state.bag, state.decided, state.different, state.round, state.message) == ('scale_shift', 42, 0, 1, '')
    wait_until(lambda: len(new) > 30 and jobs and jobs[-1].jobs, what='bags and their jobs')
    ids = [bag.reading_id for bag in new]
    assert len(ids) == len(set(ids)) <= 38, 'each bag appears once under its name'
    assert all(bag.weigh_job_id for bag in new[:-1])
    wait_until(lambda: len(old) > 30)
    stamps = [message.clock.sec for message in clock]
    assert stamps == sorted(stamps) and stamps[0] >= 1_700_000_000


def test_a_replay_with_settings_of_a_live_cell_delivers_nothing(
    graph: NodeGraph, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    live = tmp_path / '.local' / 'state' / 'cell'
    live.mkdir(parents=True)
    (live / 'settings.json').write_text(json.dumps({'site_url': 'http://127.0.0.1:9/', 'controller': 'c', 'function': 'f'}))
    monkeypatch.setenv('HOME', str(tmp_path))
    opened: list[object] = []
    monkeypatch.setattr(socket.socket, 'connect', lambda *arguments: opened.append(arguments))
    node = play(graph, tmp_path / 'own')
    wait_until(node.ended.is_set, ENDED_S, 'the end of the recording')
    assert opened == []
    assert [path.name for path in live.iterdir()] == ['settings.json']


def test_a_temporary_folder_is_deleted_at_the_end_and_a_loop_begins_again(graph: NodeGraph, tmp_path: Path):
    states = graph.collect(Replay, 'replay', latched())
    folder = tmp_path / 'own'
    node = play(graph, folder, rate=1000.0, loop=True, keep=False)
    wait_until(lambda: states and states[-1].round >= 2, ENDED_S, 'the second round')
    graph.remove(node)
    assert not folder.exists()


@pytest.mark.parametrize(('bag', 'reason'), [('nowhere', 'does not exist'), (str(RECORDINGS.parent / 'replay'), 'snapshot')])
def test_a_bag_that_cannot_be_replayed_stops_the_start(graph: NodeGraph, tmp_path: Path, bag: str, reason: str):
    with pytest.raises(StartError, match=reason):
        play(graph, tmp_path / 'own', bag=bag)


def test_a_folder_with_files_is_refused(graph: NodeGraph, tmp_path: Path):
    (tmp_path / 'cell.db').write_text('of a live cell')
    with pytest.raises(StartError, match='not empty'):
        play(graph, tmp_path)
    assert (tmp_path / 'cell.db').read_text() == 'of a live cell'


def test_what_is_not_shown_is_decided_so_that_the_state_is_right(graph: NodeGraph, tmp_path: Path):
    node = play(graph, tmp_path / 'own', rate=1.0, start=22.9)
    wait_until(node.ended.is_set, ENDED_S, 'the end of the recording')
    assert (tmp_path / 'own' / 'decisions.jsonl').read_text(encoding='utf-8') == in_process()
