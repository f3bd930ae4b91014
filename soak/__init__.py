"""The long forms of tests: `scripts/soak` runs them and keeps what they found in `docs/reliability/`."""
