"""Invitations to groups wait for the person's answer."""

import sqlalchemy as sa
from alembic import op

revision = "8"
down_revision = "7"


def upgrade() -> None:
    op.create_table(
        "invitations",
        sa.Column("jid", sa.String, sa.ForeignKey("users.jid", ondelete="CASCADE"), primary_key=True),
        sa.Column("group", sa.String, primary_key=True),
        sa.Column("by", sa.String, nullable=False),
        sa.Column("at", sa.Double, nullable=False),
        sa.Column("answer", sa.String, nullable=False),
        sqlite_with_rowid=False,
    )
