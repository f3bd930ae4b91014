"""The store's tables, step by step, for Alembic. A new store is made of `tables.py` at once."""
