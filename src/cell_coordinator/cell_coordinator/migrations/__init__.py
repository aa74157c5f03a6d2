"""Alembic migrations of the pick jobs, the audit and the alarms."""
