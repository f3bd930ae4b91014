"""The parts of the benchmarks that need no peers: `scripts/bench --quick` runs all of them."""

from __future__ import annotations

import dataclasses

import pytest

from bench.__main__ import check
from bench.report import Row, Table, interleaved


def test_a_topic_without_a_figure_is_refused() -> None:
    """A benchmark that measured nothing ends with an error that names the row, and writes no page."""
    good = Table("Pages", "How.", "pages/s", True, [Row("bare", [1.0])], "bare", "0.9")
    check("pages", [good])
    for rows in ([Row("bare", [])], [Row("bare", [0.0])], [Row("other", [1.0])]):
        with pytest.raises(RuntimeError, match="pages: Pages has no"):
            check("pages", [dataclasses.replace(good, rows=rows)])


def test_subjects_take_turns() -> None:
    """Each subject is measured once in each round, and none of them is always the first."""
    order: list[str] = []
    subjects = {name: lambda name=name: order.append(name) or float(len(order)) for name in "abc"}
    rows = interleaved(subjects, 3, lambda _: None)
    assert "".join(order) == "abcbcacab"
    assert [(row.name, row.values) for row in rows] == [("a", [1, 6, 8]), ("b", [2, 4, 9]), ("c", [3, 5, 7])]


def test_a_ratio_is_taken_within_each_round() -> None:
    """A round in which the whole machine was slow does not count against one subject."""
    rows = [Row("limit", [100, 10, 100]), Row("ours", [90, 9, 81])]
    table = Table("Pages", "By hand.", "requests/s", True, rows, reference="limit", target="0.90")
    assert table.ratio(rows[1]) == 0.9
