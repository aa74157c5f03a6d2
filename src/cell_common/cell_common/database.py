"""The database of a cell: SQLite in its state folder by default, PostgreSQL for a plant.

Each package owns its tables and their Alembic migrations: folder `migrations` of the package, version table
`alembic_<package>`. So packages share the database without a common migration history.

Nodes are separate processes, so several write to one SQLite file. The settings in `_open_sqlite` make that safe. Times are
stored as integers of nanoseconds, ids as UUIDv7 texts.
"""

from __future__ import annotations

import contextlib
import sqlite3
import weakref
from collections.abc import Iterator
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import Connection, Engine, create_engine, event, inspect, text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError, SQLAlchemyError

if TYPE_CHECKING:
    from types import ModuleType

__all__ = [
    'DatabaseError',
    'StorageBusyError',
    'StorageFailedError',
    'close_databases',
    'migrate',
    'open_database',
    'read_only',
    'run_migrations',
    'storage_error',
]

# SQLite has one writer: another node may hold the lock for a commit on a slow disk.
BUSY_TIMEOUT_S = 10.0
READ_ONLY = 'cell_read_only'
# Nodes that start together wait for the first one of them to create the tables.
MIGRATION_WAIT_S = 60
_MIGRATION_LOCK = 0x63656C6C
"""Key of PostgreSQL's advisory lock: "cell" in ASCII."""
_ENGINES: weakref.WeakSet[Engine] = weakref.WeakSet()


class DatabaseError(Exception):
    """The database cannot be used; the text says why and what to do.

    Raised at start-up: the node then does not start. A failure later is a StorageFailedError.
    """


class StorageFailedError(Exception):
    """A transaction failed and was rolled back; the text says why and what to do.

    The node goes on. The caller must not act as if the data were stored.
    """


class StorageBusyError(StorageFailedError):
    """Another program holds the database's write lock; the same transaction may succeed later."""


def storage_error(error: SQLAlchemyError) -> StorageFailedError:
    """Return an SQLAlchemy error as one that names the driver's cause and the remedy.

    SQLAlchemy's own text contains the SQL statement and its values, which an operator cannot use.
    """
    cause = getattr(error, 'orig', None) or error
    if isinstance(cause, sqlite3.OperationalError) and 'locked' in str(cause):
        return StorageBusyError('another program holds the lock of the database. End its transaction, or wait for its end.')
    return StorageFailedError(f'the database refused: {cause}. Check its disk, then try again.')


def open_database(url: str, busy_timeout_s: float | None = None, *, durable: bool = True) -> Engine:
    """Open the database and run a first query.

    SQLite uses a write-ahead log, foreign keys, and `synchronous=FULL`: a committed transaction survives a power cut. A
    transaction takes the write lock at its beginning, so two processes never deadlock on a lock upgrade.

    Args:
        url: SQLAlchemy URL, e.g. "sqlite:////var/lib/cell/cell.db" or "postgresql+psycopg://cell@plant/cell".
        busy_timeout_s: How long a transaction waits for SQLite's write lock; None = BUSY_TIMEOUT_S.
        durable: False for the database of a replay, which is made again at any time: SQLite then does not wait for the disk.

    Returns:
        An engine that any thread may use. For SQLite the folder of the file exists; the tables may not yet: call `migrate`.

    Raises:
        DatabaseError: The URL is invalid, or the database does not respond.
    """
    try:
        parsed = make_url(url)
    except ArgumentError as error:
        raise DatabaseError('database_url is not a database URL; example: sqlite:////var/lib/cell/cell.db') from error
    if parsed.get_backend_name() == 'sqlite':
        wait_s = BUSY_TIMEOUT_S if busy_timeout_s is None else busy_timeout_s
        engine = _open_sqlite(parsed.database or '', wait_s, 'FULL' if durable else 'OFF')
    else:
        # pre_ping: a server that was restarted has closed the pooled connections.
        engine = create_engine(parsed, pool_pre_ping=True)
    try:
        with read_only(engine).connect() as connection:
            connection.execute(text('SELECT 1'))
    except SQLAlchemyError as error:
        # Never the URL as given: the text goes into the log, which is copied into bug reports.
        shown = parsed.render_as_string(hide_password=True)
        raise DatabaseError(
            f'cannot open the database {shown}: {error.__cause__ or error}. '
            'Check that the folder exists and may be written to, or that the server runs.'
        ) from error
    _ENGINES.add(engine)
    return engine


def close_databases() -> None:
    """Close the databases that this process has opened; called at its end.

    SQLite's committed transactions then stand in the database file itself, as far as no other process reads them from the log:
    the last process that closes the database moves all of them. So a copy of the file is whole after a clean stop.
    """
    for engine in list(_ENGINES):
        if engine.dialect.name == 'sqlite':
            # Of the driver: a transaction of SQLAlchemy would hold the lock that a checkpoint needs.
            with contextlib.suppress(SQLAlchemyError, sqlite3.Error), engine.connect() as connection:
                driver = connection.connection.driver_connection
                if isinstance(driver, sqlite3.Connection):
                    driver.execute('PRAGMA wal_checkpoint(PASSIVE)')
        engine.dispose()


def _open_sqlite(path: str, busy_timeout_s: float, synchronous: str) -> Engine:
    if path:
        folder = Path(path).expanduser().parent
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise DatabaseError(
                f'cannot make the state folder {folder}: {error.strerror}. '
                'Give launch argument state_dir a folder that may be written to.'
            ) from error
    engine = create_engine(
        f'sqlite:///{Path(path).expanduser() if path else ""}',
        # Connections travel between threads in the pool; SQLite itself is built thread-safe.
        connect_args={'timeout': busy_timeout_s, 'check_same_thread': False},
    )

    @event.listens_for(engine, 'connect')
    def prepare(connection: sqlite3.Connection, _record: object) -> None:
        # pysqlite would begin transactions itself, and only at the first write. SQLAlchemy's `begin` event below does it
        # instead.
        connection.isolation_level = None
        for pragma in ('journal_mode=WAL', f'synchronous={synchronous}', 'foreign_keys=ON'):
            connection.execute(f'PRAGMA {pragma}')

    @event.listens_for(engine, 'begin')
    def begin(connection: Connection) -> None:
        # A plain BEGIN takes the write lock at the first write. If another process has written since the first read, SQLite
        # then fails at once with SQLITE_BUSY, whatever the timeout.
        connection.exec_driver_sql('BEGIN' if connection.get_execution_options().get(READ_ONLY) else 'BEGIN IMMEDIATE')

    return engine


def read_only(engine: Engine) -> Engine:
    """Return the engine with the same connection pool, for read-only transactions.

    Each sees one snapshot from its first query to its end. On SQLite it takes no write lock, so it neither waits nor blocks.
    PostgreSQL rejects a write in it; SQLite would execute it.
    """
    return engine.execution_options(**{READ_ONLY: True, 'postgresql_readonly': True})


def migrate(engine: Engine, package: str) -> None:
    """Upgrade a package's tables to the newest version; a single query if they are up to date.

    Several nodes of one package may call it at the same time: one migrates, the others wait. A migration that fails is rolled
    back where the database can roll back changes of tables.

    Args:
        engine: The open database.
        package: Import name of the package with `migrations/versions`.

    Raises:
        DatabaseError: The migration failed, or the database is newer than this software.
    """
    folder = Path(str(resources.files(package))) / 'migrations'
    table = f'alembic_{package}'
    newest = max(path.stem.split('_', 1)[0] for path in (folder / 'versions').glob('[0-9]*.py'))
    version = _version(engine, table)
    # The usual case: no import of Alembic, no lock.
    if version == newest:
        return
    # Versions are numbers with leading zeros, so they compare as texts.
    if version and version > newest:
        raise DatabaseError(
            f'the tables of {package} have version {version}, and this software knows {newest}: the database was used by a '
            'newer release. Install that release.'
        )
    # Imported late: it takes a noticeable part of a node's start-up, and most starts need no migration.
    from alembic import command
    from alembic.config import Config
    from alembic.util.exc import CommandError

    config = Config()
    # Alembic's configuration is a ConfigParser, where "%" starts an interpolation.
    config.set_main_option('script_location', str(folder).replace('%', '%%'))
    config.attributes['version_table'] = table
    try:
        with (
            engine.connect() as connection,
            _without_foreign_keys(connection),
            connection.begin(),
            _migration_lock(connection),
        ):
            config.attributes['connection'] = connection
            command.upgrade(config, 'head')
    except (CommandError, SQLAlchemyError) as error:
        raise DatabaseError(
            f'cannot bring the tables of {package} to version {newest}: {error}. '
            'Check that the user of database_url may create tables, then start again.'
        ) from error


@contextlib.contextmanager
def _without_foreign_keys(connection: Connection) -> Iterator[None]:
    """Let a migration replace a table that others refer to, as SQLite needs for most changes of a column.

    SQLite ignores the pragma within a transaction, so it is set before the transaction begins.
    """
    driver = connection.connection.driver_connection
    if connection.dialect.name != 'sqlite' or driver is None:
        yield
        return
    driver.execute('PRAGMA foreign_keys=OFF')
    try:
        yield
    finally:
        driver.execute('PRAGMA foreign_keys=ON')


@contextlib.contextmanager
def _migration_lock(connection: Connection) -> Iterator[None]:
    """Let one process at a time change tables; the others wait, then find them up to date.

    SQLite's transactions begin with the write lock. PostgreSQL and MariaDB have advisory locks; MariaDB commits at each change
    of a table, so its lock belongs to the session.
    """
    dialect = connection.dialect.name
    if dialect == 'postgresql':
        connection.execute(text('SELECT pg_advisory_xact_lock(:key)'), {'key': _MIGRATION_LOCK})
    elif dialect in ('mysql', 'mariadb'):
        connection.execute(text('SELECT GET_LOCK(:name, :seconds)'), {'name': 'cell_migration', 'seconds': MIGRATION_WAIT_S})
    try:
        yield
    finally:
        if dialect in ('mysql', 'mariadb'):
            connection.execute(text('SELECT RELEASE_LOCK(:name)'), {'name': 'cell_migration'})


def run_migrations(context: ModuleType) -> None:
    """Body of every package's `migrations/env.py`.

    Args:
        context: The module `alembic.context`.
    """
    attributes = context.config.attributes
    context.configure(connection=attributes['connection'], version_table=attributes['version_table'], target_metadata=None)
    context.run_migrations()


def _version(engine: Engine, table: str) -> str | None:
    """Return the version of a package's tables, None before their first migration."""
    if not inspect(engine).has_table(table):
        return None
    with read_only(engine).connect() as connection:
        return connection.execute(text(f'SELECT version_num FROM {table}')).scalar()
