"""The ledger's tables, step by step, for Alembic."""
