"""Run every test with generated input as a release does, and count the inputs. `scripts/soak generated` runs this."""

from __future__ import annotations

import os
import re
import sys
from collections import Counter
from pathlib import Path

os.environ["HYPOTHESIS_PROFILE"] = "ci"  # before any test module reads it

import pytest

from soak import records

TESTS = Path(__file__).parents[1] / "tests"
GENERATED = "generated"
"""Name of the property in which a test records its own count, where pytest can't see that the test is Hypothesis's."""


class Counts:
    """Count the inputs of each test, as a pytest plugin."""

    def __init__(self) -> None:
        self.by_test: Counter[str] = Counter()

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.when != "teardown":
            return
        stats = report.__dict__.get("_hypothesis_stats", "")  # where Hypothesis' plugin puts its summary
        count = sum(map(int, re.findall(r"- (\d+) passing, ", stats)))
        count += sum(value for name, value in report.user_properties if name == GENERATED)
        if count:
            self.by_test[report.nodeid.partition("[")[0].removeprefix("tests/")] += count


def main() -> None:
    counts = Counts()
    # Those that pytest knows to be Hypothesis', and those that generate within.
    chosen = ["-k", "hypothesis or whatever_is_sent or whatever_the_parameter", "-q"]
    code = pytest.main([str(TESTS), *chosen], plugins=[counts])
    if code == 0:
        records.write("generated", counts=dict(sorted(counts.by_test.items())))
    sys.exit(code)


if __name__ == "__main__":
    main()
