"""A replay decides as the recording did, always the same, and shows what a change of the rules changes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from cell_history.bags.reader import BagReader
from cell_history.replay.decide_again import ReplaySession, SessionOptions
from cell_history.replay.decisions import DecisionKind, DecisionRecord, parse_lines, to_lines
from cell_history.replay.differences import compare
from cell_history.replay.recording import Recording, RecordingError

CopyOf = Callable[[str], Path]
RECORDINGS = Path(__file__).resolve().parents[4] / 'test' / 'data' / 'recordings'
NAMES = ('normal_job', 'rejects', 'scale_shift')


@contextmanager
def recording_of(name: str) -> Iterator[Recording]:
    with BagReader(RECORDINGS / name) as bag:
        yield Recording.read(bag)


def decided(recording: Recording, options: SessionOptions | None = None) -> list[DecisionRecord]:
    with ReplaySession(recording, options) as session:
        found = list(session.run())
        assert session.problems == []
        return found


KEPT = SessionOptions(read_again=False)
"""Matches the recorded readings: for tests of everything but the reading itself."""


def stable(decisions: list[DecisionRecord]) -> list[DecisionRecord]:
    """Return decisions without what differs between processors: the OCR's scores, and texts other than that which decided."""
    fragile = {'texts', 'scores', 'score', 'codes'}
    return [
        replace(item, values={name: value for name, value in item.values.items() if name not in fragile}) for item in decisions
    ]


@pytest.mark.parametrize('name', NAMES)
def test_a_recording_is_decided_as_in_its_golden_decisions(name: str):
    golden = parse_lines((RECORDINGS / f'{name}.jsonl').read_text(encoding='utf-8'))
    with recording_of(name) as recording:
        assert recording.problems == []
        assert stable(decided(recording)) == stable(golden)


def test_the_golden_decisions_never_place_another_part():
    for name in NAMES:
        golden = parse_lines((RECORDINGS / f'{name}.jsonl').read_text(encoding='utf-8'))
        verdicts = {item.key: item.values for item in golden if item.kind is DecisionKind.MATCH}
        for values in verdicts.values():
            assert values['verdict'] != 'MATCH' or values['part_number'] == 'G8NB-17SR'
    kinds = {values['verdict'] for values in verdicts.values()} if verdicts else set()
    assert kinds <= {'MATCH', 'MISMATCH', 'UNREADABLE', 'UNKNOWN', 'AMBIGUOUS'}


@pytest.mark.parametrize('name', NAMES)
def test_two_replays_give_the_same_bytes(name: str):
    with recording_of(name) as recording:
        options = None if name == 'normal_job' else KEPT
        assert to_lines(decided(recording, options)) == to_lines(decided(recording, options))


def test_the_counts_at_the_start_belong_to_the_recording():
    with recording_of('normal_job') as recording:
        booked = [item.values['count_after'] for item in decided(recording, KEPT) if item.kind is DecisionKind.BOOK]
    assert booked == [9, 8, 7]


def test_a_bag_counts_for_the_weigh_job_that_was_started_in_the_recording():
    with recording_of('normal_job') as recording:
        bags = [item.values for item in decided(recording, KEPT) if item.kind is DecisionKind.BAG]
    assert [bag['bag_number'] for bag in bags] == [1, 2, 3, 0]
    assert [bag['outcome'] for bag in bags] == ['IN_TOLERANCE'] * 3 + ['NO_ACTIVE_JOB']


def test_a_changed_threshold_shows_exactly_the_pieces_whose_verdict_changes(monkeypatch: pytest.MonkeyPatch):
    from cell_vision import recorded

    with recording_of('rejects') as recording:
        scores = {item.key: item.values['score'] for item in recording.decided if item.kind is DecisionKind.MATCH}
        load = recorded.load_weights
        # No line counts as certain any more: every verdict that rests on one changes, and no other.
        monkeypatch.setattr(recorded, 'load_weights', lambda: replace(load(), accept=-1.0))
        found = compare(recording.decided, decided(recording, KEPT))
    changed = {item.key for item in found if item.name == 'verdict'}
    assert changed == {item for item, score in scores.items() if score > 0}
    assert {item.kind for item in found} == {DecisionKind.MATCH}


def test_another_catalogue_changes_the_verdicts_of_its_parts_only():
    with recording_of('rejects') as recording:
        catalogue = recording.snapshot.catalogue.replace('part_number: HF115F-024', 'part_number: HF115F-099')
        found = compare(recording.decided, decided(recording, SessionOptions(catalogue=catalogue, read_again=False)))
    assert {item.about['piece'] for item in found if item.name == 'verdict'} == {3}


def test_a_catalogue_that_cannot_be_used_is_refused():
    with recording_of('rejects') as recording, pytest.raises(RecordingError, match='parts'):
        ReplaySession(recording, SessionOptions(catalogue='parts: 7'))


def test_a_folder_with_another_replay_is_not_used(tmp_path: Path):
    with recording_of('scale_shift') as recording:
        decided(recording, SessionOptions(folder=tmp_path))
        with pytest.raises(RecordingError, match='empty folder'):
            ReplaySession(recording, SessionOptions(folder=tmp_path))


def test_a_bag_without_a_snapshot_is_refused_with_the_remedy():
    with BagReader(RECORDINGS.parent / 'replay') as bag, pytest.raises(RecordingError, match='record:=true'):
        Recording.read(bag)


def test_of_a_torn_recording_the_beginning_is_decided_again(copy_of: CopyOf):
    path = copy_of('scale_shift')
    file = next(path.glob('*.mcap'))
    file.write_bytes(file.read_bytes()[:-60])
    with BagReader(path) as bag:
        recording = Recording.read(bag)
        assert any('ends in the middle' in problem for problem in recording.problems)
        assert compare(recording.decided, decided(recording)) == []
