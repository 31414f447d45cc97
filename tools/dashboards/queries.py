"""Queries that several boards use, written once."""

from __future__ import annotations

from model import IN

HELD = f"connection:syncline_held_keys:max{{{IN}}}"
PARKED = f"connection:syncline_parked_keys:max{{{IN}}}"
# Gives a figure of an instance the connection that the instance works for.
WITH_CONNECTION = "* on (namespace, job, instance) group_left (connection) instance:syncline_connection:info"


def selector(*matchers: str) -> str:
    return "{" + ",".join([IN, *(matcher for matcher in matchers if matcher)]) + "}"


def rate_by(metric: str, *labels: str, only: str = "") -> tuple[str, str]:
    """A second, summed over everything but `labels`; with its legend."""
    by = ", ".join(labels)
    return f"sum by ({by}) (rate({metric}{selector(only)}[$__rate_interval]))", " ".join(f"{{{{{label}}}}}" for label in labels)


def increase_of(metric: str, only: str = "") -> str:
    """Over the dashboard's time."""
    return f"sum(increase({metric}{selector(only)}[$__range]))"


def quantiles(histogram: str, *labels: str, only: str = "", shares: tuple[float, ...] = (0.5, 0.95, 0.99)) -> list[tuple[str, str]]:
    by = ", ".join(["le", *labels])
    name = " ".join(f"{{{{{label}}}}}" for label in labels)
    return [
        (f"histogram_quantile({share}, sum by ({by}) (rate({histogram}_bucket{selector(only)}[$__rate_interval])))", f"{name} p{share * 100:.0f}".strip())
        for share in shares
    ]


def gauge_by(metric: str, *labels: str, how: str = "sum", only: str = "") -> tuple[str, str]:
    return f"{how} by ({', '.join(labels)}) ({metric}{selector(only)})", " ".join(f"{{{{{label}}}}}" for label in labels)


def age(metric: str, *labels: str) -> tuple[str, str]:
    """Seconds since the time that a gauge tells; 0 while it tells none."""
    return f"max by ({', '.join(labels)}) ((time() - {metric}{selector()}) * ({metric}{selector()} > bool 0))", " ".join(f"{{{{{label}}}}}" for label in labels)


def budget_left() -> str:
    errors = f"sum by (slo) (sum_over_time(slo:syncline_sli_errors:rate5m{selector()}[30d]))"
    events = f"sum by (slo) (sum_over_time(slo:syncline_sli_events:rate5m{selector()}[30d]))"
    return f"1 - {errors} / {events} / on (slo) (1 - slo:syncline_objective:ratio)"
