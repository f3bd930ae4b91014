"""What this project costs beside what users would pick instead: `scripts/bench` measures, docs/benchmarks.md shows."""
