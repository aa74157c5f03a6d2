"""Fixtures: a PostgreSQL and a MariaDB server, one of each for all tests."""

import getpass
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from cell_common.database import DatabaseError, open_database
from cell_common.testing import free_port, wait_until

sys.path.insert(0, str(Path(__file__).parent))  # web_application_standin


def binaries() -> Path | None:
    """Return the folder of PostgreSQL's server programs."""
    found = sorted(Path('/usr/lib/postgresql').glob('*/bin/initdb'))
    return found[-1].parent if found else Path(path).parent if (path := shutil.which('initdb')) else None


@pytest.fixture(scope='session')
def postgresql(tmp_path_factory):
    """A PostgreSQL server of its own; the server refuses to run as root, so there it runs as nobody."""
    pytest.importorskip('psycopg', reason='psycopg is not installed')
    programs = binaries()
    if programs is None:
        pytest.skip('PostgreSQL is not installed (apt install postgresql)')
    folder, port = tmp_path_factory.mktemp('postgresql'), free_port()
    user = {'user': 'nobody', 'group': 'nogroup', 'extra_groups': []} if os.getuid() == 0 else {}
    if user:
        for parent in (folder, *folder.parents[:2]):
            parent.chmod(0o755)
        shutil.chown(folder, 'nobody', 'nogroup')
    quiet = {'stdout': subprocess.DEVNULL, 'stderr': subprocess.DEVNULL, 'cwd': folder}
    subprocess.run(
        [programs / 'initdb', '-D', folder / 'data', '-U', 'cell', '-A', 'trust', '--no-sync'], check=True, **quiet, **user
    )
    server = subprocess.Popen(
        [programs / 'postgres', '-D', folder / 'data', '-p', str(port), '-k', str(folder), '-c', 'listen_addresses=127.0.0.1'],
        **quiet,
        **user,
    )
    url = f'postgresql+psycopg://cell@127.0.0.1:{port}/postgres'
    try:
        wait_until(lambda: is_ready(url), 90)
        yield url
    finally:
        server.send_signal(signal.SIGINT)  # its fast shutdown: it waits for nobody
        server.wait(20)


@pytest.fixture(scope='session')
def mariadb(tmp_path_factory):
    """A MariaDB server of its own."""
    pytest.importorskip('pymysql', reason='PyMySQL is not installed')
    server = shutil.which('mariadbd') or shutil.which('mariadbd', path='/usr/sbin')
    install = shutil.which('mariadb-install-db')
    if not server or not install:
        pytest.skip('MariaDB is not installed (apt install mariadb-server-core)')
    folder, port, user = tmp_path_factory.mktemp('mariadb'), free_port(), getpass.getuser()
    quiet = {'stdout': subprocess.DEVNULL, 'stderr': subprocess.DEVNULL, 'cwd': folder}
    data = f'--datadir={folder}/data'
    subprocess.run(
        [install, '--no-defaults', data, f'--user={user}', '--auth-root-authentication-method=normal', '--skip-test-db'],
        check=True,
        **quiet,
    )
    # The server reads one statement a line.
    (folder / 'init.sql').write_text(
        "CREATE DATABASE cell;\nCREATE USER cell@'127.0.0.1';\nGRANT ALL ON *.* TO cell@'127.0.0.1';\n"
    )
    options = (f'--socket={folder}/s.sock', f'--pid-file={folder}/pid', f'--init-file={folder}/init.sql')
    running = subprocess.Popen(
        [server, '--no-defaults', data, f'--user={user}', f'--port={port}', '--bind-address=127.0.0.1', *options], **quiet
    )
    url = f'mariadb+pymysql://cell@127.0.0.1:{port}/cell'
    try:
        wait_until(lambda: is_ready(url), 90)
        yield url
    finally:
        running.terminate()
        running.wait(30)


def is_ready(url):
    try:
        open_database(url).dispose()
    except DatabaseError:
        return False
    return True


@pytest.fixture(params=['postgresql', 'mariadb'])
def server_url(request):
    return request.getfixturevalue(request.param)
