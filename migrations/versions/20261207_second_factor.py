"""A second step at sign-in: codes of an app, recovery codes, passkeys, and whether everybody needs it."""

import sqlalchemy as sa
from alembic import op

revision = '20261207'
down_revision = '20261202'
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table('agent') as batch_op:
        batch_op.add_column(sa.Column('tf_primary_method', sa.String(), nullable=True))
        batch_op.add_column(sa.Column('tf_totp_secret', sa.String(), nullable=True))
        batch_op.add_column(sa.Column('tf_last_counter', sa.Integer(), nullable=True))
        batch_op.add_column(sa.Column('mf_recovery_codes', sa.JSON(), nullable=True))
        batch_op.add_column(sa.Column('fs_webauthn_user_handle', sa.String(), nullable=True))
        batch_op.create_unique_constraint(op.f('uq_agent_fs_webauthn_user_handle'), ['fs_webauthn_user_handle'])
    op.create_table(
        'passkey',
        sa.Column('id', sa.Integer(), nullable=False),
        sa.Column('agent_id', sa.Integer(), nullable=False),
        sa.Column('name', sa.String(), nullable=False),
        sa.Column('credential_id', sa.LargeBinary(), nullable=False),
        sa.Column('public_key', sa.LargeBinary(), nullable=False),
        sa.Column('sign_count', sa.BigInteger(), nullable=False),
        sa.Column('transports', sa.JSON(), nullable=True),
        sa.Column('backup_state', sa.Boolean(), nullable=False),
        sa.Column('device_type', sa.String(), nullable=False),
        sa.Column('extensions', sa.String(), nullable=True),
        sa.Column('usage', sa.String(), nullable=False),
        sa.Column('created_at', sa.DateTime(timezone=True), nullable=False),
        sa.Column('lastuse_datetime', sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(['agent_id'], ['agent.id'], name=op.f('fk_passkey_agent_id_agent'), ondelete='CASCADE'),
        sa.PrimaryKeyConstraint('id', name=op.f('pk_passkey')),
        sa.UniqueConstraint('credential_id', name=op.f('uq_passkey_credential_id')),
    )
    op.create_index(op.f('ix_passkey_agent_id'), 'passkey', ['agent_id'])
    op.create_table(
        'desk_setting',
        sa.Column('name', sa.String(), nullable=False),
        sa.Column('value', sa.String(), nullable=False),
        sa.PrimaryKeyConstraint('name', name=op.f('pk_desk_setting')),
    )


def downgrade() -> None:
    op.drop_table('desk_setting')
    op.drop_index(op.f('ix_passkey_agent_id'), table_name='passkey')
    op.drop_table('passkey')
    with op.batch_alter_table('agent') as batch_op:
        batch_op.drop_constraint(op.f('uq_agent_fs_webauthn_user_handle'), type_='unique')
        for name in ('fs_webauthn_user_handle', 'mf_recovery_codes', 'tf_last_counter', 'tf_totp_secret', 'tf_primary_method'):
            batch_op.drop_column(name)
