"""The way of an order, and the health of everything that is spoken to."""

from __future__ import annotations

from model import IN, Board, Panel, Row
from queries import WITH_CONNECTION, gauge_by, quantiles, rate_by

EXPORT = 'service="order-export"'
STATUS = 'service="order-status"'
UP = ((None, "green"), (1, "red"))


def by_connection(metric: str, *labels: str, only: str = "") -> tuple[str, str]:
    names = ("connection", *labels)
    selected = f"{{{IN}{',' + only if only else ''}}}"
    legend = " ".join(f"{{{{{name}}}}}" for name in names)
    return f"sum by ({', '.join(names)}) (rate({metric}{selected}[$__rate_interval]) {WITH_CONNECTION})", legend


def slowest_by_connection(histogram: str, *labels: str) -> list[tuple[str, str]]:
    names = ("connection", *labels)
    legend = " ".join(f"{{{{{name}}}}}" for name in names)
    inner = f"sum by (le, {', '.join(names)}) (rate({histogram}_bucket{{{IN}}}[$__rate_interval]) {WITH_CONNECTION})"
    return [(f"histogram_quantile(0.95, {inner})", f"{legend} p95")]


ORDER_FLOW = Board(
    "syncline-order-flow",
    "Syncline / Order flow",
    "From the webhook to the acknowledgement of the target and back to the order in Shopify, in the order of the way.",
    [
        Row(
            "Ingress",
            [
                Panel(
                    "Webhooks by topic",
                    "Of the chosen shops, whatever became of them.",
                    "reqps",
                    [rate_by("syncline_ingress_requests_total", "topic", only='shop=~"$shop"')],
                    stacked=True,
                ),
                Panel(
                    "First byte until 200",
                    "The broker's acknowledgement included. Shopify gives up after 5 s.",
                    "s",
                    quantiles("syncline_ingress_acknowledge_seconds"),
                ),
                Panel("Refused", "By reason: signature, unknown shop, brokers.", "reqps", [rate_by("syncline_ingress_rejected_total", "reason")], stacked=True),
                Panel(
                    "Turned away or given up by the door",
                    "By reason; requests_in_flight, bytes_in_flight and connection_refused mean that it was full.",
                    "reqps",
                    [rate_by("syncline_ingress_door_rejected_total", "reason")],
                    stacked=True,
                ),
                Panel(
                    "Ignored",
                    "Webhooks of topics that no service consumes, answered 200.",
                    "reqps",
                    [rate_by("syncline_ingress_ignored_total", "topic")],
                    stacked=True,
                ),
                Panel(
                    "Triggered-At replaced",
                    "Webhooks whose time could not be used: the time of receipt stands in, by why.",
                    "reqps",
                    [rate_by("syncline_ingress_triggered_at_replaced_total", "reason")],
                ),
                Panel(
                    "Members the mapping does not know",
                    "Shopify has added something; by name, since the start of each instance.",
                    "none",
                    [(f"sum by (member) (syncline_ingress_unknown_members_total{{{IN}}})", "{{member}}")],
                ),
                Panel("Body sizes", "Of verified webhooks.", "bytes", quantiles("syncline_ingress_body_bytes")),
                Panel(
                    "Volume",
                    "Bytes of verified webhooks a second.",
                    "Bps",
                    [(f"sum(rate(syncline_ingress_body_bytes_total{{{IN}}}[$__rate_interval]))", "bytes")],
                ),
            ],
        ),
        Row(
            "Export",
            [
                Panel(
                    "Events by what became of them",
                    "done, skipped, held, parked, dead_letter; of order-export.",
                    "ops",
                    [rate_by("syncline_events_total", "outcome", only=EXPORT)],
                    stacked=True,
                ),
                Panel(
                    "Skipped, by reason",
                    "Superseded, unchanged, excluded by rule: nothing disappears silently.",
                    "ops",
                    [rate_by("syncline_events_total", "code", only=f'{EXPORT},outcome="skipped"')],
                    stacked=True,
                ),
                Panel("Events settled before", "Redeliveries that the inbox recognised.", "ops", [rate_by("syncline_duplicates_total", "service")]),
                Panel(
                    "Placed until acknowledged, by shop",
                    "The objective is 60 s for 99 %.",
                    "s",
                    quantiles("syncline_order_export_placed_to_acknowledged_seconds", "shop", only='shop=~"$shop"', shares=(0.5, 0.99)),
                ),
                Panel(
                    "Received until settled",
                    "By kind of event; parked and held ones count when they end.",
                    "s",
                    quantiles("syncline_event_age_seconds", "handler", only=EXPORT, shares=(0.95,)),
                ),
                Panel(
                    "Time in the handler",
                    "By kind of event, calls to the target included.",
                    "s",
                    quantiles("syncline_event_handle_seconds", "handler", only=EXPORT, shares=(0.95,)),
                ),
                Panel(
                    "Documents",
                    "What the target acknowledged, by kind and what was done.",
                    "ops",
                    [rate_by("syncline_order_export_documents_total", "document", "action")],
                    stacked=True,
                ),
                Panel(
                    "Unread records",
                    "Of the topics order-export reads.",
                    "none",
                    [(f"service:syncline_consumer_lag_records:sum{{{IN},{EXPORT}}}", "{{topic}}")],
                ),
                Panel("Read back", "Documents that were read back because a lease had run out.", "ops", [rate_by("syncline_verifications_total", "service")]),
            ],
        ),
        Row(
            "Back to Shopify",
            [
                Panel(
                    "Result until shown at the order",
                    "From a target's result to Shopify showing it.",
                    "s",
                    quantiles("syncline_order_status_said_to_shown_seconds", "shop", only='shop=~"$shop"', shares=(0.5, 0.99)),
                ),
                Panel(
                    "Writes to orders",
                    "By what was written and how it ended.",
                    "ops",
                    [rate_by("syncline_order_status_writes_total", "what", "outcome")],
                    stacked=True,
                ),
                Panel("Events of order-status", "By what became of them.", "ops", [rate_by("syncline_events_total", "outcome", only=STATUS)], stacked=True),
            ],
        ),
        Row(
            "Lost webhooks",
            [
                Panel(
                    "Watermark's age",
                    "Up to so long ago every order of the shop is known to be received. Above an hour it is a ticket.",
                    "s",
                    [gauge_by("syncline_reconciliation_orders_watermark_age_seconds", "shop", how="max")],
                ),
                Panel(
                    "Orders found missing",
                    "By why they have to be fetched.",
                    "ops",
                    [rate_by("syncline_reconciliation_orders_found_total", "shop", "reason")],
                    stacked=True,
                ),
                Panel(
                    "Orders noted and not fetched yet",
                    "It goes back to 0 by itself.",
                    "none",
                    [gauge_by("syncline_reconciliation_orders_to_fetch", "shop", how="max")],
                ),
                Panel(
                    "Fetched orders by what became of them",
                    "came: by itself meanwhile; unprovable: nobody can tell.",
                    "ops",
                    [rate_by("syncline_reconciliation_orders_fetched_total", "outcome")],
                    stacked=True,
                ),
                Panel(
                    "What went wrong in the check",
                    "By what and code.",
                    "ops",
                    [rate_by("syncline_reconciliation_orders_errors_total", "shop", "what", "code")],
                    stacked=True,
                ),
            ],
        ),
    ],
    ("shop",),
)

CONNECTIONS = Board(
    "syncline-connections",
    "Syncline / Connections",
    "The health of each target system and of each shop's Admin API.",
    [
        Row(
            "Targets",
            [
                Panel(
                    "Circuit",
                    "1 while the target is considered away; events wait in Kafka.",
                    "none",
                    [(f'max by (service, connection) (syncline_circuit_open{{{IN},connection=~"$connection"}})', "{{service}} {{connection}}")],
                    thresholds=UP,
                    maximum=1,
                ),
                Panel(
                    "Events by what became of them",
                    "Of the instances that work for a connection.",
                    "ops",
                    [by_connection("syncline_events_total", "outcome")],
                    stacked=True,
                ),
                Panel(
                    "Held and parked",
                    "Keys that wait, by connection.",
                    "none",
                    [
                        (f'connection:syncline_held_keys:max{{{IN},connection=~"$connection"}}', "held {{connection}}"),
                        (f'connection:syncline_parked_keys:max{{{IN},connection=~"$connection"}}', "parked {{connection}}"),
                    ],
                ),
                Panel("Time in the handler", "Calls to the target included.", "s", slowest_by_connection("syncline_event_handle_seconds", "handler")),
                Panel("Calls to Odoo", "By method and how they ended.", "ops", [by_connection("syncline_odoo_calls_total", "method", "outcome")], stacked=True),
                Panel("Time of a call to Odoo", "By method.", "s", slowest_by_connection("syncline_odoo_call_seconds", "method")),
                Panel(
                    "Records in a call to Odoo",
                    "How much is gathered: records divided by calls.",
                    "none",
                    [
                        (
                            f"sum by (method) (rate(syncline_odoo_call_records_total{{{IN}}}[$__rate_interval])) / sum by (method) (rate(syncline_odoo_calls_total{{{IN}}}[$__rate_interval]))",
                            "{{method}}",
                        )
                    ],
                ),
                Panel(
                    "Handlers running",
                    "Calls that are under way now.",
                    "none",
                    [(f"sum by (service, connection) (syncline_handlers_running{{{IN}}} {WITH_CONNECTION})", "{{service}} {{connection}}")],
                ),
            ],
        ),
        Row(
            "Shopify's Admin API",
            [
                Panel(
                    "Calls",
                    "By how they ended: ok or the code of the error.",
                    "ops",
                    [rate_by("syncline_shopify_calls_total", "shop", "outcome", only='shop=~"$shop"')],
                    stacked=True,
                ),
                Panel(
                    "Time of a call",
                    "From sending it to its whole answer.",
                    "s",
                    quantiles("syncline_shopify_call_seconds", "shop", only='shop=~"$shop"', shares=(0.5, 0.95)),
                ),
                Panel(
                    "Throttled",
                    "Answers that said THROTTLED or 429: somebody else uses the bucket too.",
                    "ops",
                    [rate_by("syncline_shopify_throttled_total", "shop", only='shop=~"$shop"')],
                ),
                Panel(
                    "Waiting for points",
                    "How long calls waited, by priority.",
                    "s",
                    quantiles("syncline_shopify_wait_seconds", "shop", "priority", only='shop=~"$shop"', shares=(0.95,)),
                ),
                Panel(
                    "Points available",
                    "In the shop's bucket after the last answer.",
                    "none",
                    [gauge_by("syncline_shopify_points_available", "shop", how="min")],
                ),
                Panel(
                    "Points spent and regained",
                    "A second: what was used by priority, and what the bucket regains.",
                    "none",
                    [
                        rate_by("syncline_shopify_points_spent_total", "shop", "priority"),
                        (f"max by (shop) (syncline_shopify_points_restore_rate{{{IN}}})", "{{shop}} regained"),
                    ],
                ),
                Panel(
                    "Shop away",
                    "1 while the shop does not take writes to orders.",
                    "none",
                    [gauge_by("syncline_order_status_shop_away", "shop", how="max")],
                    thresholds=UP,
                    maximum=1,
                ),
                Panel(
                    "API version: days left",
                    "Until Shopify's promise ends; negative afterwards. Below 30 it is a ticket.",
                    "d",
                    [gauge_by("syncline_shopify_api_version_days_left", "shop", how="min")],
                    "stat",
                    thresholds=((None, "red"), (30, "orange"), (90, "green")),
                ),
                Panel(
                    "API version fallen forward",
                    "1 when Shopify answers in another version than asked for.",
                    "none",
                    [gauge_by("syncline_shopify_api_version_fallen_forward", "shop", how="max")],
                    "stat",
                    thresholds=UP,
                ),
                Panel(
                    "Token renewals", "By outcome; only with tokens that expire.", "ops", [rate_by("syncline_shopify_token_renewals_total", "shop", "outcome")]
                ),
                Panel(
                    "Deprecated calls", "Answers that said so, by operation.", "ops", [rate_by("syncline_shopify_deprecated_calls_total", "shop", "operation")]
                ),
                Panel(
                    "Fields denied",
                    "Fields that came as null because the app may not read them.",
                    "ops",
                    [rate_by("syncline_shopify_denied_fields_total", "shop", "operation")],
                ),
                Panel(
                    "Webhook subscriptions missing",
                    "Missing or wrong ones. Above 0 for half an hour it is a ticket.",
                    "none",
                    [gauge_by("syncline_reconciliation_subscriptions_missing", "shop", how="max")],
                    thresholds=UP,
                ),
                Panel(
                    "Webhook subscriptions repaired",
                    "Created, changed or removed.",
                    "ops",
                    [rate_by("syncline_reconciliation_subscriptions_repaired_total", "shop", "what")],
                ),
            ],
        ),
    ],
    ("connection", "shop"),
)
