"""One module for each schema, named by its number: SQLite's `user_version`."""
