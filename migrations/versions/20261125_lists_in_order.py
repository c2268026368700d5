"""Lists in order: an index for each fixed list, in the order it is read."""

import sqlalchemy as sa
from alembic import op

revision = '20261125'
down_revision = '20261123'
branch_labels = None
depends_on = None

COLUMNS = ['sort_at', 'id', 'queue_id', 'assignee_id']
FOLDERS = {
    'ix_ticket_waiting': "status IN ('new', 'open')",
    'ix_ticket_pending': "status = 'pending'",
    'ix_ticket_closed': "status = 'closed' AND resolution <> 'spam'",
    'ix_ticket_spam': "resolution = 'spam'",
}


def upgrade() -> None:
    for name, part in FOLDERS.items():
        op.create_index(name, 'ticket', COLUMNS, sqlite_where=sa.text(part), postgresql_where=sa.text(part))
    op.drop_index('ix_ticket_queue_id_status_sort_at_id', table_name='ticket')


def downgrade() -> None:
    op.create_index('ix_ticket_queue_id_status_sort_at_id', 'ticket', ['queue_id', 'status', 'sort_at', 'id'])
    for name in FOLDERS:
        op.drop_index(name, table_name='ticket')
