from __future__ import annotations

import io
import json

import cv2
import numpy as np
import pytest
from cell_bringup.cli import parser, run_command
from rich.console import Console

TRAYS = f'trays: [{", ".join(["{count: 1, capacity: 4, low: 1}"] * 4)}]'


@pytest.fixture
def catalogue(tmp_path):
    path = tmp_path / 'parts.yaml'
    numbers = {'EM1-2U4': 'A', 'DT04-2P': 'C', 'MY4N': 'E', 'MY4N-J': 'F'}
    path.write_text(
        'parts:\n'
        + ''.join(f"  - part_number: {number}\n    letter: '{letter}'\n    {TRAYS}\n" for number, letter in numbers.items())
    )
    return path


def run(*arguments: object) -> tuple[int, str]:
    out = io.StringIO()
    code = run_command(parser().parse_args(['catalogue', *map(str, arguments)]), Console(file=out, width=200))
    return code, out.getvalue()


def picture(text: str, path) -> None:
    image = np.full((480, 900, 3), 210, np.uint8)
    cv2.putText(image, text, (200, 260), cv2.FONT_HERSHEY_SIMPLEX, 2.2, (25, 25, 25), 5, cv2.LINE_AA)
    cv2.imwrite(str(path), image)


def test_lint_names_numbers_that_need_a_second_look(catalogue):
    code, said = run('lint', '--catalogue', catalogue)
    assert code == 0 and 'MY4N is the beginning or end of MY4N-J' in said and '4 parts' in said
    _, said = run('lint', '--catalogue', catalogue, '--json')
    assert json.loads(said)['warnings'] == []


def test_a_bad_file_is_named_with_its_remedy(tmp_path):
    code, said = run('lint', '--catalogue', tmp_path / 'none.yaml')
    assert code == 1 and 'cannot read the part catalogue' in said


def test_pictures_are_read_and_judged_against_the_catalogue(catalogue, tmp_path):
    folder = tmp_path / 'pictures'
    folder.mkdir()
    picture('EM1-2U4', folder / 'a.png')
    cv2.imwrite(str(folder / 'b.png'), np.full((480, 900, 3), 5, np.uint8))
    (folder / 'c.jpg').write_bytes(b'no picture')
    code, said = run('try', folder, '--catalogue', catalogue, '--json')
    trial = json.loads(said)
    assert code == 1 and [p['verdict'] for p in trial['pictures']] == ['MATCH', 'UNREADABLE', 'BAD_IMAGE']
    assert trial['pictures'][0]['part_number'] == 'EM1-2U4' and trial['pictures'][0]['letter_height'] > 30
    assert any('nearly black' in advice for advice in trial['pictures'][1]['advice'])
    assert trial['never_seen'] == ['DT04-2P', 'MY4N', 'MY4N-J']
    _, said = run('try', folder, '--catalogue', catalogue)
    assert '1 of 3 pictures show one part for sure' in said
    assert 'nearly black: more light or a longer exposure: b.png' in said and 'never recognized: DT04-2P, MY4N, MY4N-J' in said


def test_a_catalogue_for_a_first_trial_needs_numbers_and_letters_only(tmp_path):
    path = tmp_path / 'parts.yaml'
    path.write_text("parts: [{part_number: MY4N, letter: 'E'}]\n")
    code, said = run('lint', '--catalogue', path)
    assert code == 0 and '1 parts' in said


def test_a_table_is_exported_changed_and_imported(catalogue, tmp_path):
    before, table = catalogue.read_text(), tmp_path / 'parts.csv'
    code, said = run('export', table, '--catalogue', catalogue)
    assert code == 0 and '4 parts' in said and table.read_bytes().startswith(b'\xef\xbb\xbf')
    code, said = run('import', table, '--catalogue', catalogue)
    assert code == 0 and '0 changes, nothing written' in said and catalogue.read_text() == before
    table.write_text(table.read_text(encoding='utf-8-sig').replace('MY4N,,E,0', 'MY4N,,E,0.038'))
    code, said = run('import', table, '--catalogue', catalogue, '--check')
    assert code == 0 and 'MY4N: unit_weight changed' in said and catalogue.read_text() == before
    code, said = run('import', table, '--catalogue', catalogue)
    assert code == 0 and '1 changes written' in said and 'unit_weight: 0.038' in catalogue.read_text()
    assert catalogue.with_suffix('.before.yaml').read_text() == before
    code, said = run('import', catalogue.with_suffix('.before.yaml'), '--catalogue', catalogue)
    assert code == 0 and catalogue.read_text() == before


def test_a_table_with_errors_changes_nothing(catalogue, tmp_path):
    before, table = catalogue.read_text(), tmp_path / 'parts.csv'
    table.write_text('part_number;letter\nEM1;A\nEM2;A\n')
    code, said = run('import', table, '--catalogue', catalogue)
    assert code == 1 and 'row 3' in said and 'letter "A" is used 2 times' in said and catalogue.read_text() == before
    code, _ = run('import', tmp_path / 'none.csv', '--catalogue', catalogue)
    assert code == 1
