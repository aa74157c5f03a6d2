"""Columns and snapshot keys get the names of today's fields."""

import json
from typing import Any

import sqlalchemy as sa
from alembic import op

revision = '0002'
down_revision = '0001'
branch_labels = None
depends_on = None

COLUMNS = [
    ('pick_piece', 'recognised', 'recognized'),
    ('pick_reading', 'recognised', 'recognized'),
    ('pick_reading', 'judged_ns', 'matched_ns'),
    ('alarm', 'heard_ns', 'last_event_ns'),
]
JOB_KEYS = {
    'rejects_in_row': 'consecutive_rejects',
    'ticket': 'effect_id',
    'newer_than_ns': 'frame_after_ns',
    'pausing': 'pause_requested',
    'cancelling': 'cancel_requested',
    'fault': 'paused_by_fault',
    'recognised': 'recognized',
}
ALARM_KEYS = {'heard_ns': 'last_event_ns', 'standing': 'active'}


def upgrade() -> None:
    _rename([(table, old, new) for table, old, new in COLUMNS], JOB_KEYS, ALARM_KEYS)


def downgrade() -> None:
    _rename(
        [(table, new, old) for table, old, new in COLUMNS],
        {new: old for old, new in JOB_KEYS.items()},
        {new: old for old, new in ALARM_KEYS.items()},
    )


def _rename(columns: list[tuple[str, str, str]], job_keys: dict[str, str], alarm_keys: dict[str, str]) -> None:
    for table, old, new in columns:
        op.execute(f'ALTER TABLE {table} RENAME COLUMN {old} TO {new}')
    _rename_keys('pick_job', 'job_id', job_keys)
    _rename_keys('alarm', 'alarm_id', alarm_keys)


def _rename_keys(table: str, key: str, names: dict[str, str]) -> None:
    rows = sa.table(table, sa.column(key), sa.column('snapshot'))
    connection = op.get_bind()
    for row_id, snapshot in connection.execute(sa.select(rows.c[key], rows.c.snapshot)).all():
        renamed = json.dumps(_with_names(json.loads(snapshot), names))
        connection.execute(sa.update(rows).where(rows.c[key] == row_id).values(snapshot=renamed))


def _with_names(value: Any, names: dict[str, str]) -> Any:
    if isinstance(value, dict):
        return {names.get(key, key): _with_names(item, names) for key, item in value.items()}
    return value
