"""Which cell a database belongs to, so that two cells never mix their data in one by mistake.

The first node that claims a database writes the name of its cell into the table `cell_owner`. A node of another cell is
refused, with the name of the first.
"""

from __future__ import annotations

import socket
from datetime import datetime, timezone

from sqlalchemy import Column, Engine, MetaData, String, Table, insert, inspect, select
from sqlalchemy.exc import SQLAlchemyError

from cell_common.database import DatabaseError, read_only

__all__ = ['claim_database']

_OWNER = Table(
    'cell_owner',
    MetaData(),
    Column('id', String(1), primary_key=True),
    Column('cell', String(255), nullable=False),
    Column('host', String(255), nullable=False),
    Column('since', String(40), nullable=False),
)
_ONLY = '1'
"""Id of the one row."""


def claim_database(engine: Engine, cell: str) -> None:
    """Register a cell as the owner of a database, or check that it is.

    Args:
        engine: The open database.
        cell: Name of the cell: the namespace of its nodes.

    Raises:
        DatabaseError: The database belongs to another cell, or cannot be used. The text names the other cell, its host and
            since when.
    """
    try:
        owner = _owner(engine) or _register(engine, cell)
    except SQLAlchemyError as error:
        raise DatabaseError(f'cannot look up which cell the database belongs to: {error}') from error
    if owner[0] != cell:
        raise DatabaseError(
            f'the database belongs to cell {owner[0]}, which has used it since {owner[2]} from host {owner[1]}; this is cell '
            f'{cell}. Give this cell a database of its own (launch argument state_dir or database_url). '
            'If the cell was renamed, empty the table cell_owner.'
        )


def _register(engine: Engine, cell: str) -> tuple[str, str, str]:
    """Write the row of the first cell, and return the owner: another node may have been faster.

    The primary key decides such a race: it has one possible value, so the second insert fails.
    """
    since = datetime.now(timezone.utc).isoformat(timespec='seconds')
    try:
        with engine.begin() as connection:
            # Not a migration: the table belongs to no package and must exist before any of them migrates.
            _OWNER.create(connection, checkfirst=True)
            connection.execute(insert(_OWNER).values(id=_ONLY, cell=cell, host=socket.gethostname(), since=since))
    except SQLAlchemyError:
        owner = _owner(engine)
        if owner is None:
            raise
        return owner
    return cell, socket.gethostname(), since


def _owner(engine: Engine) -> tuple[str, str, str] | None:
    if not inspect(engine).has_table(_OWNER.name):
        return None
    with read_only(engine).connect() as connection:
        row = connection.execute(select(_OWNER.c.cell, _OWNER.c.host, _OWNER.c.since)).first()
    return (row.cell, row.host, row.since) if row else None
