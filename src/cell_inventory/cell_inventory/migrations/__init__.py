"""Alembic migrations of the stock ledger."""
