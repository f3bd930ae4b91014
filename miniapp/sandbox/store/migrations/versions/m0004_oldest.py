"""The oldest schema that can be brought up to date."""

revision = "4"
down_revision = None


def upgrade() -> None:
    pass
