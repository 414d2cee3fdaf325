"""Figures of several services side by side."""

from collections.abc import Mapping
from collections.abc import Sequence
from typing import Any

from benchmarks.scenarios import Figure

REFERENCE = '12.5.0'
OURS = 'ours'
HEADINGS = ('', REFERENCE, OURS, 'ratio', 'target', 'met')


def compare(figures: Mapping[str, Sequence[Figure]]) -> list[dict[str, Any]]:
    """Bring together the figures by service; returns a record for each row, in the order in which they were measured.

    A record has the keys row, unit, target, met (None where it has no target or was not measured), ratio (how many
    times less ours is, None unless both were measured), and the value of each service by its name.
    """
    rows: dict[str, dict[str, Any]] = {}
    for service, measured in figures.items():
        for figure in measured:
            row = rows.setdefault(figure.row, {'row': figure.row, 'unit': figure.unit, 'target': figure.target})
            row[service] = figure.value
    return [row | _judged(row.get(REFERENCE), row.get(OURS), row['target']) for row in rows.values()]


def _judged(reference: float | None, ours: float | None, target: float | None) -> dict[str, Any]:
    return {
        'ratio': reference / ours if reference is not None and ours else None,
        'met': ours <= target if ours is not None and target is not None else None,
    }


def as_table(rows: Sequence[Mapping[str, Any]]) -> str:
    """The records of `compare` as a table to read."""
    lines = [HEADINGS, *(_cells(row) for row in rows)]
    widths = [max(len(line[column]) for line in lines) for column in range(len(HEADINGS))]
    return '\n'.join(
        '  '.join(
            cell.rjust(width) if column else cell.ljust(width)
            for column, (cell, width) in enumerate(zip(line, widths, strict=True))
        )
        for line in lines
    )


def _cells(row: Mapping[str, Any]) -> tuple[str, ...]:
    ratio, met = row['ratio'], row['met']
    return (
        row['row'],
        *(shown(row.get(name), row['unit']) for name in (REFERENCE, OURS)),
        '' if ratio is None else f'{ratio:.1f}',
        shown(row['target'], row['unit']),
        '' if met is None else 'yes' if met else 'NO',
    )


def shown(value: float | None, unit: str) -> str:
    """A value with its unit, nothing for None; three digits, or all before the point."""
    if value is None:
        return ''
    return f'{value:.0f} {unit}' if value >= 100 or value == int(value) else f'{value:.3g} {unit}'
