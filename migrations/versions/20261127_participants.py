"""Participants of a ticket, complaints about mail of ours, and the choice to file a word of thanks without reopening."""

import sqlalchemy as sa
from alembic import op

revision = '20261127'
down_revision = '20261201'
branch_labels = None
depends_on = None

KINDS = [
    'opened', 'followed_up', 'replied', 'noted', 'assigned', 'closed', 'reopened', 'marked_spam', 'unmarked_spam',
    'topic_changed', 'priority_changed', 'moved', 'tagged', 'untagged', 'auto_replied', 'bounced', 'send_failed',
    'send_retried', 'send_handled', 'reply_undone',
]
NEW = ['participant_added', 'participant_removed', 'thanked', 'complained']


def upgrade() -> None:
    op.create_table(
        'participant',
        sa.Column('id', sa.Integer(), nullable=False),
        sa.Column('ticket_id', sa.Integer(), nullable=False),
        sa.Column('address', sa.String(), nullable=False),
        sa.Column('added_at', sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ['ticket_id'], ['ticket.id'], name=op.f('fk_participant_ticket_id_ticket'), ondelete='CASCADE'
        ),
        sa.PrimaryKeyConstraint('id', name=op.f('pk_participant')),
        sa.UniqueConstraint('ticket_id', 'address', name=op.f('uq_participant_ticket_id_address')),
    )
    op.add_column('outbound_recipient', sa.Column('is_copy', sa.Boolean(), nullable=False, server_default=sa.false()))
    op.add_column('outbound_recipient', sa.Column('complained_at', sa.DateTime(timezone=True), nullable=True))
    op.add_column('reader', sa.Column('complained_at', sa.DateTime(timezone=True), nullable=True))
    op.add_column('site', sa.Column('files_thanks', sa.Boolean(), nullable=False, server_default=sa.false()))
    allow_events([*KINDS, *NEW])


def downgrade() -> None:
    new = ', '.join(f"'{kind}'" for kind in NEW)
    op.execute(f'DELETE FROM event WHERE kind IN ({new})')
    allow_events(KINDS)
    op.drop_column('site', 'files_thanks')
    op.drop_column('reader', 'complained_at')
    op.drop_column('outbound_recipient', 'complained_at')
    op.drop_column('outbound_recipient', 'is_copy')
    op.drop_table('participant')


def allow_events(kinds: list[str]) -> None:
    words = ', '.join(f"'{kind}'" for kind in kinds)
    with op.batch_alter_table('event') as batch_op:
        batch_op.drop_constraint(op.f('ck_event_kind'), type_='check')
        batch_op.create_check_constraint(op.f('ck_event_kind'), f'kind IN ({words})')
