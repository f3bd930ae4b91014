"""The long forms of tests. `scripts/soak` runs them and keeps their results in `docs/reliability/`."""
