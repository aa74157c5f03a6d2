"""Run by Alembic: the connection and the version table come from cell_common.database.migrate."""

from alembic import context

from cell_common.database import run_migrations

run_migrations(context)
