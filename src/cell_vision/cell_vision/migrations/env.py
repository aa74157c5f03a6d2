"""Run by Alembic."""

from alembic import context
from cell_common.database import run_migrations

run_migrations(context)
