"""Links between tickets; acts are found by name."""

import sqlalchemy as sa
from alembic import op

revision = '20261204'
down_revision = '20261207'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        'ticket_link',
        sa.Column('id', sa.Integer(), nullable=False),
        sa.Column('ticket_id', sa.Integer(), nullable=False),
        sa.Column('other_id', sa.Integer(), nullable=False),
        sa.Column('relation', sa.String(length=32), nullable=False),
        sa.Column('made_at', sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("relation IN ('duplicate', 'related', 'split')", name=op.f('ck_ticket_link_relation')),
        sa.CheckConstraint('ticket_id <> other_id', name=op.f('ck_ticket_link_not_to_itself')),
        sa.ForeignKeyConstraint(
            ['ticket_id'], ['ticket.id'], name=op.f('fk_ticket_link_ticket_id_ticket'), ondelete='CASCADE'
        ),
        sa.ForeignKeyConstraint(
            ['other_id'], ['ticket.id'], name=op.f('fk_ticket_link_other_id_ticket'), ondelete='CASCADE'
        ),
        sa.PrimaryKeyConstraint('id', name=op.f('pk_ticket_link')),
        sa.UniqueConstraint('ticket_id', 'other_id', name=op.f('uq_ticket_link_ticket_id_other_id')),
    )
    op.create_index(op.f('ix_ticket_link_other_id'), 'ticket_link', ['other_id'])
    has_act = sa.text('act IS NOT NULL')
    op.create_index('ix_event_act_name', 'event', ['act'], sqlite_where=has_act, postgresql_where=has_act)


def downgrade() -> None:
    op.drop_index('ix_event_act_name', table_name='event')
    op.drop_index(op.f('ix_ticket_link_other_id'), table_name='ticket_link')
    op.drop_table('ticket_link')
