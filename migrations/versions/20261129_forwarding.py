"""Forwarding: whose concern a ticket without a reader is can be said later."""

from alembic import op

revision = '20261129'
down_revision = '20261127'
branch_labels = None
depends_on = None

KINDS = [
    'opened', 'followed_up', 'replied', 'noted', 'assigned', 'closed', 'reopened', 'marked_spam', 'unmarked_spam',
    'topic_changed', 'priority_changed', 'moved', 'tagged', 'untagged', 'auto_replied', 'bounced', 'send_failed',
    'send_retried', 'send_handled', 'reply_undone', 'participant_added', 'participant_removed', 'thanked', 'complained',
]


def upgrade() -> None:
    allow_events([*KINDS, 'reader_named'])


def downgrade() -> None:
    op.execute("DELETE FROM event WHERE kind = 'reader_named'")
    allow_events(KINDS)


def allow_events(kinds: list[str]) -> None:
    words = ', '.join(f"'{kind}'" for kind in kinds)
    with op.batch_alter_table('event') as batch_op:
        batch_op.drop_constraint(op.f('ck_event_kind'), type_='check')
        batch_op.create_check_constraint(op.f('ck_event_kind'), f'kind IN ({words})')
