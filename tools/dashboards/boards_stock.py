"""Stock: from the sources into Shopify, and what the comparison of both finds."""

from __future__ import annotations

from model import IN, Board, Panel, Row
from queries import age, gauge_by, quantiles, rate_by

PREFIX = "syncline_inventory_sync_"
AT_INGRESS = "syncline_ingress_stock_"
COMPARED = "syncline_reconciliation_stock_"
RED_ABOVE_0 = ((None, "green"), (1, "red"))


def figure(title: str, description: str, name: str) -> Panel:
    """A gauge of the whole installation, which every instance reads from the same tables."""
    return Panel(title, description, "none", [(f"max by (namespace) ({PREFIX}{name}{{{IN}}})", name.replace("_", " "))], "stat", 4, 4)


STOCK = Board(
    "syncline-stock",
    "Syncline / Stock truth",
    "What sources report, what Shopify shows of it, and where the two differ.",
    [
        Row(
            "Sources",
            [
                Panel(
                    "Requests of sources",
                    "By source and what became of them.",
                    "reqps",
                    [rate_by(f"{AT_INGRESS}requests_total", "source", "outcome")],
                    stacked=True,
                ),
                Panel(
                    "Reports and adjustments", "That Kafka has, by source.", "ops", [rate_by(f"{AT_INGRESS}records_total", "source", "record")], stacked=True
                ),
                Panel(
                    "Refused",
                    "By source and code: a rule of the body, proof, limits, brokers.",
                    "reqps",
                    [rate_by(f"{AT_INGRESS}refused_total", "source", "code")],
                    stacked=True,
                ),
                Panel("First byte until 202", "The brokers' acknowledgements included.", "s", quantiles(f"{AT_INGRESS}acknowledge_seconds")),
                Panel(
                    "Reports by what became of them",
                    "passed: superseded or repeated; sequence_back: a source's counter went back.",
                    "ops",
                    [rate_by(f"{PREFIX}reports_total", "kind", "outcome")],
                    stacked=True,
                ),
                Panel(
                    "Records on their way to Kafka",
                    "Stock records that brokers have not acknowledged; and the sources that are enabled.",
                    "none",
                    [(f"sum({AT_INGRESS}records_in_flight{{{IN}}})", "in flight"), (f"max({AT_INGRESS}sources{{{IN}}})", "sources")],
                ),
                Panel("Snapshot files", "By source and what became of them.", "ops", [rate_by(f"{PREFIX}files_total", "source", "outcome")]),
                Panel("Polls of sources that are servers", "By how they ended.", "ops", [rate_by(f"{PREFIX}source_polls_total", "source", "outcome")]),
                Panel("Levels read from servers", "By source.", "ops", [rate_by(f"{PREFIX}source_levels_total", "source")]),
            ],
        ),
        Row(
            "Into Shopify",
            [
                Panel(
                    "Received until shown",
                    "By shop; the objective is 120 s for 95 %.",
                    "s",
                    quantiles(f"{PREFIX}received_to_shown_seconds", "shop", only='shop=~"$shop"', shares=(0.5, 0.95)),
                ),
                Panel(
                    "Unsent",
                    "Pairs whose value Shopify does not show yet, and SKUs still to be computed.",
                    "none",
                    [
                        (f"max({PREFIX}unsent_pairs{{{IN}}})", "pairs"),
                        (f"max({PREFIX}dirty_skus{{{IN}}})", "SKUs to compute"),
                        (f"max({PREFIX}writes_on_their_way{{{IN}}})", "writes without a known outcome"),
                    ],
                ),
                Panel(
                    "Age of the oldest unsent change",
                    "0 while everything is shown. Above 10 minutes it is a ticket.",
                    "s",
                    [(age(f"{PREFIX}oldest_unsent_timestamp_seconds", "namespace")[0], "oldest")],
                ),
                Panel("Pairs written", "That Shopify has taken.", "ops", [rate_by(f"{PREFIX}pairs_written_total", "shop", only='shop=~"$shop"')]),
                Panel("Writing calls", "By how they ended.", "ops", [rate_by(f"{PREFIX}writes_total", "shop", "outcome", only='shop=~"$shop"')], stacked=True),
                Panel(
                    "Computed and changed",
                    "SKUs computed, and pairs whose target changed by it.",
                    "ops",
                    [
                        (f"sum(rate({PREFIX}skus_computed_total{{{IN}}}[$__rate_interval]))", "computed"),
                        (f"sum(rate({PREFIX}targets_changed_total{{{IN}}}[$__rate_interval]))", "changed"),
                    ],
                ),
                Panel("Pairs that held another value", "Somebody else wrote: a sale meanwhile, or a person.", "ops", [rate_by(f"{PREFIX}stale_total", "shop")]),
                Panel(
                    "Falls without a known order",
                    "They are restored once the check of orders has proven that there is none.",
                    "ops",
                    [rate_by(f"{PREFIX}unexplained_falls_total", "shop")],
                ),
                Panel(
                    "Webhooks about levels",
                    "Own writes recognised, foreign ones looked at.",
                    "ops",
                    [rate_by(f"{PREFIX}level_webhooks_total", "outcome")],
                    stacked=True,
                ),
                Panel("Orders and fulfillments", "Taken into reservations, or superseded.", "ops", [rate_by(f"{PREFIX}orders_total", "outcome")], stacked=True),
                Panel(
                    "Corrections", "Differences that reconciliation told of, by what became of them.", "ops", [rate_by(f"{PREFIX}corrections_total", "outcome")]
                ),
            ],
        ),
        Row(
            "What waits",
            [
                figure("Pairs refused", "Pairs that Shopify refuses.", "held_pairs"),
                figure("Places unmapped", "Places of sources that no mapping names.", "held_places"),
                figure("Unknown SKUs", "SKUs that a shop should have and has not.", "unknown_skus"),
                figure("Oversold", "Pairs of which more was sold than there is.", "oversold_pairs"),
                figure("Units pending", "Units that fell in Shopify without a known order.", "pending_units"),
                figure("Inactive locations", "Locations with stock that Shopify does not keep open.", "inactive_locations"),
            ],
        ),
        Row(
            "Compared",
            [
                Panel(
                    "Differences",
                    "Of the last full comparison with each side, by class; in_flight and policy explain themselves.",
                    "none",
                    [gauge_by(f"{COMPARED}differences", "shop", "side", "class", how="max")],
                    stacked=True,
                    width=12,
                ),
                Panel(
                    "Comparisons",
                    "By how they ended: done or the code of the error.",
                    "none",
                    [(f"sum by (shop, side, outcome) ({COMPARED}comparisons_total{{{IN}}})", "{{shop}} {{side}} {{outcome}}")],
                    width=12,
                ),
                Panel(
                    "Since the last whole run",
                    "By shop and kind; above 36 hours for the nightly one it is a ticket.",
                    "s",
                    [(f"time() - max by (shop, kind) ({COMPARED}last_success_timestamp_seconds{{{IN}}})", "{{shop}} {{kind}}")],
                ),
                Panel("Length of the last run", "By shop and kind.", "s", [gauge_by(f"{COMPARED}last_run_seconds", "shop", "kind", how="max")]),
                Panel(
                    "Braked runs",
                    "They want to change too much and wait for a person.",
                    "none",
                    [gauge_by(f"{COMPARED}braked_runs", "shop", how="max")],
                    thresholds=RED_ABOVE_0,
                ),
                Panel(
                    "Runs not made",
                    "Put off, or given up.",
                    "none",
                    [(f"sum by (shop, outcome) ({COMPARED}runs_not_made_total{{{IN}}})", "{{shop}} {{outcome}}")],
                ),
            ],
        ),
    ],
    ("shop",),
)
