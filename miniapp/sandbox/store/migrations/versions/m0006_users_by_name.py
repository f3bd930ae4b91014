"""The index `users_by_name`: a page of the users, by name, without reading all of them."""

from alembic import op

revision = "6"
down_revision = "5"


def upgrade() -> None:
    op.create_index("users_by_name", "users", ["name", "jid"])
