"""Mail seen to: who ignored a mail that became no ticket, and when."""

import sqlalchemy as sa
from alembic import op

revision = '20261126'
down_revision = '20261125'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column('inbound_email', sa.Column('ignored_at', sa.DateTime(timezone=True), nullable=True))
    op.add_column('inbound_email', sa.Column('ignored_by', sa.String(), nullable=True))


def downgrade() -> None:
    op.drop_column('inbound_email', 'ignored_by')
    op.drop_column('inbound_email', 'ignored_at')
