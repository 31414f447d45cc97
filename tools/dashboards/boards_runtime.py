"""What the services stand on: Kafka, PostgreSQL, processes and their configuration."""

from __future__ import annotations

from model import IN, Board, Panel, Row
from queries import gauge_by, quantiles, rate_by

OF = 'service=~"$service"'
DOWN = ((None, "red"), (1, "green"))
# Names of processes are everybody's: only those of Syncline.
OURS = "and on (namespace, job, instance) syncline_build_info"


def of_process(metric: str) -> str:
    return f"{metric}{{{IN},{OF}}} {OURS}"


RUNTIME = Board(
    "syncline-runtime",
    "Syncline / Kafka and runtime",
    "Brokers, database, outbox and processes of every service.",
    [
        Row(
            "Kafka",
            [
                Panel(
                    "Unread records", "By service and topic.", "none", [(f"service:syncline_consumer_lag_records:sum{{{IN},{OF}}}", "{{service}} {{topic}}")]
                ),
                Panel(
                    "Events settled",
                    "By service and what became of them.",
                    "ops",
                    [(f"service:syncline_events:rate5m{{{IN},{OF}}}", "{{service}} {{outcome}}")],
                    stacked=True,
                ),
                Panel(
                    "Partitions paused",
                    "By a bound on what is in flight, an open circuit, an absent database or a person.",
                    "none",
                    [gauge_by("syncline_partitions_paused", "service", only=OF)],
                ),
                Panel(
                    "Brokers",
                    "Connected, the worst instance of each service.",
                    "none",
                    [gauge_by("syncline_producer_brokers_up", "service", how="min", only=OF)],
                    thresholds=DOWN,
                ),
                Panel("Records acknowledged", "By brokers.", "ops", [rate_by("syncline_producer_delivered_total", "service", only=OF)]),
                Panel(
                    "Records given up",
                    "They are sent again from the outbox; at ingress they become 503.",
                    "ops",
                    [rate_by("syncline_producer_failed_total", "service", only=OF)],
                ),
                Panel(
                    "Records waiting for brokers", "Accepted and not acknowledged.", "none", [gauge_by("syncline_producer_queued_records", "service", only=OF)]
                ),
                Panel("Bytes waiting for brokers", "Accepted and not acknowledged.", "bytes", [gauge_by("syncline_producer_queued_bytes", "service", only=OF)]),
                Panel("Bytes to brokers", "Compressed.", "Bps", [rate_by("syncline_producer_wire_bytes_total", "service", only=OF)]),
                Panel(
                    "Producers rebuilt",
                    "After a fatal error; and brokers that refused compression.",
                    "none",
                    [
                        (f"sum by (service) (syncline_producer_rebuilt_total{{{IN},{OF}}})", "{{service}} rebuilt"),
                        (f"sum by (service) (syncline_producer_compression_refused_total{{{IN},{OF}}})", "{{service}} compression refused"),
                    ],
                ),
                Panel("Records in flight", "Read and not yet settled.", "none", [gauge_by("syncline_in_flight_records", "service", only=OF)]),
                Panel("Bytes in flight", "Read and not yet settled.", "bytes", [gauge_by("syncline_in_flight_bytes", "service", only=OF)]),
            ],
        ),
        Row(
            "Batches",
            [
                Panel(
                    "Batches by what became of them",
                    "halved: an error stands somewhere inside; dropped: another owner had gone on.",
                    "ops",
                    [rate_by("syncline_batches_total", "service", "topic", "outcome", only=OF)],
                    stacked=True,
                ),
                Panel("Records in a batch", "By topic.", "none", quantiles("syncline_batch_records", "service", "topic", only=OF, shares=(0.5, 0.95))),
                Panel(
                    "Time of a batch", "To apply it, by topic.", "s", quantiles("syncline_batch_apply_seconds", "service", "topic", only=OF, shares=(0.5, 0.95))
                ),
            ],
        ),
        Row(
            "PostgreSQL",
            [
                Panel(
                    "PostgreSQL answers",
                    "1 while it does, the worst instance of each service.",
                    "none",
                    [gauge_by("syncline_postgres_available", "service", how="min", only=OF)],
                    thresholds=DOWN,
                    maximum=1,
                ),
                Panel(
                    "Connections",
                    "By state; waiting counts threads without one.",
                    "none",
                    [gauge_by("syncline_postgres_connections", "service", "state", only=OF)],
                    stacked=True,
                ),
                Panel(
                    "Connections thrown away",
                    "Because something broke on them.",
                    "ops",
                    [rate_by("syncline_postgres_connections_discarded_total", "service", only=OF)],
                ),
                Panel(
                    "PostgreSQL's clock",
                    "How far it is ahead of the clock of the instance that differs most; instances go by PostgreSQL's. Beyond seconds, look at the time service of the nodes.",
                    "s",
                    [
                        gauge_by("syncline_postgres_clock_ahead_seconds", "service", how="max", only=OF),
                        gauge_by("syncline_postgres_clock_ahead_seconds", "service", how="min", only=OF),
                    ],
                ),
                Panel("Events in the outbox", "They leave it within a second.", "none", [gauge_by("syncline_outbox_unsent", "service", how="max", only=OF)]),
                Panel(
                    "Age of the oldest event in the outbox",
                    "0 while it is empty. Above 5 minutes it is a ticket.",
                    "s",
                    [(f"service:syncline_outbox_age_seconds:max{{{IN},{OF}}}", "{{service}}")],
                ),
                Panel(
                    "Relayed from the outbox",
                    "Sent, and sends that failed and will be repeated.",
                    "ops",
                    [
                        (f"sum by (service) (rate(syncline_outbox_sent_total{{{IN},{OF}}}[$__rate_interval]))", "{{service}} sent"),
                        (f"sum by (service) (rate(syncline_outbox_send_failures_total{{{IN},{OF}}}[$__rate_interval]))", "{{service}} failed"),
                    ],
                ),
                Panel("Inbox rows deleted", "After their time.", "ops", [rate_by("syncline_inbox_deleted_total", "service", only=OF)]),
            ],
        ),
        Row(
            "Processes",
            [
                Panel(
                    "Processor time",
                    "Cores in use, user and system.",
                    "none",
                    [(f"sum by (service, instance) (rate(process_cpu_seconds_total{{{IN},{OF}}}[$__rate_interval]) {OURS})", "{{service}} {{instance}}")],
                ),
                Panel(
                    "Resident memory",
                    "Of each instance.",
                    "bytes",
                    [(f"sum by (service, instance) ({of_process('process_resident_memory_bytes')})", "{{service}} {{instance}}")],
                ),
                Panel(
                    "Open file descriptors",
                    "Of each instance.",
                    "none",
                    [(f"sum by (service, instance) ({of_process('process_open_fds')})", "{{service}} {{instance}}")],
                ),
                Panel(
                    "Running since",
                    "Of each instance; a saw-tooth is a process that dies again and again.",
                    "s",
                    [(f"time() - max by (service, instance) ({of_process('process_start_time_seconds')})", "{{service}} {{instance}}")],
                ),
                Panel(
                    "Versions",
                    "Which version runs where.",
                    "none",
                    [(f"count by (service, version) (syncline_build_info{{{IN},{OF}}})", "{{service}} {{version}}")],
                    "table",
                ),
                Panel("Shops", "Enabled in shops.yaml, as each service sees it.", "none", [gauge_by("syncline_shops", "service", how="min", only=OF)]),
                Panel(
                    "Connections of the public door",
                    "Open ones, and requests that are not answered yet.",
                    "none",
                    [
                        (f"sum(syncline_ingress_connections{{{IN}}})", "connections"),
                        (f"sum(syncline_ingress_in_flight_requests{{{IN}}})", "requests"),
                        (f"sum(syncline_ingress_waiting_requests{{{IN}}})", "waiting for brokers"),
                    ],
                ),
                Panel("Bodies at the public door", "Being read, or not answered yet.", "bytes", [(f"sum(syncline_ingress_in_flight_bytes{{{IN}}})", "bytes")]),
                Panel(
                    "Configuration refused",
                    "1 while the newest text of a file is refused and the one before is in force.",
                    "none",
                    [gauge_by("syncline_config_reload_failed", "service", "file", how="max", only=OF)],
                    maximum=1,
                ),
                Panel(
                    "Configuration's age",
                    "Since the text in force was loaded.",
                    "s",
                    [(f"time() - max by (service, file) (syncline_config_loaded_timestamp_seconds{{{IN},{OF}}})", "{{service}} {{file}}")],
                ),
            ],
        ),
    ],
    ("service",),
)
