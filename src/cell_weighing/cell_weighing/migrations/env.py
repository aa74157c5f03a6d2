"""Alembic environment: see cell_common.database."""

from alembic import context
from cell_common.database import run_migrations

run_migrations(context)
