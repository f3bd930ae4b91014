"""Runs the steps on the connection, hence in the transaction, that `tables.Database` gives."""

from alembic import context

from miniapp.outbox.placement import VERSION_TABLE
from miniapp.outbox.tables import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    version_table=VERSION_TABLE,  # the app may have an alembic_version of its own in the same database
)
context.run_migrations()
