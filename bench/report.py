"""What a benchmark gives: rows of figures, one for each round, in tables with a reference and a target."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from statistics import median
from typing import Any

Progress = Callable[[str], None]
"""Shows one line about what is being measured just now."""


@dataclass(frozen=True)
class Row:
    """One subject's figures: one per round, in the order of the rounds."""

    name: str
    values: list[float]
    note: str = ""

    @property
    def median(self) -> float:
        return median(self.values)


@dataclass(frozen=True)
class Table:
    """Subjects measured side by side.

    `how` is a paragraph on how that was done; `reference` is the name of the row that ratios are taken to; `target` is
    what was to be reached.
    """

    title: str
    how: str
    metric: str
    higher_is_better: bool
    rows: list[Row]
    reference: str
    target: str

    def ratio(self, row: Row) -> float:
        """`row` to the reference: the median of the ratios within each round, since noise moves both in a round."""
        base = next(each for each in self.rows if each.name == self.reference)
        if len(base.values) != len(row.values):
            return row.median / base.median
        return median(value / other for value, other in zip(row.values, base.values, strict=True))

    @classmethod
    def from_dict(cls, document: dict[str, Any]) -> Table:
        """The reverse of `dataclasses.asdict`."""
        return cls(**{**document, "rows": [Row(**row) for row in document["rows"]]})


def interleaved(subjects: Mapping[str, Callable[[], float]], rounds: int, progress: Progress) -> list[Row]:
    """Measures every subject once in each round, each round starting with the next subject."""
    names = list(subjects)
    values: dict[str, list[float]] = {name: [] for name in names}
    for number in range(rounds):
        first = number % len(names)
        for name in names[first:] + names[:first]:
            progress(f"{name}, round {number + 1} of {rounds}")
            values[name].append(subjects[name]())
    return [Row(name, values[name]) for name in names]
