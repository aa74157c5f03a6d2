"""One database for a cell: SQLite in its state folder by default, PostgreSQL for a plant.

Each package that stores something owns its tables and their Alembic migrations (folder `migrations` beside the package's
models, version table `alembic_<package>`), so packages share the database without sharing a migration history.
"""

from __future__ import annotations

from importlib import resources
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, create_engine, event, inspect, text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError, SQLAlchemyError

BUSY_TIMEOUT_S = 10.0
READ_ONLY = 'cell_read_only'


class DatabaseError(Exception):
    """The database cannot be used; the text says why and what to do."""


def open_database(url: str) -> Engine:
    """Open the database and check that it answers.

    For SQLite: write-ahead log, foreign keys on, `synchronous=FULL` so that what is committed survives a power cut, and a
    transaction takes the write lock when it begins, so that two processes never deadlock on an upgrade.

    Args:
        url: SQLAlchemy URL, e.g. "sqlite:////var/lib/cell/cell.db" or "postgresql+psycopg://cell@plant/cell".

    Raises:
        DatabaseError: The URL is not one, or the database does not answer.
    """
    try:
        parsed = make_url(url)
    except ArgumentError as problem:
        raise DatabaseError('database_url is not a database URL; example: sqlite:////var/lib/cell/cell.db') from problem
    if parsed.get_backend_name() == 'sqlite':
        engine = _open_sqlite(parsed.database or '')
    else:
        engine = create_engine(parsed, pool_pre_ping=True)
    try:
        with engine.connect() as connection:
            connection.execute(text('SELECT 1'))
    except SQLAlchemyError as problem:
        shown = parsed.render_as_string(hide_password=True)
        raise DatabaseError(
            f'cannot open the database {shown}: {problem.__cause__ or problem}. '
            'Check that the folder exists and may be written to, or that the server runs.'
        ) from problem
    return engine


def _open_sqlite(path: str) -> Engine:
    if path:
        folder = Path(path).expanduser().parent
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as problem:
            raise DatabaseError(
                f'cannot make the state folder {folder}: {problem.strerror}. '
                'Give launch argument state_dir a folder that may be written to.'
            ) from problem
    engine = create_engine(
        f'sqlite:///{Path(path).expanduser() if path else ""}',
        connect_args={'timeout': BUSY_TIMEOUT_S, 'check_same_thread': False},
    )

    @event.listens_for(engine, 'connect')
    def prepare(connection: Any, _record: object) -> None:
        connection.isolation_level = None
        for pragma in ('journal_mode=WAL', 'synchronous=FULL', 'foreign_keys=ON'):
            connection.execute(f'PRAGMA {pragma}')

    @event.listens_for(engine, 'begin')
    def begin(connection: Any) -> None:
        connection.exec_driver_sql('BEGIN' if connection.get_execution_options().get(READ_ONLY) else 'BEGIN IMMEDIATE')

    return engine


def for_reading(engine: Engine) -> Engine:
    """Return the same database, on the same connections, for transactions that only read.

    They see one state from their first query to their end, wait for nobody and keep nobody waiting: on SQLite they take no
    write lock. PostgreSQL refuses a write in them.
    """
    return engine.execution_options(**{READ_ONLY: True, 'postgresql_readonly': True})


def migrate(engine: Engine, package: str) -> None:
    """Bring a package's tables to the newest version; quick when they are there already.

    Args:
        engine: The open database.
        package: Import name of the package that holds `migrations/versions`.

    Raises:
        DatabaseError: The migration failed, or the database is newer than this software.
    """
    folder = Path(str(resources.files(package))) / 'migrations'
    table = f'alembic_{package}'
    newest = max(path.stem.split('_', 1)[0] for path in (folder / 'versions').glob('[0-9]*.py'))
    if _version(engine, table) == newest:
        return
    from alembic import command
    from alembic.config import Config
    from alembic.util.exc import CommandError

    config = Config()
    config.set_main_option('script_location', str(folder).replace('%', '%%'))
    config.attributes['version_table'] = table
    try:
        with engine.begin() as connection:
            config.attributes['connection'] = connection
            command.upgrade(config, 'head')
    except (CommandError, SQLAlchemyError) as problem:
        raise DatabaseError(
            f'cannot bring the tables of {package} to version {newest}: {problem}. '
            'If the database was used by a newer release, install that release.'
        ) from problem


def run_migrations(context: Any) -> None:
    """Body of every package's `migrations/env.py`.

    Args:
        context: `alembic.context`.
    """
    attributes = context.config.attributes
    context.configure(connection=attributes['connection'], version_table=attributes['version_table'], target_metadata=None)
    context.run_migrations()


def _version(engine: Engine, table: str) -> str | None:
    if not inspect(engine).has_table(table):
        return None
    with engine.connect() as connection:
        return connection.execute(text(f'SELECT version_num FROM {table}')).scalar()
