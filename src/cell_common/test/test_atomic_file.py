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


def test_a_drive_without_permissions_and_without_synced_folders_takes_the_file(tmp_path):
    path = tmp_path / 'a.json'
    path.write_bytes(b'old')
    fsync = os.fsync

    def only_files(descriptor):
        if stat.S_ISDIR(os.fstat(descriptor).st_mode):
            raise OSError(22, 'Invalid argument')
        fsync(descriptor)

    refuse = PermissionError(1, 'Operation not permitted')
    with patch('os.fsync', only_files), patch('os.fchmod', side_effect=refuse), patch('os.fchown', side_effect=refuse):
        replace_file(path, b'new')
    assert path.read_bytes() == b'new' and list(tmp_path.iterdir()) == [path]


@pytest.mark.skipif(os.geteuid() != 0, reason='only root may give files away')
def test_owner_and_group_stay(tmp_path):
    path = tmp_path / 'a.json'
    path.write_bytes(b'old')
    os.chown(path, 1234, 4321)
    path.chmod(0o664)
    replace_file(path, b'new')
    info = path.stat()
    assert (info.st_uid, info.st_gid, stat.S_IMODE(info.st_mode)) == (1234, 4321, 0o664)


def test_the_group_stays_where_the_owner_cannot(tmp_path):
    path = tmp_path / 'a.json'
    path.write_bytes(b'old')
    given = []

    def only_groups(_descriptor, owner, group):
        if owner != -1:
            raise PermissionError(1, 'Operation not permitted')
        given.append(group)

    with patch('os.fchown', only_groups):
        replace_file(path, b'new')
    assert given == [path.stat().st_gid]


@pytest.mark.parametrize('failing', ['os.fsync', 'pathlib.Path.replace'])
def test_a_failure_leaves_the_old_file_and_no_temporary_one(tmp_path, failing):
    path = tmp_path / 'a.json'
    path.write_bytes(b'old')
    with patch(failing, side_effect=OSError('disk full')), pytest.raises(OSError, match='disk full'):
        replace_file(path, b'new')
    assert path.read_bytes() == b'old' and list(tmp_path.iterdir()) == [path]
