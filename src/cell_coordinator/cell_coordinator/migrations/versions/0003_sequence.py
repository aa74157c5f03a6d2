"""Jobs get a sequence that orders them whatever the clock says; the alarms' event sessions are kept."""

import sqlalchemy as sa
from alembic import op

revision = '0003'
down_revision = '0002'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column('pick_job', sa.Column('sequence', sa.BigInteger, nullable=False, server_default='0'))
    connection = op.get_bind()
    # SQLite's rowid is the order of insertion. Elsewhere only the time is left for the jobs of earlier releases.
    order = 'rowid' if connection.dialect.name == 'sqlite' else 'created_ns, job_id'
    jobs = connection.execute(sa.text(f'SELECT job_id FROM pick_job ORDER BY {order}')).scalars().all()
    for sequence, job_id in enumerate(jobs, 1):
        connection.execute(sa.text('UPDATE pick_job SET sequence = :n WHERE job_id = :id'), {'n': sequence, 'id': job_id})
    op.create_index('pick_job_by_sequence', 'pick_job', ['sequence'])
    op.create_table(
        'alarm_session',
        sa.Column('id', sa.Integer, primary_key=True),
        sa.Column('source', sa.String(64), nullable=False),
        sa.Column('session', sa.String(64), nullable=False),
        sa.Column('sequence', sa.BigInteger, nullable=False),
        sa.UniqueConstraint('source', 'session', name='one_row_a_session'),
    )


def downgrade() -> None:
    op.drop_table('alarm_session')
    op.drop_index('pick_job_by_sequence', 'pick_job')
    op.drop_column('pick_job', 'sequence')
