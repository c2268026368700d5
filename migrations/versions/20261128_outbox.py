"""The outbox: where each mail goes, whether anybody waits for it, and what mail waits for by itself."""

import sqlalchemy as sa
from alembic import op

revision = '20261128'
down_revision = '20261126'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column('outbound_recipient', sa.Column('domain', sa.String(), server_default='', nullable=False))
    op.add_column('outbound_recipient', sa.Column('automatic', sa.Boolean(), server_default=sa.false(), nullable=False))
    is_sqlite = op.get_bind().dialect.name == 'sqlite'
    behind = "substr(address, instr(address, '@') + 1)" if is_sqlite else "split_part(address, '@', 2)"
    op.execute(f'UPDATE outbound_recipient SET domain = lower({behind})')
    receipts = "(SELECT id FROM outbound_email WHERE template = 'emails/receipt')"
    op.execute(f'UPDATE outbound_recipient SET automatic = true WHERE email_id IN {receipts}')
    op.create_table(
        'destination_wait',
        sa.Column('name', sa.String(), nullable=False),
        sa.Column('refusals', sa.Integer(), nullable=False),
        sa.Column('until', sa.DateTime(timezone=True), nullable=False),
        sa.Column('reason', sa.String(), nullable=False),
        sa.PrimaryKeyConstraint('name', name=op.f('pk_destination_wait')),
    )


def downgrade() -> None:
    op.drop_table('destination_wait')
    op.drop_column('outbound_recipient', 'automatic')
    op.drop_column('outbound_recipient', 'domain')
