import csv
import time

import pytest
from cell_bringup.audit import show_audit
from cell_bringup.cli import parser
from cell_common.command_store import Command, CommandStore
from cell_common.database import migrate, open_database
from rich.console import Console

HOUR = 3600 * 10**9


@pytest.fixture
def url(tmp_path):
    url = f'sqlite:///{tmp_path}/cell.db'
    engine = open_database(url)
    migrate(engine, 'cell_common')
    store = CommandStore(engine)
    now = time.time_ns()
    entry = {'node': 'inventory', 'role': 'operator', 'origin': '10.0.0.7', 'fingerprint': '', 'issued_ns': now}
    for number, (name, operator, age_h, arguments, code) in enumerate(
        [
            ('inventory/adjust', 'ann', 30, '{"count": 3}', 0),
            ('inventory/undo', 'bob', 2, '{"reason": "=1+1"}', 304),
            ('set_job', '=bob', 1, '{}', 0),
        ]
    ):
        received = now - age_h * HOUR
        store.add(
            Command(
                command=name, operator_id=operator, received_ns=received, arguments=arguments, request_id=str(number),
                expires_ns=2**63 - 1, **entry,
            ),
            code, 'answer',
        )  # fmt: skip
    engine.dispose()
    return url


def run(capsys, *arguments):
    code = show_audit(parser().parse_args(['audit', *arguments]), Console(width=200))
    return code, capsys.readouterr().out


def test_commands_are_shown_newest_first_with_who_and_why(capsys, url):
    code, output = run(capsys, '--database-url', url)
    assert code == 0 and output.index('set_job') < output.index('inventory/undo') < output.index('inventory/adjust')


@pytest.mark.parametrize(
    ('options', 'expected'),
    [
        (('--operator', 'bob'), ['inventory/undo']),
        (('--command', 'inventory/'), ['inventory/undo', 'inventory/adjust']),
        (('--since', '24h'), ['set_job', 'inventory/undo']),
        (('--refused',), ['inventory/undo']),
        (('--text', '"count": 3'), ['inventory/adjust']),
        (('--limit', '1'), ['set_job']),
    ],
)
def test_commands_are_written_as_csv_that_no_spreadsheet_executes(capsys, tmp_path, url, options, expected):
    path = tmp_path / 'audit.csv'
    code, output = run(capsys, '--database-url', url, '--csv', str(path), *options)
    rows = list(csv.DictReader(path.read_text(encoding='utf-8').splitlines()))
    assert code == 0 and str(len(rows)) in output
    assert [row['command'] for row in rows] == expected
    assert not [value for row in rows for value in row.values() if value.startswith('=')]


def test_csv_goes_to_the_terminal(capsys, url):
    assert run(capsys, '--database-url', url, '--csv', '-')[1].startswith('sequence,received,node,command,')


def test_a_database_that_is_not_there_is_named(capsys, tmp_path):
    code, output = run(capsys, '--database-url', f'sqlite:///{tmp_path}/none.db')
    assert code == 1 and 'none.db' in output and not (tmp_path / 'none.db').exists()
    code, output = run(capsys, '--database-url', f'sqlite:///{tmp_path}/none.db', '--since', '7d')
    assert code == 1


def test_an_age_without_unit_is_refused(capsys):
    with pytest.raises(SystemExit):
        parser().parse_args(['audit', '--since', '24'])
    assert 'e.g. 24h' in capsys.readouterr().err


def test_audits_of_earlier_releases_follow(capsys, url):
    engine = open_database(url)
    for table in ('command_audit', 'weigh_command'):
        with engine.begin() as connection:
            connection.exec_driver_sql(
                f'CREATE TABLE {table} (received_ns BIGINT, command TEXT, request_id TEXT, operator_id TEXT, issued_ns BIGINT, '
                'arguments TEXT, code INTEGER, message TEXT)'
            )
            for number in range(3):
                old = f"{time.time_ns() - (100 - number) * HOUR}, '{table} {number}', 'r', 'zoe', 0, '{{}}', {number}, 'done'"
                connection.exec_driver_sql(f'INSERT INTO {table} VALUES ({old})')
    engine.dispose()
    _, output = run(capsys, '--database-url', url)
    assert output.index('inventory/adjust') < output.index('weigh_command 2') < output.index('command_audit 0')
    _, output = run(capsys, '--database-url', url, '--operator', 'zoe', '--refused', '--limit', '3')
    assert output.count('zoe') == 3 and 'command_audit 0' not in output
