"""Mailboxes: what is stuck in them, what OAuth gave us for them, and whose UIDs were noted."""

import sqlalchemy as sa
from alembic import op

revision = '20261130'
down_revision = '20261128'
branch_labels = None
depends_on = None

WAITS = "state = 'received'"


def upgrade() -> None:
    op.add_column('source', sa.Column('missing', sa.Integer(), server_default='0', nullable=False))
    op.add_column('source', sa.Column('ledger_of', sa.String(), nullable=True))
    op.add_column('inbound_email', sa.Column('copied_at', sa.DateTime(timezone=True), nullable=True))
    op.create_index(
        'ix_inbound_email_waiting', 'inbound_email', ['source_id', 'id'],
        sqlite_where=sa.text(WAITS), postgresql_where=sa.text(WAITS),
    )
    op.create_table(
        'source_token',
        sa.Column('source_id', sa.Integer(), nullable=False),
        sa.Column('sealed', sa.String(), nullable=False),
        sa.Column('renewing_until', sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ['source_id'], ['source.id'], name=op.f('fk_source_token_source_id_source'), ondelete='CASCADE'
        ),
        sa.PrimaryKeyConstraint('source_id', name=op.f('pk_source_token')),
    )
    op.create_table(
        'stuck_email',
        sa.Column('id', sa.Integer(), nullable=False),
        sa.Column('source_id', sa.Integer(), nullable=False),
        sa.Column('uidvalidity', sa.BigInteger(), nullable=False),
        sa.Column('uid', sa.BigInteger(), nullable=False),
        sa.Column('reason', sa.String(), nullable=False),
        sa.Column('attempts', sa.Integer(), nullable=False),
        sa.Column('first_failed_at', sa.DateTime(timezone=True), nullable=False),
        sa.Column('last_failed_at', sa.DateTime(timezone=True), nullable=False),
        sa.Column('left_at', sa.DateTime(timezone=True), nullable=True),
        sa.Column('left_by', sa.String(), nullable=True),
        sa.ForeignKeyConstraint(
            ['source_id'], ['source.id'], name=op.f('fk_stuck_email_source_id_source'), ondelete='CASCADE'
        ),
        sa.PrimaryKeyConstraint('id', name=op.f('pk_stuck_email')),
        sa.UniqueConstraint('source_id', 'uidvalidity', 'uid', name=op.f('uq_stuck_email_source_id_uidvalidity_uid')),
    )


def downgrade() -> None:
    op.drop_table('stuck_email')
    op.drop_table('source_token')
    op.drop_index('ix_inbound_email_waiting', table_name='inbound_email')
    op.drop_column('inbound_email', 'copied_at')
    op.drop_column('source', 'ledger_of')
    op.drop_column('source', 'missing')
