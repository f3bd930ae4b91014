"""Messages of other clients are known by their IDs in archives, which their senders don't choose."""

import sqlalchemy as sa
from alembic import op

revision = "7"
down_revision = "6"


def upgrade() -> None:
    op.create_table(
        "heard",
        sa.Column("owner", sa.String, primary_key=True),
        sa.Column("archive_id", sa.String, primary_key=True),
        sa.Column("key", sa.String, nullable=False),
        sa.Column("message_id", sa.Integer, sa.ForeignKey("messages.id", ondelete="CASCADE"), nullable=False),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_heard_key", "heard", ["key"])
    op.create_index("ix_heard_message_id", "heard", ["message_id"])
