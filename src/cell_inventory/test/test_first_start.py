import os
import sqlite3

import pytest
from cell_common.database import close_databases, migrate, open_database
from cell_inventory.first_start import DatabaseUse


@pytest.fixture
def path(tmp_path):
    return tmp_path / 'cell.db'


@pytest.fixture
def database_url(path):
    return f'sqlite:///{path}'


def question(url, package='cell_inventory'):
    use = DatabaseUse(url)
    engine = open_database(url)
    text = use.question(engine)
    migrate(engine, package)
    engine.dispose()
    return text


def test_a_new_database_is_no_question(database_url):
    assert question(database_url) == ''
    assert question('sqlite://') == ''


def test_a_database_that_another_node_has_just_made_is_no_question(database_url):
    sqlite3.connect(database_url.removeprefix('sqlite:///')).execute('PRAGMA journal_mode=WAL')
    assert question(database_url) == ''


def test_a_removed_file_is_a_question(database_url, path):
    question(database_url)
    DatabaseUse(database_url).mark()
    path.unlink()
    text = question(database_url)
    assert 'was in use' in text and 'its -wal file' in text and f'{path}.in-use' in text


def test_an_old_file_without_tables_is_a_question(database_url, path):
    connection = sqlite3.connect(path)
    connection.execute('PRAGMA journal_mode=WAL')
    connection.close()
    assert path.stat().st_size
    os.utime(path, (1, 1))
    assert 'was in use' in question(database_url)


def test_jobs_without_a_ledger_are_a_question(database_url):
    engine = open_database(database_url)
    migrate(engine, 'cell_coordinator')
    assert DatabaseUse(database_url).question(engine) == ''
    columns = 'job_id, part_number, quantity, placed, rejected, operator_id, created_ns, started_ns, finished_ns, state, reason'
    with engine.begin() as connection:
        connection.exec_driver_sql(
            f"INSERT INTO pick_job ({columns}, snapshot) VALUES ('a', 'X', 1, 0, 0, '', 0, 0, 0, 'DONE', '', '')"
        )
    assert 'was in use' in DatabaseUse(database_url).question(engine)
    engine.dispose()


def test_after_a_clean_stop_the_file_alone_holds_everything(database_url, path, tmp_path):
    engine = open_database(database_url)
    migrate(engine, 'cell_inventory')
    with engine.begin() as connection:
        connection.exec_driver_sql("INSERT INTO stock_file VALUES ('x', '[]')")
    close_databases()
    copy = tmp_path / 'copy.db'
    copy.write_bytes(path.read_bytes())
    assert sqlite3.connect(copy).execute('SELECT path FROM stock_file').fetchall() == [('x',)]
