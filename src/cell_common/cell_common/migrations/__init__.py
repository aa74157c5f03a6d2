"""Alembic migrations of the tables that all nodes share."""
