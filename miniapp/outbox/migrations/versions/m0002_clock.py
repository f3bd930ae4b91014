"""The column `skew` of `outbox_gate`: what corrects the database's clock after a jump."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    op.add_column("outbox_gate", sa.Column("skew", sa.Float(53), nullable=False, server_default="0"))


def downgrade() -> None:
    op.drop_column("outbox_gate", "skew")
