"""The column `kind` of `outbox_item`, and `unknown_attempts`, which was called `doubts`."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    op.execute("ALTER TABLE outbox_item RENAME COLUMN doubts TO unknown_attempts")
    op.add_column("outbox_item", sa.Column("kind", sa.String(6), nullable=False, server_default="user"))
    op.execute("UPDATE outbox_item SET kind = 'domain' WHERE jid NOT LIKE '%@%'")
    op.execute("UPDATE outbox_item SET kind = 'group' WHERE jid LIKE '%@muc.%'")


def downgrade() -> None:
    op.drop_column("outbox_item", "kind")
    op.execute("ALTER TABLE outbox_item RENAME COLUMN unknown_attempts TO doubts")
