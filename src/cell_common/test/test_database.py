import sys
import threading
from pathlib import Path

import pytest
from cell_common.database import (
    DatabaseError,
    migrate,
    open_database,
    read_only,
    storage_error,
)
from sqlalchemy import text
from sqlalchemy.exc import OperationalError


@pytest.fixture
def package(tmp_path, monkeypatch):
    """A package with one table and its migrations."""
    versions = tmp_path / 'shelf' / 'migrations' / 'versions'
    versions.mkdir(parents=True)
    (tmp_path / 'shelf' / '__init__.py').write_text('')
    (versions.parent / 'env.py').write_text(
        'from alembic import context\nfrom cell_common.database import run_migrations\nrun_migrations(context)\n'
    )
    (versions / '0001_first.py').write_text(
        "from alembic import op\nimport sqlalchemy as sa\nrevision = '0001'\ndown_revision = None\n"
        "def upgrade():\n    op.create_table('box', sa.Column('n', sa.Integer, primary_key=True))\n"
    )
    monkeypatch.syspath_prepend(str(tmp_path))
    yield 'shelf'
    sys.modules.pop('shelf', None)


def test_tables_are_created_once_and_kept(tmp_path, package):
    url = f'sqlite:///{tmp_path}/a/cell.db'
    for _ in range(2):
        engine = open_database(url)
        migrate(engine, package)
        with engine.begin() as connection:
            connection.execute(text('INSERT INTO box DEFAULT VALUES'))
        engine.dispose()
    with open_database(url).connect() as connection:
        assert connection.execute(text('SELECT count(*) FROM box')).scalar() == 2


def test_two_packages_keep_their_own_history(tmp_path, package):
    engine = open_database(f'sqlite:///{tmp_path}/cell.db')
    migrate(engine, package)
    with engine.connect() as connection:
        assert connection.execute(text('SELECT version_num FROM alembic_shelf')).scalar() == '0001'


def test_a_database_of_a_newer_release_is_rejected(tmp_path, package):
    engine = open_database(f'sqlite:///{tmp_path}/cell.db')
    migrate(engine, package)
    with engine.begin() as connection:
        connection.execute(text("UPDATE alembic_shelf SET version_num = '0009'"))
    with pytest.raises(DatabaseError, match='newer release'):
        migrate(engine, package)


def test_writers_of_two_threads_wait_for_each_other(tmp_path, package):
    engine = open_database(f'sqlite:///{tmp_path}/cell.db')
    migrate(engine, package)

    def write():
        for _ in range(50):
            with engine.begin() as connection:
                connection.execute(text('INSERT INTO box DEFAULT VALUES'))

    threads = [threading.Thread(target=write) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with engine.connect() as connection:
        assert connection.execute(text('SELECT count(*) FROM box')).scalar() == 200


def test_an_invalid_url_is_answered_with_an_example():
    with pytest.raises(DatabaseError, match='example: sqlite:'):
        open_database('not a url')


def test_a_folder_that_cannot_be_created_names_the_launch_argument(tmp_path):
    Path(tmp_path / 'file').write_text('')
    with pytest.raises(DatabaseError, match='state_dir'):
        open_database(f'sqlite:///{tmp_path}/file/cell.db')


def test_a_password_is_never_shown():
    with pytest.raises(Exception) as caught:
        open_database('postgresql+psycopg://cell:topsecret@127.0.0.1:1/cell')
    assert 'topsecret' not in str(caught.value)


def test_a_read_only_transaction_waits_for_no_writer_and_sees_one_snapshot(tmp_path):
    engine = open_database(f'sqlite:///{tmp_path}/cell.db')
    with engine.begin() as writer:
        writer.execute(text('CREATE TABLE bag (id INTEGER)'))
    with engine.begin() as writer:
        writer.execute(text('INSERT INTO bag VALUES (1)'))
        with read_only(engine).begin() as reader:
            assert reader.execute(text('SELECT COUNT(*) FROM bag')).scalar() == 0
    with read_only(engine).begin() as reader:
        assert reader.execute(text('SELECT COUNT(*) FROM bag')).scalar() == 1
        with engine.begin() as writer:
            writer.execute(text('INSERT INTO bag VALUES (2)'))
        assert reader.execute(text('SELECT COUNT(*) FROM bag')).scalar() == 1
    engine.dispose()


def test_a_storage_error_names_the_cause_and_the_remedy():
    error = storage_error(OperationalError('SELECT 1', {}, Exception('disk I/O error')))
    assert str(error) == 'the database refused: disk I/O error. Check its disk, then try again.'
