"""Last of the session: no personal data in logs, metrics, keys, headers, error texts. Greps for the names every order carried."""

import subprocess

import pytest
from support.flow import SEEDED_NAMES


@pytest.fixture
def after_trouble(flow):
    """An order that was held, one that was refused, one that could not be mapped: their texts are searched too."""
    held = flow.order(note="Zanzibarnote")
    held.lines[0].rate = "0.035"
    flow.place(held)
    refused = flow.order(note="Zanzibarnote")
    rule = flow.erp.fault(kind="refuse_record", external_ids=[refused.external_id])
    flow.place(refused)
    broken = flow.order(note="Zanzibarnote")
    broken.extra = {"line_items": {}}
    flow.place(broken)
    flow.drained()
    flow.erp.control("DELETE", f"faults?id={rule}")
    return flow


def hits(text: str) -> list[str]:
    return [line[:300] for line in text.splitlines() if any(name in line for name in SEEDED_NAMES)]


def test_logs_hold_no_personal_data(after_trouble):
    for service in after_trouble.stack.services.values():
        text = service.process.log.read_text(errors="replace")
        assert len(text) > 0 and hits(text) == []


def test_metrics_hold_no_personal_data(after_trouble):
    for service in after_trouble.stack.services.values():
        text = service.metrics()
        assert "syncline_" in text and hits(text) == []


def test_the_admin_door_shows_none(after_trouble):
    for path in ("/admin/holds", "/admin/dead-letters", "/admin/parked"):
        assert hits(str(after_trouble.admin(path)).replace(",", "\n")) == []


@pytest.mark.parametrize("topic", ["orders.v1", "exports.v1", "dead-letters.v1"])
def test_keys_and_headers_of_kafka_hold_none(after_trouble, topic):
    done = subprocess.run(
        ["kcat", "-b", after_trouble.stack.kafka.brokers, "-C", "-t", f"syncline.{topic}", "-e", "-q", "-f", "%k %h\n"], capture_output=True, timeout=120
    )
    text = done.stdout.decode(errors="replace")
    assert len(text) > 0 and hits(text) == []


@pytest.mark.parametrize(
    "columns, table",
    [
        ("key, reason", "inbox"),
        ("key, code, reason, waits_for", "parked_events"),
        ("key, code, reason", "dead_letters"),
        ("external_key, name, detail", "intents"),
        ("subject, reason", "admin_actions"),
    ],
)
def test_texts_of_the_state_hold_none(after_trouble, columns, table):
    assert hits(after_trouble.stack.postgres.query(f"select {columns} from order_export.{table}")) == []
