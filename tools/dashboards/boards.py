"""All dashboards: the list, and the ones an operator opens first (overview, objectives, waiting). The others stand beside this file."""

from __future__ import annotations

from boards_flow import CONNECTIONS, ORDER_FLOW
from boards_runtime import RUNTIME
from boards_services import services_board
from boards_stock import STOCK
from model import IN, Board, Panel, Row
from queries import HELD, PARKED, budget_left, increase_of, quantiles, rate_by

RED_ABOVE_0 = ((None, "green"), (1, "red"))
BUDGET = ((None, "red"), (0, "orange"), (0.25, "green"))

OVERVIEW = Board(
    "syncline-overview",
    "Syncline / Overview",
    "What came in, what arrived and what waits, for the whole business. Money is not counted by any service yet, orders are.",
    [
        Row(
            "In the chosen time",
            [
                Panel(
                    "Orders received",
                    "Webhooks orders/create that Kafka has; a redelivery counts again.",
                    "none",
                    [(increase_of("syncline_ingress_requests_total", 'topic="orders/create",outcome="published"'), "received")],
                    "stat",
                    4,
                    4,
                ),
                Panel(
                    "Orders exported",
                    "Orders that the target systems acknowledged for the first time, all connections together.",
                    "none",
                    [(increase_of("syncline_order_export_documents_total", 'document="order",action="created"'), "exported")],
                    "stat",
                    4,
                    4,
                ),
                Panel(
                    "Refunds exported",
                    "Credit notes that the target systems acknowledged.",
                    "none",
                    [(increase_of("syncline_order_export_documents_total", 'document="refund"'), "refunds")],
                    "stat",
                    4,
                    4,
                ),
                Panel(
                    "Held now", "Orders that wait for a mapping entry or a person.", "none", [(f"sum({HELD})", "held")], "stat", 4, 4, thresholds=RED_ABOVE_0
                ),
                Panel(
                    "Dead letters",
                    "Events that were given up, and webhooks that could not be mapped.",
                    "none",
                    [
                        (
                            f"sum(increase(syncline_dead_letters_total{{{IN}}}[$__range]) or increase(syncline_ingress_unmappable_total{{{IN}}}[$__range])) or vector(0)",
                            "dead letters",
                        )
                    ],
                    "stat",
                    4,
                    4,
                    thresholds=RED_ABOVE_0,
                ),
                Panel(
                    "Alerts firing",
                    "Alerts of Syncline that fire now.",
                    "none",
                    [(f'count(ALERTS{{alertname=~"Syncline.*",alertstate="firing",{IN}}}) or vector(0)', "firing")],
                    "stat",
                    4,
                    4,
                    thresholds=RED_ABOVE_0,
                ),
            ],
        ),
        Row(
            "Orders",
            [
                Panel(
                    "Received and exported",
                    "Orders a second: webhooks orders/create in, first acknowledgements of targets out.",
                    "ops",
                    [
                        (f'sum(rate(syncline_ingress_requests_total{{{IN},topic="orders/create",outcome="published"}}[$__rate_interval]))', "received"),
                        (f'sum(rate(syncline_order_export_documents_total{{{IN},document="order",action="created"}}[$__rate_interval]))', "exported"),
                    ],
                ),
                Panel(
                    "Placed until acknowledged",
                    "From the customer's order to the target's acknowledgement; the objective is 60 s for 99 %.",
                    "s",
                    quantiles("syncline_order_export_placed_to_acknowledged_seconds"),
                ),
                Panel(
                    "Webhooks by what became of them",
                    "unavailable means 503, bad_signature that it was not Shopify.",
                    "reqps",
                    [rate_by("syncline_ingress_requests_total", "outcome")],
                    stacked=True,
                ),
                Panel(
                    "Waiting",
                    "Held keys wait for a person or a mapping, parked ones are tried again by themselves.",
                    "none",
                    [(f"sum({HELD})", "held"), (f"sum({PARKED})", "parked")],
                ),
                Panel(
                    "Shopify's delay",
                    "From X-Shopify-Triggered-At to the receipt: what Shopify itself takes.",
                    "s",
                    quantiles("syncline_ingress_delivery_delay_seconds"),
                ),
                Panel(
                    "Orders fetched after a lost webhook",
                    "What reconciliation published, by why.",
                    "ops",
                    [rate_by("syncline_reconciliation_orders_published_total", "reason")],
                ),
            ],
        ),
        Row(
            "Stock and objectives",
            [
                Panel(
                    "Received until shown",
                    "From a stock change being received to Shopify showing it; the objective is 120 s for 95 %.",
                    "s",
                    quantiles("syncline_inventory_sync_received_to_shown_seconds"),
                ),
                Panel(
                    "Differences",
                    "What the last full comparisons found, by class.",
                    "none",
                    [(f"sum by (shop, class) (syncline_reconciliation_stock_differences{{{IN}}})", "{{shop}} {{class}}")],
                    stacked=True,
                ),
                Panel(
                    "Error budget left",
                    "Of 30 days; below 0 the objective is missed.",
                    "percentunit",
                    [(budget_left(), "{{slo}}")],
                    "bargauge",
                    thresholds=BUDGET,
                    maximum=1,
                ),
            ],
        ),
    ],
)

SLO = Board(
    "syncline-slo",
    "Syncline / Objectives",
    "The four objectives of docs/operating/slo.md: how much went wrong, how fast the budget burns, what is left of it.",
    [
        Row(
            "Budget",
            [
                Panel(
                    "Error budget left",
                    "Of 30 days; below 0 the objective is missed.",
                    "percentunit",
                    [(budget_left(), "{{slo}}")],
                    "bargauge",
                    12,
                    thresholds=BUDGET,
                    maximum=1,
                ),
                Panel("Objectives", "The share that has to be right.", "percentunit", [("max by (slo) (slo:syncline_objective:ratio)", "{{slo}}")], "stat", 12),
            ],
        ),
        Row(
            "Burning",
            [
                Panel(
                    f"Burn rate, {window}",
                    f"How many times as fast as it may the budget burned over {window}; {pages}.",
                    "none",
                    [(f"slo:syncline_sli_error:ratio_rate{window}{{{IN}}} / on (slo) group_left () (1 - slo:syncline_objective:ratio)", "{{slo}}")],
                )
                for window, pages in (
                    ("5m", "the short window of the page at 14.4"),
                    ("30m", "the short window of the page at 6"),
                    ("1h", "above 14.4 it pages"),
                    ("6h", "above 6 it pages, above 1 it is a ticket"),
                    ("1d", "above 3 it is a ticket"),
                    ("3d", "above 1 it is a ticket"),
                )
            ],
        ),
        Row(
            "Events",
            [
                Panel("Events counted", "What the objectives are measured on, a second.", "ops", [(f"slo:syncline_sli_events:rate5m{{{IN}}}", "{{slo}}")]),
                Panel("Errors counted", "Those of them that went wrong, a second.", "ops", [(f"slo:syncline_sli_errors:rate5m{{{IN}}}", "{{slo}}")]),
                Panel(
                    "Errors in an hour",
                    "What the low-volume guard of the first page compares.",
                    "none",
                    [(f"slo:syncline_sli_errors:increase1h{{{IN}}}", "{{slo}}")],
                ),
            ],
        ),
    ],
    span="now-7d",
)

WAITING = Board(
    "syncline-dead-letters",
    "Syncline / Dead letters and holds",
    "What was given up, what waits and for what: synclinectl dlq, hold and parked show the single ones.",
    [
        Row(
            "Waiting",
            [
                Panel(
                    "Held keys",
                    "They wait for a mapping entry, a newer event or a person.",
                    "none",
                    [(f"connection:syncline_held_keys:max{{{IN}}}", "{{service}} {{connection}}")],
                ),
                Panel(
                    "Age of the oldest held key",
                    "0 while nothing is held. Above 2 hours it is a ticket.",
                    "s",
                    [(f"connection:syncline_held_age_seconds:max{{{IN}}}", "{{service}} {{connection}}")],
                ),
                Panel(
                    "Held, by code",
                    "How often a handler ended in a hold, by what was missing.",
                    "ops",
                    [(f'sum by (service, code) (rate(syncline_events_total{{{IN},outcome="held"}}[$__rate_interval]))', "{{service}} {{code}}")],
                    stacked=True,
                ),
                Panel(
                    "Parked keys",
                    "They are tried again by themselves, 24 hours at most.",
                    "none",
                    [(f"connection:syncline_parked_keys:max{{{IN}}}", "{{service}} {{connection}}")],
                ),
                Panel(
                    "Age of the oldest parked key",
                    "0 while nothing is parked. Above an hour it is a ticket.",
                    "s",
                    [(f"connection:syncline_parked_age_seconds:max{{{IN}}}", "{{service}} {{connection}}")],
                ),
                Panel(
                    "Parked, by code",
                    "How often a handler ended in another try later, by why.",
                    "ops",
                    [(f'sum by (service, code) (rate(syncline_events_total{{{IN},outcome="parked"}}[$__rate_interval]))', "{{service}} {{code}}")],
                    stacked=True,
                ),
            ],
        ),
        Row(
            "Given up",
            [
                Panel(
                    "Dead letters by class and code",
                    "Since the start of each instance.",
                    "none",
                    [(f"sum by (service, class, code) (syncline_dead_letters_total{{{IN}}})", "{{service}} {{class}} {{code}}")],
                    stacked=True,
                    width=12,
                ),
                Panel(
                    "Webhooks that could not be mapped",
                    "With a good signature; they wait at ingress, by topic and code.",
                    "none",
                    [(f"sum by (topic, code) (syncline_ingress_unmappable_total{{{IN}}})", "{{topic}} {{code}}")],
                    stacked=True,
                    width=12,
                ),
                Panel(
                    "Replays at ingress",
                    "Dead letters of ingress that were mapped again, by result.",
                    "none",
                    [(f"sum by (result) (syncline_ingress_replays_total{{{IN}}})", "{{result}}")],
                ),
                Panel(
                    "Records that retention had taken",
                    "Wanted again, but gone from Kafka.",
                    "none",
                    [(f"sum by (service) (syncline_records_gone_total{{{IN}}})", "{{service}}")],
                ),
                Panel(
                    "Undecidable snapshots",
                    "Two of one version with different contents; the fetched one or the last wins.",
                    "none",
                    [(f"sum by (shop) (syncline_order_export_undecidable_total{{{IN}}})", "{{shop}}")],
                ),
            ],
        ),
    ],
)

DRAWN = [OVERVIEW, ORDER_FLOW, STOCK, CONNECTIONS, WAITING, SLO, RUNTIME]
BOARDS = [*DRAWN, services_board(DRAWN)]
