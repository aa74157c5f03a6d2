"""Alembic migrations of cell_vision."""
