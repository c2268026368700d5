"""Alarms: what stood still, since when, and when admins were told; a mail that the desk sent itself is a state of its own."""

import sqlalchemy as sa
from alembic import op

revision = '20261201'
down_revision = '20261130'
branch_labels = None
depends_on = None

STATES = ['received', 'accepted', 'ignored', 'rejected', 'failed']


def upgrade() -> None:
    op.create_table(
        'alarm',
        sa.Column('id', sa.Integer(), nullable=False),
        sa.Column('kind', sa.String(), nullable=False),
        sa.Column('name', sa.String(), nullable=False),
        sa.Column('reason', sa.String(), nullable=False),
        sa.Column('began_at', sa.DateTime(timezone=True), nullable=False),
        sa.Column('seen_at', sa.DateTime(timezone=True), nullable=False),
        sa.Column('told_at', sa.DateTime(timezone=True), nullable=True),
        sa.Column('ended_at', sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint('id', name=op.f('pk_alarm')),
        sa.UniqueConstraint('kind', 'name', name=op.f('uq_alarm_kind_name')),
    )
    allow_states([*STATES, 'selftest'])


def downgrade() -> None:
    op.execute("UPDATE inbound_email SET state = 'ignored' WHERE state = 'selftest'")
    allow_states(STATES)
    op.drop_table('alarm')


def allow_states(states: list[str]) -> None:
    words = ', '.join(f"'{state}'" for state in states)
    with op.batch_alter_table('inbound_email') as batch_op:
        batch_op.drop_constraint(op.f('ck_inbound_email_state'), type_='check')
        batch_op.create_check_constraint(op.f('ck_inbound_email_state'), f'state IN ({words})')
