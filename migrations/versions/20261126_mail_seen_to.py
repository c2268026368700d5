"""Mail seen to: who ignored a mail that became no ticket, who handled one that did not arrive, who paused sending."""

import sqlalchemy as sa
from alembic import op

revision = '20261126'
down_revision = '20261125'
branch_labels = None
depends_on = None

KINDS = [
    'opened', 'followed_up', 'replied', 'noted', 'assigned', 'closed', 'reopened', 'marked_spam', 'unmarked_spam',
    'topic_changed', 'priority_changed', 'moved', 'tagged', 'untagged', 'auto_replied', 'bounced', 'send_failed',
    'send_retried', 'reply_undone',
]


def upgrade() -> None:
    op.add_column('inbound_email', sa.Column('ignored_at', sa.DateTime(timezone=True), nullable=True))
    op.add_column('inbound_email', sa.Column('ignored_by', sa.String(), nullable=True))
    op.add_column('outbound_recipient', sa.Column('handled_at', sa.DateTime(timezone=True), nullable=True))
    op.add_column('outbound_recipient', sa.Column('handled_by', sa.String(), nullable=True))
    allow_events([*KINDS, 'send_handled'])
    op.create_table(
        'sending_pause',
        sa.Column('id', sa.Integer(), nullable=False),
        sa.Column('paused_at', sa.DateTime(timezone=True), nullable=False),
        sa.Column('paused_by', sa.String(), nullable=False),
        sa.Column('resumed_at', sa.DateTime(timezone=True), nullable=True),
        sa.Column('resumed_by', sa.String(), nullable=True),
        sa.PrimaryKeyConstraint('id', name=op.f('pk_sending_pause')),
    )
    op.create_index(op.f('ix_sending_pause_resumed_at'), 'sending_pause', ['resumed_at'])


def downgrade() -> None:
    op.drop_table('sending_pause')
    op.execute("DELETE FROM event WHERE kind = 'send_handled'")
    allow_events(KINDS)
    op.drop_column('outbound_recipient', 'handled_by')
    op.drop_column('outbound_recipient', 'handled_at')
    op.drop_column('inbound_email', 'ignored_by')
    op.drop_column('inbound_email', 'ignored_at')


def allow_events(kinds: list[str]) -> None:
    words = ', '.join(f"'{kind}'" for kind in kinds)
    with op.batch_alter_table('event') as batch_op:
        batch_op.drop_constraint(op.f('ck_event_kind'), type_='check')
        batch_op.create_check_constraint(op.f('ck_event_kind'), f'kind IN ({words})')
