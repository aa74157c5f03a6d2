import sys
import threading
from pathlib import Path

import pytest
from cell_common.database import (
    DatabaseError,
    audit_entry,
    insert_audit,
    migrate,
    open_database,
    read_only,
    storage_error,
)
from sqlalchemy import select, text
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from cell_interfaces.msg import CommandInfo


class Base(DeclarativeBase):
    pass


class AuditRow(Base):
    __tablename__ = 'audit'
    audit_id: Mapped[int] = mapped_column(primary_key=True)
    received_ns: Mapped[int]
    command: Mapped[str]
    request_id: Mapped[str]
    operator_id: Mapped[str]
    issued_ns: Mapped[int]
    arguments: Mapped[str]
    code: Mapped[int]
    message: Mapped[str]


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


def test_a_command_is_recorded_with_its_result(tmp_path):
    engine = open_database(f'sqlite:///{tmp_path}/cell.db')
    Base.metadata.create_all(engine)
    info = CommandInfo(operator_id='ann')
    info.issued_at.sec = 5
    with engine.begin() as connection:
        insert_audit(connection, AuditRow, audit_entry('stop', info, '{}', 3, 'not ready', 7))
        row = connection.execute(select(AuditRow.__table__)).one()
    assert (row.command, row.operator_id, row.issued_ns, row.code, row.message) == (
        'stop',
        'ann',
        5_000_000_000,
        3,
        'not ready',
    )
    assert row.request_id


def test_a_storage_error_names_the_cause_and_the_remedy():
    error = storage_error(OperationalError('SELECT 1', {}, Exception('disk I/O error')))
    assert str(error) == 'the database refused: disk I/O error. Check its disk, then try again.'
