"""First tables: sites, people, articles, tickets, mail in and out, and the full-text index."""

import sqlalchemy as sa
from alembic import op

revision = '20261123'
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table('agent',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('email', sa.String(), nullable=False),
    sa.Column('name', sa.String(), nullable=False),
    sa.Column('role', sa.Enum('agent', 'editor', 'admin', name='role', native_enum=False, create_constraint=True, length=32), nullable=False),
    sa.Column('active', sa.Boolean(), nullable=False),
    sa.Column('password', sa.String(), nullable=True),
    sa.Column('fs_uniquifier', sa.String(), nullable=False),
    sa.Column('timezone', sa.String(), nullable=False),
    sa.Column('keyboard', sa.Boolean(), nullable=False),
    sa.Column('after_send', sa.Enum('stay', 'next', 'list', name='after_send', native_enum=False, create_constraint=True, length=32), nullable=False),
    sa.Column('undo_seconds', sa.Integer(), nullable=False),
    sa.Column('created_at', sa.DateTime(timezone=True), nullable=False),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_agent')),
    sa.UniqueConstraint('email', name=op.f('uq_agent_email')),
    sa.UniqueConstraint('fs_uniquifier', name=op.f('uq_agent_fs_uniquifier'))
    )
    op.create_table('outbound_email',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('message_id', sa.String(), nullable=False),
    sa.Column('sender', sa.String(), nullable=False),
    sa.Column('reply_to', sa.String(), nullable=True),
    sa.Column('envelope_from', sa.String(), nullable=False),
    sa.Column('subject', sa.String(), nullable=False),
    sa.Column('template', sa.String(), nullable=False),
    sa.Column('context', sa.JSON(), nullable=False),
    sa.Column('headers', sa.JSON(), nullable=False),
    sa.Column('files', sa.JSON(), nullable=False),
    sa.Column('thread_token', sa.String(), nullable=True),
    sa.Column('release', sa.Enum('held', 'released', 'cancelled', name='release', native_enum=False, create_constraint=True, length=32), nullable=False),
    sa.Column('not_before', sa.DateTime(timezone=True), nullable=True),
    sa.Column('created_at', sa.DateTime(timezone=True), nullable=False),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_outbound_email')),
    sa.UniqueConstraint('message_id', name=op.f('uq_outbound_email_message_id'))
    )
    with op.batch_alter_table('outbound_email', schema=None) as batch_op:
        batch_op.create_index('ix_outbound_email_held', ['not_before'], unique=False, sqlite_where=sa.text("release = 'held'"), postgresql_where=sa.text("release = 'held'"))
        batch_op.create_index(batch_op.f('ix_outbound_email_thread_token'), ['thread_token'], unique=False)

    op.create_table('periodic_tick',
    sa.Column('task', sa.String(), nullable=False),
    sa.Column('minute', sa.DateTime(timezone=True), nullable=False),
    sa.PrimaryKeyConstraint('task', 'minute', name=op.f('pk_periodic_tick'))
    )
    op.create_table('password_request',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('address', sa.String(), nullable=False),
    sa.Column('asked_at', sa.DateTime(timezone=True), nullable=False),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_password_request'))
    )
    op.create_table('rate_count',
    sa.Column('key', sa.String(), nullable=False),
    sa.Column('window_start', sa.DateTime(timezone=True), nullable=False),
    sa.Column('count', sa.Integer(), nullable=False),
    sa.Column('expires_at', sa.DateTime(timezone=True), nullable=False),
    sa.PrimaryKeyConstraint('key', 'window_start', name=op.f('pk_rate_count'))
    )
    with op.batch_alter_table('rate_count', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_rate_count_expires_at'), ['expires_at'], unique=False)

    op.create_table('reader',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('name', sa.String(), nullable=False),
    sa.Column('address', sa.String(), nullable=False),
    sa.Column('language', sa.String(), nullable=True),
    sa.Column('blocked_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('note', sa.String(), nullable=False),
    sa.Column('created_at', sa.DateTime(timezone=True), nullable=False),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_reader'))
    )
    op.create_table('seen_signature',
    sa.Column('signature', sa.String(), nullable=False),
    sa.Column('expires_at', sa.DateTime(timezone=True), nullable=False),
    sa.PrimaryKeyConstraint('signature', name=op.f('pk_seen_signature'))
    )
    with op.batch_alter_table('seen_signature', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_seen_signature_expires_at'), ['expires_at'], unique=False)

    op.create_table('site',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('name', sa.String(), nullable=False),
    sa.Column('slug', sa.String(), nullable=False),
    sa.Column('home_url', sa.String(), nullable=False),
    sa.Column('url_prefixes', sa.JSON(), nullable=False),
    sa.Column('language', sa.String(), nullable=False),
    sa.Column('timezone', sa.String(), nullable=False),
    sa.Column('contact_text', sa.String(), nullable=False),
    sa.Column('accent', sa.String(), nullable=False),
    sa.Column('sitemap_url', sa.String(), nullable=True),
    sa.Column('public_base_url', sa.String(), nullable=True),
    sa.Column('is_default', sa.Boolean(), nullable=True),
    sa.Column('reopen_days', sa.Integer(), nullable=False),
    sa.Column('answer_within', sa.String(), nullable=False),
    sa.Column('created_at', sa.DateTime(timezone=True), nullable=False),
    sa.CheckConstraint('is_default', name=op.f('ck_site_default_or_null')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_site')),
    sa.UniqueConstraint('is_default', name=op.f('uq_site_is_default')),
    sa.UniqueConstraint('slug', name=op.f('uq_site_slug'))
    )
    op.create_table('tag',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('name', sa.String(), nullable=False),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_tag')),
    sa.UniqueConstraint('name', name=op.f('uq_tag_name'))
    )
    op.create_table('article',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('site_id', sa.Integer(), nullable=False),
    sa.Column('canonical_url', sa.String(), nullable=False),
    sa.Column('title', sa.String(), nullable=False),
    sa.Column('authors', sa.JSON(), nullable=False),
    sa.Column('section', sa.String(), nullable=False),
    sa.Column('published_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('language', sa.String(), nullable=True),
    sa.Column('picture', sa.String(), nullable=True),
    sa.Column('state', sa.Enum('unknown', 'live', 'gone', name='state', native_enum=False, create_constraint=True, length=32), nullable=False),
    sa.Column('checked_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('owner_id', sa.Integer(), nullable=True),
    sa.Column('created_at', sa.DateTime(timezone=True), nullable=False),
    sa.ForeignKeyConstraint(['owner_id'], ['agent.id'], name=op.f('fk_article_owner_id_agent'), ondelete='SET NULL'),
    sa.ForeignKeyConstraint(['site_id'], ['site.id'], name=op.f('fk_article_site_id_site'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_article')),
    sa.UniqueConstraint('site_id', 'canonical_url', name=op.f('uq_article_site_id_canonical_url'))
    )
    with op.batch_alter_table('article', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_article_owner_id'), ['owner_id'], unique=False)

    op.create_table('outbound_recipient',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('email_id', sa.Integer(), nullable=False),
    sa.Column('address', sa.String(), nullable=False),
    sa.Column('state', sa.Enum('queued', 'sending', 'sent', 'failed', 'bounced', 'unknown', name='state', native_enum=False, create_constraint=True, length=32), nullable=False),
    sa.Column('attempts', sa.Integer(), nullable=False),
    sa.Column('abandoned', sa.Integer(), nullable=False),
    sa.Column('next_attempt_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('lease_until', sa.DateTime(timezone=True), nullable=True),
    sa.Column('worker', sa.String(), nullable=True),
    sa.Column('error', sa.String(), nullable=True),
    sa.Column('answer_lost_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('queued_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('settled_at', sa.DateTime(timezone=True), nullable=True),
    sa.ForeignKeyConstraint(['email_id'], ['outbound_email.id'], name=op.f('fk_outbound_recipient_email_id_outbound_email'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_outbound_recipient')),
    sa.UniqueConstraint('email_id', 'address', name=op.f('uq_outbound_recipient_email_id_address'))
    )
    with op.batch_alter_table('outbound_recipient', schema=None) as batch_op:
        batch_op.create_index('ix_outbound_recipient_due', ['state', 'next_attempt_at'], unique=False)
        batch_op.create_index(batch_op.f('ix_outbound_recipient_settled_at'), ['settled_at'], unique=False)

    op.create_table('queue',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('site_id', sa.Integer(), nullable=False),
    sa.Column('name', sa.String(), nullable=False),
    sa.Column('intake_address', sa.String(), nullable=False),
    sa.Column('sender_name', sa.String(), nullable=False),
    sa.Column('signature', sa.String(), nullable=False),
    sa.Column('restricted', sa.Boolean(), nullable=False),
    sa.ForeignKeyConstraint(['site_id'], ['site.id'], name=op.f('fk_queue_site_id_site'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_queue')),
    sa.UniqueConstraint('intake_address', name=op.f('uq_queue_intake_address')),
    sa.UniqueConstraint('site_id', 'name', name=op.f('uq_queue_site_id_name'))
    )
    op.create_table('reader_address',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('reader_id', sa.Integer(), nullable=False),
    sa.Column('address', sa.String(), nullable=False),
    sa.ForeignKeyConstraint(['reader_id'], ['reader.id'], name=op.f('fk_reader_address_reader_id_reader'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_reader_address')),
    sa.UniqueConstraint('address', name=op.f('uq_reader_address_address'))
    )
    with op.batch_alter_table('reader_address', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_reader_address_reader_id'), ['reader_id'], unique=False)

    op.create_table('sign_in',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('agent_id', sa.Integer(), nullable=False),
    sa.Column('device', sa.String(), nullable=False),
    sa.Column('started_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('last_seen_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('ended_at', sa.DateTime(timezone=True), nullable=True),
    sa.ForeignKeyConstraint(['agent_id'], ['agent.id'], name=op.f('fk_sign_in_agent_id_agent'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_sign_in'))
    )
    with op.batch_alter_table('sign_in', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_sign_in_agent_id'), ['agent_id'], unique=False)

    op.create_table('canned_reply',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('site_id', sa.Integer(), nullable=False),
    sa.Column('name', sa.String(), nullable=False),
    sa.Column('body', sa.String(), nullable=False),
    sa.Column('updated_at', sa.DateTime(timezone=True), nullable=False),
    sa.ForeignKeyConstraint(['site_id'], ['site.id'], name=op.f('fk_canned_reply_site_id_site'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_canned_reply')),
    sa.UniqueConstraint('site_id', 'name', name=op.f('uq_canned_reply_site_id_name'))
    )
    op.create_table('article_alias',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('site_id', sa.Integer(), nullable=False),
    sa.Column('article_id', sa.Integer(), nullable=False),
    sa.Column('url', sa.String(), nullable=False),
    sa.ForeignKeyConstraint(['article_id'], ['article.id'], name=op.f('fk_article_alias_article_id_article'), ondelete='CASCADE'),
    sa.ForeignKeyConstraint(['site_id'], ['site.id'], name=op.f('fk_article_alias_site_id_site'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_article_alias')),
    sa.UniqueConstraint('site_id', 'url', name=op.f('uq_article_alias_site_id_url'))
    )
    with op.batch_alter_table('article_alias', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_article_alias_article_id'), ['article_id'], unique=False)

    op.create_table('queue_member',
    sa.Column('queue_id', sa.Integer(), nullable=False),
    sa.Column('agent_id', sa.Integer(), nullable=False),
    sa.ForeignKeyConstraint(['agent_id'], ['agent.id'], name=op.f('fk_queue_member_agent_id_agent'), ondelete='CASCADE'),
    sa.ForeignKeyConstraint(['queue_id'], ['queue.id'], name=op.f('fk_queue_member_queue_id_queue'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('queue_id', 'agent_id', name=op.f('pk_queue_member'))
    )
    with op.batch_alter_table('queue_member', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_queue_member_agent_id'), ['agent_id'], unique=False)

    op.create_table('source',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('name', sa.String(), nullable=False),
    sa.Column('queue_id', sa.Integer(), nullable=False),
    sa.Column('settings', sa.JSON(), nullable=False),
    sa.Column('active', sa.Boolean(), nullable=False),
    sa.Column('worker', sa.String(), nullable=True),
    sa.Column('lease_until', sa.DateTime(timezone=True), nullable=True),
    sa.Column('last_success_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('last_error', sa.String(), nullable=True),
    sa.ForeignKeyConstraint(['queue_id'], ['queue.id'], name=op.f('fk_source_queue_id_queue'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_source')),
    sa.UniqueConstraint('name', name=op.f('uq_source_name'))
    )
    with op.batch_alter_table('source', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_source_queue_id'), ['queue_id'], unique=False)

    op.create_table('topic',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('site_id', sa.Integer(), nullable=False),
    sa.Column('queue_id', sa.Integer(), nullable=False),
    sa.Column('slug', sa.String(), nullable=False),
    sa.Column('label', sa.String(), nullable=False),
    sa.Column('form_kind', sa.Enum('mistake', 'question', 'page', 'legal', 'tip', 'other', name='form_kind', native_enum=False, create_constraint=True, length=32), nullable=False),
    sa.Column('priority', sa.Enum('low', 'normal', 'high', 'urgent', name='priority', native_enum=False, create_constraint=True, length=32), nullable=False),
    sa.Column('position', sa.Integer(), nullable=False),
    sa.Column('active', sa.Boolean(), nullable=False),
    sa.CheckConstraint('position >= 0', name=op.f('ck_topic_position')),
    sa.ForeignKeyConstraint(['queue_id'], ['queue.id'], name=op.f('fk_topic_queue_id_queue')),
    sa.ForeignKeyConstraint(['site_id'], ['site.id'], name=op.f('fk_topic_site_id_site'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_topic')),
    sa.UniqueConstraint('site_id', 'slug', name=op.f('uq_topic_site_id_slug'))
    )
    with op.batch_alter_table('topic', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_topic_queue_id'), ['queue_id'], unique=False)

    op.create_table('ticket',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('number', sa.Integer(), nullable=False),
    sa.Column('link_version', sa.Integer(), nullable=False),
    sa.Column('site_id', sa.Integer(), nullable=False),
    sa.Column('queue_id', sa.Integer(), nullable=False),
    sa.Column('topic_id', sa.Integer(), nullable=True),
    sa.Column('article_id', sa.Integer(), nullable=True),
    sa.Column('reader_id', sa.Integer(), nullable=True),
    sa.Column('assignee_id', sa.Integer(), nullable=True),
    sa.Column('merged_into_id', sa.Integer(), nullable=True),
    sa.Column('continues_id', sa.Integer(), nullable=True),
    sa.Column('subject', sa.String(), nullable=False),
    sa.Column('status', sa.Enum('new', 'open', 'pending', 'closed', name='status', native_enum=False, create_constraint=True, length=32), nullable=False),
    sa.Column('resolution', sa.Enum('answered', 'corrected', 'no_action', 'duplicate', 'spam', name='resolution', native_enum=False, create_constraint=True, length=32), nullable=True),
    sa.Column('priority', sa.Enum('low', 'normal', 'high', 'urgent', name='priority', native_enum=False, create_constraint=True, length=32), nullable=False),
    sa.Column('origin', sa.Enum('form', 'email', 'staff', 'api', name='origin', native_enum=False, create_constraint=True, length=32), nullable=False),
    sa.Column('language', sa.String(), nullable=False),
    sa.Column('wants_answer', sa.Boolean(), nullable=False),
    sa.Column('opened_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('waiting_since', sa.DateTime(timezone=True), nullable=True),
    sa.Column('sort_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('snoozed_until', sa.DateTime(timezone=True), nullable=True),
    sa.Column('first_replied_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('closed_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('preview', sa.String(), nullable=False),
    sa.Column('message_count', sa.Integer(), nullable=False),
    sa.Column('last_message_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('last_message_kind', sa.Enum('reader', 'reply', 'note', 'auto', name='last_message_kind', native_enum=False, create_constraint=True, length=32), nullable=False),
    sa.CheckConstraint("(status = 'closed') = (closed_at IS NOT NULL)", name=op.f('ck_ticket_closed_at_when_closed')),
    sa.CheckConstraint("(status = 'closed') = (resolution IS NOT NULL)", name=op.f('ck_ticket_resolution_when_closed')),
    sa.CheckConstraint('link_version >= 1', name=op.f('ck_ticket_link_version')),
    sa.CheckConstraint('merged_into_id IS NULL OR merged_into_id <> id', name=op.f('ck_ticket_not_merged_into_itself')),
    sa.ForeignKeyConstraint(['article_id'], ['article.id'], name=op.f('fk_ticket_article_id_article'), ondelete='SET NULL'),
    sa.ForeignKeyConstraint(['assignee_id'], ['agent.id'], name=op.f('fk_ticket_assignee_id_agent'), ondelete='SET NULL'),
    sa.ForeignKeyConstraint(['continues_id'], ['ticket.id'], name=op.f('fk_ticket_continues_id_ticket'), ondelete='SET NULL'),
    sa.ForeignKeyConstraint(['merged_into_id'], ['ticket.id'], name=op.f('fk_ticket_merged_into_id_ticket'), ondelete='SET NULL'),
    sa.ForeignKeyConstraint(['queue_id'], ['queue.id'], name=op.f('fk_ticket_queue_id_queue')),
    sa.ForeignKeyConstraint(['reader_id'], ['reader.id'], name=op.f('fk_ticket_reader_id_reader'), ondelete='SET NULL'),
    sa.ForeignKeyConstraint(['site_id'], ['site.id'], name=op.f('fk_ticket_site_id_site')),
    sa.ForeignKeyConstraint(['topic_id'], ['topic.id'], name=op.f('fk_ticket_topic_id_topic'), ondelete='SET NULL'),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_ticket')),
    sa.UniqueConstraint('number', name=op.f('uq_ticket_number'))
    )
    with op.batch_alter_table('ticket', schema=None) as batch_op:
        batch_op.create_index('ix_ticket_article_id_sort_at_id', ['article_id', 'sort_at', 'id'], unique=False)
        batch_op.create_index('ix_ticket_assignee_id_status_sort_at_id', ['assignee_id', 'status', 'sort_at', 'id'], unique=False)
        batch_op.create_index(batch_op.f('ix_ticket_continues_id'), ['continues_id'], unique=False)
        batch_op.create_index(batch_op.f('ix_ticket_merged_into_id'), ['merged_into_id'], unique=False)
        batch_op.create_index('ix_ticket_queue_id_status_sort_at_id', ['queue_id', 'status', 'sort_at', 'id'], unique=False)
        batch_op.create_index('ix_ticket_reader_id_sort_at_id', ['reader_id', 'sort_at', 'id'], unique=False)
        batch_op.create_index(batch_op.f('ix_ticket_site_id'), ['site_id'], unique=False)
        batch_op.create_index(batch_op.f('ix_ticket_topic_id'), ['topic_id'], unique=False)

    op.create_table('draft',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('ticket_id', sa.Integer(), nullable=False),
    sa.Column('agent_id', sa.Integer(), nullable=False),
    sa.Column('kind', sa.Enum('reply', 'note', name='kind', native_enum=False, create_constraint=True, length=32), nullable=False),
    sa.Column('body', sa.String(), nullable=False),
    sa.Column('updated_at', sa.DateTime(timezone=True), nullable=False),
    sa.ForeignKeyConstraint(['agent_id'], ['agent.id'], name=op.f('fk_draft_agent_id_agent'), ondelete='CASCADE'),
    sa.ForeignKeyConstraint(['ticket_id'], ['ticket.id'], name=op.f('fk_draft_ticket_id_ticket'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_draft')),
    sa.UniqueConstraint('ticket_id', 'agent_id', 'kind', name=op.f('uq_draft_ticket_id_agent_id_kind'))
    )
    with op.batch_alter_table('draft', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_draft_agent_id'), ['agent_id'], unique=False)

    op.create_table('event',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('ticket_id', sa.Integer(), nullable=True),
    sa.Column('article_id', sa.Integer(), nullable=True),
    sa.Column('reader_id', sa.Integer(), nullable=True),
    sa.Column('agent_id', sa.Integer(), nullable=True),
    sa.Column('site_id', sa.Integer(), nullable=True),
    sa.Column('kind', sa.Enum('opened', 'followed_up', 'replied', 'noted', 'assigned', 'closed', 'reopened', 'marked_spam', 'unmarked_spam', 'topic_changed', 'priority_changed', 'moved', 'tagged', 'untagged', 'auto_replied', 'bounced', 'send_failed', 'send_retried', 'reply_undone', name='kind', native_enum=False, create_constraint=True, length=32), nullable=False),
    sa.Column('by_agent_id', sa.Integer(), nullable=True),
    sa.Column('by_reader_id', sa.Integer(), nullable=True),
    sa.Column('at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('data', sa.JSON(), nullable=False),
    sa.Column('handled_at', sa.DateTime(timezone=True), nullable=True),
    sa.CheckConstraint('CASE WHEN ticket_id IS NULL THEN 0 ELSE 1 END + CASE WHEN article_id IS NULL THEN 0 ELSE 1 END + CASE WHEN reader_id IS NULL THEN 0 ELSE 1 END + CASE WHEN agent_id IS NULL THEN 0 ELSE 1 END + CASE WHEN site_id IS NULL THEN 0 ELSE 1 END = 1', name=op.f('ck_event_one_subject')),
    sa.CheckConstraint('by_agent_id IS NULL OR by_reader_id IS NULL', name=op.f('ck_event_one_actor')),
    sa.ForeignKeyConstraint(['agent_id'], ['agent.id'], name=op.f('fk_event_agent_id_agent'), ondelete='CASCADE'),
    sa.ForeignKeyConstraint(['article_id'], ['article.id'], name=op.f('fk_event_article_id_article'), ondelete='CASCADE'),
    sa.ForeignKeyConstraint(['by_agent_id'], ['agent.id'], name=op.f('fk_event_by_agent_id_agent'), ondelete='SET NULL'),
    sa.ForeignKeyConstraint(['by_reader_id'], ['reader.id'], name=op.f('fk_event_by_reader_id_reader'), ondelete='SET NULL'),
    sa.ForeignKeyConstraint(['reader_id'], ['reader.id'], name=op.f('fk_event_reader_id_reader'), ondelete='CASCADE'),
    sa.ForeignKeyConstraint(['site_id'], ['site.id'], name=op.f('fk_event_site_id_site'), ondelete='CASCADE'),
    sa.ForeignKeyConstraint(['ticket_id'], ['ticket.id'], name=op.f('fk_event_ticket_id_ticket'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_event'))
    )
    with op.batch_alter_table('event', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_event_agent_id'), ['agent_id'], unique=False)
        batch_op.create_index(batch_op.f('ix_event_article_id'), ['article_id'], unique=False)
        batch_op.create_index(batch_op.f('ix_event_reader_id'), ['reader_id'], unique=False)
        batch_op.create_index(batch_op.f('ix_event_site_id'), ['site_id'], unique=False)
        batch_op.create_index(batch_op.f('ix_event_ticket_id'), ['ticket_id'], unique=False)
        batch_op.create_index('ix_event_unhandled', ['id'], unique=False, sqlite_where=sa.text('handled_at IS NULL'), postgresql_where=sa.text('handled_at IS NULL'))

    op.create_table('message',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('ticket_id', sa.Integer(), nullable=False),
    sa.Column('home_ticket_id', sa.Integer(), nullable=False),
    sa.Column('kind', sa.Enum('reader', 'reply', 'note', 'auto', name='kind', native_enum=False, create_constraint=True, length=32), nullable=False),
    sa.Column('agent_id', sa.Integer(), nullable=True),
    sa.Column('reader_id', sa.Integer(), nullable=True),
    sa.Column('outbound_email_id', sa.Integer(), nullable=True),
    sa.Column('from_name', sa.String(), nullable=False),
    sa.Column('from_address', sa.String(), nullable=False),
    sa.Column('recipients', sa.JSON(), nullable=False),
    sa.Column('body_text', sa.String(), nullable=False),
    sa.Column('body_html', sa.String(), nullable=True),
    sa.Column('signature', sa.String(), nullable=True),
    sa.Column('quoted_text', sa.String(), nullable=True),
    sa.Column('submission_key', sa.String(), nullable=True),
    sa.Column('content_hash', sa.String(), nullable=True),
    sa.Column('message_id', sa.String(), nullable=True),
    sa.Column('verified', sa.Boolean(), nullable=False),
    sa.Column('created_at', sa.DateTime(timezone=True), nullable=False),
    sa.CheckConstraint("kind NOT IN ('reply', 'note') OR reader_id IS NULL", name=op.f('ck_message_readers_write_no_replies')),
    sa.CheckConstraint('agent_id IS NULL OR reader_id IS NULL', name=op.f('ck_message_one_author')),
    sa.ForeignKeyConstraint(['agent_id'], ['agent.id'], name=op.f('fk_message_agent_id_agent'), ondelete='SET NULL'),
    sa.ForeignKeyConstraint(['home_ticket_id'], ['ticket.id'], name=op.f('fk_message_home_ticket_id_ticket'), ondelete='CASCADE'),
    sa.ForeignKeyConstraint(['outbound_email_id'], ['outbound_email.id'], name=op.f('fk_message_outbound_email_id_outbound_email'), ondelete='SET NULL'),
    sa.ForeignKeyConstraint(['reader_id'], ['reader.id'], name=op.f('fk_message_reader_id_reader'), ondelete='SET NULL'),
    sa.ForeignKeyConstraint(['ticket_id'], ['ticket.id'], name=op.f('fk_message_ticket_id_ticket'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_message'))
    )
    with op.batch_alter_table('message', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_message_agent_id'), ['agent_id'], unique=False)
        batch_op.create_index(batch_op.f('ix_message_home_ticket_id'), ['home_ticket_id'], unique=False)
        batch_op.create_index(batch_op.f('ix_message_message_id'), ['message_id'], unique=False)
        batch_op.create_index(batch_op.f('ix_message_outbound_email_id'), ['outbound_email_id'], unique=False)
        batch_op.create_index(batch_op.f('ix_message_reader_id'), ['reader_id'], unique=False)
        batch_op.create_index('ix_message_ticket_id_id', ['ticket_id', 'id'], unique=False)
        batch_op.create_index('uq_message_issued', ['message_id'], unique=True, sqlite_where=sa.text("kind = 'reply'"), postgresql_where=sa.text("kind = 'reply'"))
        batch_op.create_index('uq_message_submission', ['submission_key', 'content_hash'], unique=True, sqlite_where=sa.text('submission_key IS NOT NULL'), postgresql_where=sa.text('submission_key IS NOT NULL'))

    op.create_table('ticket_tag',
    sa.Column('ticket_id', sa.Integer(), nullable=False),
    sa.Column('tag_id', sa.Integer(), nullable=False),
    sa.ForeignKeyConstraint(['tag_id'], ['tag.id'], name=op.f('fk_ticket_tag_tag_id_tag'), ondelete='CASCADE'),
    sa.ForeignKeyConstraint(['ticket_id'], ['ticket.id'], name=op.f('fk_ticket_tag_ticket_id_ticket'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('ticket_id', 'tag_id', name=op.f('pk_ticket_tag'))
    )
    with op.batch_alter_table('ticket_tag', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_ticket_tag_tag_id'), ['tag_id'], unique=False)

    op.create_table('attachment',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('message_id', sa.Integer(), nullable=True),
    sa.Column('draft_id', sa.Integer(), nullable=True),
    sa.Column('upload_token', sa.String(), nullable=True),
    sa.Column('expires_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('name', sa.String(), nullable=False),
    sa.Column('media_type', sa.String(), nullable=False),
    sa.Column('size', sa.Integer(), nullable=False),
    sa.Column('sha256', sa.String(), nullable=False),
    sa.Column('storage_key', sa.String(), nullable=False),
    sa.Column('content_id', sa.String(), nullable=True),
    sa.CheckConstraint('(message_id IS NOT NULL AND draft_id IS NULL AND upload_token IS NULL) OR (message_id IS NULL AND draft_id IS NOT NULL AND upload_token IS NULL) OR (message_id IS NULL AND draft_id IS NULL AND upload_token IS NOT NULL)', name=op.f('ck_attachment_one_owner')),
    sa.CheckConstraint('size >= 0', name=op.f('ck_attachment_size')),
    sa.CheckConstraint('upload_token IS NULL OR expires_at IS NOT NULL', name=op.f('ck_attachment_uploads_expire')),
    sa.ForeignKeyConstraint(['draft_id'], ['draft.id'], name=op.f('fk_attachment_draft_id_draft'), ondelete='CASCADE'),
    sa.ForeignKeyConstraint(['message_id'], ['message.id'], name=op.f('fk_attachment_message_id_message'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_attachment')),
    sa.UniqueConstraint('storage_key', name=op.f('uq_attachment_storage_key'))
    )
    with op.batch_alter_table('attachment', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_attachment_draft_id'), ['draft_id'], unique=False)
        batch_op.create_index(batch_op.f('ix_attachment_expires_at'), ['expires_at'], unique=False)
        batch_op.create_index(batch_op.f('ix_attachment_message_id'), ['message_id'], unique=False)
        batch_op.create_index(batch_op.f('ix_attachment_upload_token'), ['upload_token'], unique=False)

    op.create_table('inbound_email',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('storage_key', sa.String(), nullable=False),
    sa.Column('source_id', sa.Integer(), nullable=True),
    sa.Column('uidvalidity', sa.BigInteger(), nullable=True),
    sa.Column('uid', sa.BigInteger(), nullable=True),
    sa.Column('queue_id', sa.Integer(), nullable=True),
    sa.Column('envelope_from', sa.String(), nullable=True),
    sa.Column('envelope_to', sa.JSON(), nullable=False),
    sa.Column('message_id', sa.String(), nullable=True),
    sa.Column('content_hash', sa.String(), nullable=True),
    sa.Column('from_address', sa.String(), nullable=False),
    sa.Column('subject', sa.String(), nullable=False),
    sa.Column('state', sa.Enum('received', 'accepted', 'ignored', 'rejected', 'failed', name='state', native_enum=False, create_constraint=True, length=32), nullable=False),
    sa.Column('reason', sa.String(), nullable=False),
    sa.Column('attempts', sa.Integer(), nullable=False),
    sa.Column('lease_until', sa.DateTime(timezone=True), nullable=True),
    sa.Column('became_id', sa.Integer(), nullable=True),
    sa.Column('received_at', sa.DateTime(timezone=True), nullable=False),
    sa.ForeignKeyConstraint(['became_id'], ['message.id'], name=op.f('fk_inbound_email_became_id_message'), ondelete='SET NULL'),
    sa.ForeignKeyConstraint(['queue_id'], ['queue.id'], name=op.f('fk_inbound_email_queue_id_queue'), ondelete='SET NULL'),
    sa.ForeignKeyConstraint(['source_id'], ['source.id'], name=op.f('fk_inbound_email_source_id_source'), ondelete='SET NULL'),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_inbound_email')),
    sa.UniqueConstraint('source_id', 'uidvalidity', 'uid', name=op.f('uq_inbound_email_source_id_uidvalidity_uid')),
    sa.UniqueConstraint('storage_key', name=op.f('uq_inbound_email_storage_key'))
    )
    with op.batch_alter_table('inbound_email', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_inbound_email_became_id'), ['became_id'], unique=False)
        batch_op.create_index('ix_inbound_email_queue_id_message_id', ['queue_id', 'message_id'], unique=False)
        batch_op.create_index('ix_inbound_email_state_id', ['state', 'id'], unique=False)

    create_search_table()


def downgrade() -> None:
    op.execute("DROP TABLE search_message")
    if op.get_context().dialect.name == "postgresql":
        op.execute("DROP SEQUENCE ticket_number")
    with op.batch_alter_table('inbound_email', schema=None) as batch_op:
        batch_op.drop_index('ix_inbound_email_state_id')
        batch_op.drop_index('ix_inbound_email_queue_id_message_id')
        batch_op.drop_index(batch_op.f('ix_inbound_email_became_id'))

    op.drop_table('inbound_email')
    with op.batch_alter_table('attachment', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_attachment_upload_token'))
        batch_op.drop_index(batch_op.f('ix_attachment_message_id'))
        batch_op.drop_index(batch_op.f('ix_attachment_expires_at'))
        batch_op.drop_index(batch_op.f('ix_attachment_draft_id'))

    op.drop_table('attachment')
    with op.batch_alter_table('ticket_tag', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_ticket_tag_tag_id'))

    op.drop_table('ticket_tag')
    with op.batch_alter_table('message', schema=None) as batch_op:
        batch_op.drop_index('uq_message_submission', sqlite_where=sa.text('submission_key IS NOT NULL'), postgresql_where=sa.text('submission_key IS NOT NULL'))
        batch_op.drop_index('uq_message_issued', sqlite_where=sa.text("kind = 'reply'"), postgresql_where=sa.text("kind = 'reply'"))
        batch_op.drop_index('ix_message_ticket_id_id')
        batch_op.drop_index(batch_op.f('ix_message_reader_id'))
        batch_op.drop_index(batch_op.f('ix_message_outbound_email_id'))
        batch_op.drop_index(batch_op.f('ix_message_message_id'))
        batch_op.drop_index(batch_op.f('ix_message_home_ticket_id'))
        batch_op.drop_index(batch_op.f('ix_message_agent_id'))

    op.drop_table('message')
    with op.batch_alter_table('event', schema=None) as batch_op:
        batch_op.drop_index('ix_event_unhandled', sqlite_where=sa.text('handled_at IS NULL'), postgresql_where=sa.text('handled_at IS NULL'))
        batch_op.drop_index(batch_op.f('ix_event_ticket_id'))
        batch_op.drop_index(batch_op.f('ix_event_site_id'))
        batch_op.drop_index(batch_op.f('ix_event_reader_id'))
        batch_op.drop_index(batch_op.f('ix_event_article_id'))
        batch_op.drop_index(batch_op.f('ix_event_agent_id'))

    op.drop_table('event')
    with op.batch_alter_table('draft', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_draft_agent_id'))

    op.drop_table('draft')
    with op.batch_alter_table('ticket', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_ticket_topic_id'))
        batch_op.drop_index(batch_op.f('ix_ticket_site_id'))
        batch_op.drop_index('ix_ticket_reader_id_sort_at_id')
        batch_op.drop_index('ix_ticket_queue_id_status_sort_at_id')
        batch_op.drop_index(batch_op.f('ix_ticket_merged_into_id'))
        batch_op.drop_index(batch_op.f('ix_ticket_continues_id'))
        batch_op.drop_index('ix_ticket_assignee_id_status_sort_at_id')
        batch_op.drop_index('ix_ticket_article_id_sort_at_id')

    op.drop_table('ticket')
    with op.batch_alter_table('topic', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_topic_queue_id'))

    op.drop_table('topic')
    with op.batch_alter_table('source', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_source_queue_id'))

    op.drop_table('source')
    with op.batch_alter_table('queue_member', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_queue_member_agent_id'))

    op.drop_table('queue_member')
    with op.batch_alter_table('article_alias', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_article_alias_article_id'))

    op.drop_table('article_alias')
    op.drop_table('canned_reply')
    with op.batch_alter_table('sign_in', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_sign_in_agent_id'))

    op.drop_table('sign_in')
    with op.batch_alter_table('reader_address', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_reader_address_reader_id'))

    op.drop_table('reader_address')
    op.drop_table('queue')
    with op.batch_alter_table('outbound_recipient', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_outbound_recipient_settled_at'))
        batch_op.drop_index('ix_outbound_recipient_due')

    op.drop_table('outbound_recipient')
    with op.batch_alter_table('article', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_article_owner_id'))

    op.drop_table('article')
    op.drop_table('tag')
    op.drop_table('site')
    op.drop_table('reader')
    with op.batch_alter_table('seen_signature', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_seen_signature_expires_at'))

    op.drop_table('seen_signature')
    with op.batch_alter_table('rate_count', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_rate_count_expires_at'))

    op.drop_table('rate_count')
    op.drop_table('password_request')
    op.drop_table('periodic_tick')
    with op.batch_alter_table('outbound_email', schema=None) as batch_op:
        batch_op.drop_index('ix_outbound_email_held', sqlite_where=sa.text("release = 'held'"), postgresql_where=sa.text("release = 'held'"))
        batch_op.drop_index(batch_op.f('ix_outbound_email_thread_token'))

    op.drop_table('outbound_email')
    op.drop_table('agent')


def create_search_table() -> None:
    """The words of messages: FTS5 or tsvector, written by the verbs themselves."""
    if op.get_context().dialect.name == "postgresql":
        op.execute("CREATE SEQUENCE ticket_number")
        op.execute("""
            CREATE TABLE search_message (
                id integer NOT NULL,
                ticket_id integer NOT NULL,
                body text NOT NULL,
                words tsvector GENERATED ALWAYS AS (to_tsvector('simple', body)) STORED,
                CONSTRAINT pk_search_message PRIMARY KEY (id)
            )
        """)
        op.execute("CREATE INDEX ix_search_message_words ON search_message USING gin (words)")
        return
    op.execute("""
        CREATE VIRTUAL TABLE search_message USING fts5 (
            ticket_id UNINDEXED, body, tokenize = 'unicode61 remove_diacritics 2', prefix = '2 3'
        )
    """)
    # Merging inside a reader's commit makes it slow now and then; the worker merges instead.
    op.execute("INSERT INTO search_message (search_message, rank) VALUES ('automerge', 0)")
    op.execute("INSERT INTO search_message (search_message, rank) VALUES ('crisismerge', 256)")
