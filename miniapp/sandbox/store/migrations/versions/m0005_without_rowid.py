"""The keys of `deliveries` and `stanzas` are the tables: both are WITHOUT ROWID."""

import sqlalchemy as sa
from alembic import op

revision = "5"
down_revision = "4"


def upgrade() -> None:
    op.rename_table("deliveries", "deliveries_before")
    op.create_table(
        "deliveries",
        sa.Column("jid", sa.String, sa.ForeignKey("users.jid", ondelete="CASCADE"), primary_key=True),
        sa.Column("message_id", sa.Integer, sa.ForeignKey("messages.id", ondelete="CASCADE"), primary_key=True),
        sa.Column("thread", sa.String, nullable=False),
        sqlite_with_rowid=False,
    )
    op.execute("INSERT INTO deliveries SELECT jid, message_id, thread FROM deliveries_before")
    op.drop_table("deliveries_before")
    op.create_index("deliveries_by_thread", "deliveries", ["jid", "thread", "message_id"])

    op.rename_table("stanzas", "stanzas_before")
    op.create_table(
        "stanzas",
        sa.Column("key", sa.String, primary_key=True),
        sa.Column("message_id", sa.Integer, sa.ForeignKey("messages.id", ondelete="CASCADE"), nullable=False),
        sa.Column("stanza_id", sa.String, nullable=False),
        sa.Column("state", sa.String, nullable=False),
        sa.Column("upto", sa.String, nullable=False),
        sqlite_with_rowid=False,
    )
    op.execute("INSERT INTO stanzas SELECT key, message_id, stanza_id, state, upto FROM stanzas_before")
    op.drop_table("stanzas_before")
    op.create_index("ix_stanzas_message_id", "stanzas", ["message_id"])
    op.create_index("stanzas_waiting", "stanzas", ["message_id"], sqlite_where=sa.text("state != 'settled'"))
