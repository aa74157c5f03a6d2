"""`cell bag`: info, replay and diff of recordings, and their exit codes."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from cell_bringup.cli import parser, run_command
from rich.console import Console

RECORDINGS = Path(__file__).resolve().parents[3] / 'test' / 'data' / 'recordings'
SHIFT = str(RECORDINGS / 'scale_shift')


def run(*arguments: str) -> tuple[int, str]:
    console = Console(width=140, record=True)
    return run_command(parser().parse_args(['bag', *arguments]), console), console.export_text()


def test_info_shows_topics_and_what_can_be_replayed():
    code, text = run('info', SHIFT)
    assert code == 0 and '/cell/weighing/weight' in text and '45 requests can be decided again' in text


def test_a_recording_does_not_differ_from_its_own_replay():
    assert run('diff', SHIFT) == (0, 'all 42 decisions are the same\n')


def test_decisions_of_two_replays_are_compared_and_a_difference_gives_exit_code_1(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    first, second = tmp_path / 'first.jsonl', tmp_path / 'second.jsonl'
    assert run('replay', SHIFT, '--output', str(first))[0] == 0
    second.write_text(first.read_text().replace('"zone": "OK"', '"zone": "WARN_OVER"', 1))
    assert run('diff', str(first), str(first))[0] == 0
    code, text = run('diff', str(first), str(second))
    assert code == 1 and 'WARN_OVER' in text and '1 of 42 decisions differ' in text
    capsys.readouterr()
    assert run('diff', '--json', str(first), str(second))[0] == 1
    (difference,) = json.loads(capsys.readouterr().out)
    assert (difference['kind'], difference['name'], difference['after']) == ('bag', 'zone', 'WARN_OVER')


@pytest.mark.parametrize('action', ['info', 'replay', 'diff'])
def test_a_bag_that_is_not_there_gives_exit_code_2(action: str, tmp_path: Path):
    code, text = run(action, str(tmp_path / 'none'))
    assert code == 2 and 'does not exist' in text


def test_one_list_of_decisions_alone_cannot_be_compared(tmp_path: Path):
    (tmp_path / 'one.jsonl').write_text('')
    assert run('diff', str(tmp_path / 'one.jsonl'))[0] == 2


def test_record_has_three_choices_and_records_decisions_by_default():
    assert parser().parse_args(['bag', 'record']).what == 'decisions'
    assert parser().parse_args(['bag', 'record', 'everything']).what == 'everything'
    with pytest.raises(SystemExit):
        parser().parse_args(['bag', 'record', 'nothing'])
