import os
import stat
from unittest.mock import patch

import pytest
from cell_common.atomic_file import replace_file


def test_the_content_is_replaced_and_the_permissions_stay(tmp_path):
    path = tmp_path / 'a.json'
    replace_file(path, b'one')
    assert stat.S_IMODE(path.stat().st_mode) == 0o644
    path.chmod(0o660)
    replace_file(path, b'two')
    assert (path.read_bytes(), stat.S_IMODE(path.stat().st_mode)) == (b'two', 0o660)
    assert list(tmp_path.iterdir()) == [path]


def test_file_and_folder_are_on_disk_before_it_returns(tmp_path):
    calls = []
    with (
        patch('os.fsync', side_effect=lambda fd: calls.append(stat.S_ISDIR(os.fstat(fd).st_mode))),
        patch('pathlib.Path.replace', side_effect=lambda *names: calls.append('rename')),
    ):
        replace_file(tmp_path / 'a.json', b'one')
    assert calls == [False, 'rename', True]


@pytest.mark.parametrize('failing', ['os.fsync', 'pathlib.Path.replace'])
def test_a_failure_leaves_the_old_file_and_no_temporary_one(tmp_path, failing):
    path = tmp_path / 'a.json'
    path.write_bytes(b'old')
    with patch(failing, side_effect=OSError('disk full')), pytest.raises(OSError, match='disk full'):
        replace_file(path, b'new')
    assert path.read_bytes() == b'old' and list(tmp_path.iterdir()) == [path]
