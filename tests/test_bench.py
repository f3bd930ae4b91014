"""The benchmarks run, and give figures. Which ones is nobody's business here: a busy machine gives others."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

from bench.__main__ import TOPICS
from bench.report import Row, Table, interleaved

ROOT = Path(__file__).parent.parent


def test_every_topic_gives_figures(tmp_path: Path) -> None:
    """`python -m bench --quick` measures every subject of every topic, and writes them all into one page."""
    page = tmp_path / "benchmarks.md"
    command = [sys.executable, "-m", "bench", "--quick", "--keep", str(tmp_path), "--out", str(page)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=600)
    assert done.returncode == 0, done.stderr
    text = page.read_text()
    for topic in TOPICS:
        tables = [Table.from_dict(table) for table in json.loads((tmp_path / f"{topic}.json").read_text())["tables"]]
        assert tables, topic
        for table in tables:
            assert f"### {table.title}\n" in text
            assert table.reference in [row.name for row in table.rows]
            for row in table.rows:
                assert row.values, f"{table.title}: {row.name}"
                assert all(value > 0 for value in row.values), f"{table.title}: {row.name}"


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
