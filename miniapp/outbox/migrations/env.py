"""Runs the migrations on the connection of `database.Database`, and so in its transaction."""

from alembic import context

from miniapp.outbox.schema import VERSION_TABLE
from miniapp.outbox.tables import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    version_table=VERSION_TABLE,  # the app may have an alembic_version of its own in the same database
)
context.run_migrations()
