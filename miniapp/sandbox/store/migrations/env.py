"""Runs the steps on the connection, hence in the transaction, that `tables.Database` gives."""

from alembic import context

from miniapp.sandbox.store.tables import Base

context.configure(connection=context.config.attributes["connection"], target_metadata=Base.metadata)
context.run_migrations()
