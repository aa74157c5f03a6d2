"""Logins in the audit."""

import pytest
from cell_common.command_store import CommandFilter, CommandStore
from cell_common.database import open_database
from cell_web.login.audit import LoginAudit
from cell_web.login.events import LoginEvent


@pytest.fixture
def url(tmp_path):
    return f'sqlite:///{tmp_path}/cell.db'


def stored(url):
    engine = open_database(url)
    try:
        return CommandStore(engine).read(CommandFilter())
    finally:
        engine.dispose()


def test_a_login_and_a_refused_one_are_in_the_audit(url):
    audit = LoginAudit(url, 'web_gateway', lambda: 7_000_000_000, pytest.fail)
    audit.add(LoginEvent('login', 'Ann', 'operator', '10.0.0.5'))
    audit.add(LoginEvent('login', 'x' * 500, '', '10.0.0.66', 'name or password is wrong'))
    audit.close()
    refused, done = stored(url)
    assert (done.entry.node, done.entry.command, done.entry.operator_id, done.entry.role) == (
        'web_gateway',
        'login',
        'Ann',
        'operator',
    )
    assert (done.entry.origin, done.entry.received_ns, done.code) == ('10.0.0.5', 7_000_000_000, 0)
    assert refused.code and refused.message == 'name or password is wrong' and len(refused.entry.operator_id) < 200


def test_a_database_that_fails_is_reported_and_ends_nothing(url):
    errors = []
    audit = LoginAudit(url, 'web_gateway', lambda: 1, errors.append)
    engine = open_database(url)
    with engine.begin() as connection:
        connection.exec_driver_sql('DROP TABLE command_log')
    engine.dispose()
    audit.add(LoginEvent('login', 'Ann', 'operator', '10.0.0.5'))
    audit.close()
    assert len(errors) == 1 and 'missing in the audit' in errors[0]
