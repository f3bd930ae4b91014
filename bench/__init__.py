"""What this project costs beside what users would pick instead: `scripts/bench` measures, docs/benchmarks.md shows."""

import sys
from pathlib import Path

sys.path.append(str(Path(__file__).parents[1] / "tests"))  # for its package `support`, which has the servers
