"""Rounds of one measurement, as one figure."""

import random
import statistics
from collections import defaultdict

import records
from neighbours import CALM


def derived(record):
    """Load and first forward of the same process."""
    if "load" in record and "first" in record:
        return record | {"load_first": record["load"] + record["first"]}
    return record


def calm(rows):
    """Without the rounds in which other processes took much of the machine, where there are better ones."""
    return [row for row in rows if row.get("others", 0) < CALM] or rows


class Results:
    """Successful repetitions by their key; what never succeeded keeps its reason."""

    def __init__(self, rows):
        rounds, self.failures = defaultdict(list), {}
        for row in rows:
            if "failed" in row:
                self.failures[records.key(row)] = row["failed"]
            else:
                rounds[records.key(row)].append(derived(row))
        self.rounds = {key: calm(rows) for key, rows in rounds.items()}

    def disturbed(self):
        """How many of the rounds that count were disturbed, and how many count."""
        counted = [row for rows in self.rounds.values() for row in rows]
        return sum(row.get("others", 0) >= CALM for row in counted), len(counted)

    def values(self, key, field):
        return [row[field] for row in self.rounds.get(key, ()) if row.get(field) is not None]

    def median(self, key, field):
        values = self.values(key, field)
        return statistics.median(values) if values else None

    def outputs(self, key):
        return next((row["output"] for row in self.rounds.get(key, ()) if "output" in row), None)

    def keys(self):
        return list(dict.fromkeys([*self.rounds, *self.failures]))


def figure(value):
    """Three digits, or whole numbers where there are more."""
    if value >= 99.95:
        return f"{value:.0f}"
    return f"{value:.1f}" if value >= 9.995 else f"{value:.2f}"


def cell(values, scale=1.0):
    """Median (lowest–highest)."""
    if not values:
        return "–"
    low, middle, high = (figure(pick(values) * scale) for pick in (min, statistics.median, max))
    return middle if low == high else f"{middle} ({low}–{high})"


def quartiles(values, scale=1.0):
    """Median (first quartile–third)."""
    if len(values) < 2:
        return cell(values, scale)
    low, middle, high = (figure(value * scale) for value in statistics.quantiles(values, method="inclusive"))
    return f"{middle} ({low}–{high})"


def ratio_of_medians(ours, theirs, samples=2000):
    """Of two, and between which it lies in 95 of 100 drawings of as many rounds from these, with replacement."""
    chance, middle = random.Random(0), statistics.median
    drawn = sorted(middle(chance.choices(ours, k=len(ours))) / middle(chance.choices(theirs, k=len(theirs))) for _ in range(samples))
    low, high = drawn[samples // 40], drawn[-samples // 40]
    return f"{middle(ours) / middle(theirs):.3f} ({low:.3f}–{high:.3f})"


def difference(output, reference):
    """The largest error of the first values, relative to the largest of them."""
    scale = max(map(abs, reference)) or 1.0
    return max(abs(a - b) for a, b in zip(output, reference)) / scale
