"""Acts: what one press of a button did can be undone as one; more can happen to a ticket, a reader, an agent."""

import sqlalchemy as sa
from alembic import op

revision = '20261202'
down_revision = '20261129'
branch_labels = None
depends_on = None

BEFORE = [
    'opened', 'followed_up', 'replied', 'noted', 'assigned', 'closed', 'reopened', 'marked_spam', 'unmarked_spam',
    'topic_changed', 'priority_changed', 'moved', 'tagged', 'untagged', 'auto_replied', 'bounced', 'send_failed',
    'send_retried', 'send_handled', 'reply_undone', 'participant_added', 'participant_removed', 'thanked', 'complained',
    'reader_named',
]
ADDED = [
    'renamed', 'article_changed', 'snoozed', 'woken', 'merged', 'merged_away', 'unmerged', 'split_off', 'split_from',
    'linked', 'unlinked', 'mentioned', 'macro_run', 'send_planned', 'send_unplanned', 'act_undone', 'reader_blocked',
    'reader_unblocked', 'readers_merged', 'address_added', 'address_removed', 'agent_invited', 'agent_changed',
    'setup_changed',
]


def upgrade() -> None:
    op.add_column('event', sa.Column('act', sa.String(), nullable=True))
    op.add_column('event', sa.Column('undone_at', sa.DateTime(timezone=True), nullable=True))
    allow_events([*BEFORE, *ADDED])
    has_act = sa.text('act IS NOT NULL')
    op.create_index(
        'ix_event_act', 'event', ['by_agent_id', 'at'], sqlite_where=has_act, postgresql_where=has_act
    )


def downgrade() -> None:
    op.drop_index('ix_event_act', table_name='event')
    words = ', '.join(f"'{kind}'" for kind in ADDED)
    op.execute(f'DELETE FROM event WHERE kind IN ({words})')
    allow_events(BEFORE)
    op.drop_column('event', 'undone_at')
    op.drop_column('event', 'act')


def allow_events(kinds: list[str]) -> None:
    words = ', '.join(f"'{kind}'" for kind in kinds)
    with op.batch_alter_table('event') as batch_op:
        batch_op.drop_constraint(op.f('ck_event_kind'), type_='check')
        batch_op.create_check_constraint(op.f('ck_event_kind'), f'kind IN ({words})')
