"""The tables `outbox_bulk`, `outbox_item`, `outbox_gate`."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

number = sa.BigInteger().with_variant(sa.Integer, "sqlite")


def upgrade() -> None:
    op.create_table(
        "outbox_bulk",
        sa.Column("id", number, primary_key=True),
        sa.Column("key", sa.String(255)),
        sa.Column("digest", sa.String(64), nullable=False),
        sa.Column("text", sa.Text, nullable=False),
        sa.Column("policy", sa.String(8), nullable=False),
        sa.Column("owner", sa.Text, nullable=False),
        sa.Column("state", sa.String(12), nullable=False),
        sa.Column("note", sa.Text, nullable=False),
        sa.Column("total", sa.Integer, nullable=False),
        sa.Column("created_at", sa.Float(53), nullable=False),
        sa.Column("done_at", sa.Float(53)),
        sa.UniqueConstraint("key", name="uq_outbox_bulk_key"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_outbox_bulk_state", "outbox_bulk", ["state"])
    op.create_table(
        "outbox_item",
        sa.Column("id", number, primary_key=True),
        sa.Column("bulk", number, sa.ForeignKey("outbox_bulk.id", ondelete="CASCADE"), nullable=False),
        sa.Column("jid", sa.Text, nullable=False),
        sa.Column("state", sa.String(12), nullable=False),
        sa.Column("due", sa.Float(53), nullable=False),
        sa.Column("lease", sa.Float(53)),
        sa.Column("worker", sa.String(32), nullable=False),
        sa.Column("attempts", sa.Integer, nullable=False),
        sa.Column("doubts", sa.Integer, nullable=False),
        sa.Column("answer", sa.Text, nullable=False),
        sa.Column("at", sa.Float(53)),
        sa.UniqueConstraint("bulk", "jid", name="uq_outbox_item_bulk_jid"),
    )
    op.create_index("ix_outbox_item_bulk_state_due_id", "outbox_item", ["bulk", "state", "due", "id"])
    held = sa.text("lease IS NOT NULL")
    op.create_index("ix_outbox_item_lease", "outbox_item", ["lease"], sqlite_where=held, postgresql_where=held)
    gate = op.create_table(
        "outbox_gate",
        sa.Column("id", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("tokens", sa.Float(53), nullable=False),
        sa.Column("filled_at", sa.Float(53), nullable=False),
        sa.Column("failures", sa.Integer, nullable=False),
        sa.Column("opens_at", sa.Float(53), nullable=False),
    )
    op.bulk_insert(gate, [{"id": 1, "tokens": 0.0, "filled_at": 0.0, "failures": 0, "opens_at": 0.0}])


def downgrade() -> None:
    for table in ("outbox_gate", "outbox_item", "outbox_bulk"):
        op.drop_table(table)
