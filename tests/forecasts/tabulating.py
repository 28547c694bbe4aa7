"""The two tables: ten campaigns beside their forecasts, and how often forecasts held."""

from collections.abc import Iterable, Sequence
from fractions import Fraction
from statistics import fmean

from orchestrator.model import durations
from tests.forecasts.holding import Held, Told


def beside(told: Iterable[Told]) -> str:
    """Set each campaign beside its forecast from the defaults, and from what was learnt."""
    rows = []
    for each in told:
        assert each.by_defaults is not None
        rows.append(_row(each.by_defaults, "defaults"))
        rows.append(_row(each.held, f"{each.held.learnt_from} campaigns"))
    titles = (
        "campaign", "seed", "devices", "forecast from", "P50", "P90", "took", "P50 off by",
        "within P90", "peak down", "requests", "not proven",
    )  # fmt: skip
    return _table(titles, rows)


def _row(held: Held, origin: str) -> tuple[str, ...]:
    return (
        held.kind,
        str(held.seed),
        str(held.devices),
        origin,
        *(_time(seconds) for seconds in (held.p50, held.p90, held.took)),
        _signed(held.error),
        _yes(is_so=held.is_inside_p90),
        f"{held.peak_foreseen:.0f} / {held.peak}",
        f"{held.requests_foreseen:.0f} / {held.requests}",
        f"{held.unproven_foreseen:.0f} / {held.unproven}",
    )


def covered(several: Sequence[Held]) -> str:
    """Say for each kind, and for all together, how often its campaigns ended by P50 and by P90."""
    kinds = dict.fromkeys(held.kind for held in several)
    rows = [_shares(kind, [held for held in several if held.kind == kind]) for kind in kinds]
    titles = ("campaign", "held", "by P50", "by P90", "P50 off by, mean", "regardless of sign")
    return _table(titles, [*rows, _shares("all", several)])


def _shares(name: str, several: Sequence[Held]) -> tuple[str, ...]:
    return (
        name,
        str(len(several)),
        _percent(share_of(held.is_inside_p50 for held in several)),
        _percent(share_of(held.is_inside_p90 for held in several)),
        _signed(bias(several)),
        _percent(miss(several)),
    )


def share_of(so: Iterable[bool]) -> Fraction:
    """Give the share of those for whom it is so."""
    found = list(so)
    return Fraction(sum(found), len(found))


def bias(several: Sequence[Held]) -> float:
    """Give the mean error of the P50; negative where campaigns took longer."""
    return fmean(held.error for held in several)


def miss(several: Sequence[Held]) -> float:
    """Give by how much the P50 was off in the mean, too long or too short."""
    return fmean(abs(held.error) for held in several)


def _time(seconds: float) -> str:
    return durations.as_text(float(round(seconds / 60) * 60))


def _signed(share: float) -> str:
    return f"{share:+.0%}"


def _percent(share: float | Fraction) -> str:
    return f"{float(share):.0%}"


def _yes(*, is_so: bool) -> str:
    return "yes" if is_so else "no"


def _table(titles: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    widths = [max(map(len, column)) for column in zip(titles, *rows, strict=True)]
    lines = [titles, ["-" * width for width in widths], *rows]
    return "\n".join(
        f"| {' | '.join(cell.ljust(width) for cell, width in zip(line, widths, strict=True))} |"
        for line in lines
    )
