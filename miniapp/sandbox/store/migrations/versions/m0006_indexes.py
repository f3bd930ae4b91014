"""Indexes, so that costs follow what is shown: users by name, a user's groups, sessions that are over."""

import sqlalchemy as sa
from alembic import op

revision = "6"
down_revision = "5"


def upgrade() -> None:
    op.create_index("users_by_name", "users", ["name", "jid"])
    op.create_index("admins_by_name", "users", ["name", "jid"], sqlite_where=sa.text("admin IS 1"))
    op.create_index("ix_members_jid", "members", ["jid"])
    op.create_index("ix_sessions_expires_at", "sessions", ["expires_at"])
