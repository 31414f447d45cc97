"""When a flow is over, and what may be left then: holds, parked keys, dead letters and skips equal a list that the test fixes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

from confluent_kafka import Consumer, KafkaException, TopicPartition
from stack import Stack, wait_until

TOPIC = "syncline.orders.v1"


def rows(stack: Stack, sql: str) -> list[list[str]]:
    text = stack.postgres.query(sql)
    return [line.split("|") for line in text.splitlines()]


def quoted(values: Iterable[str]) -> str:
    return "array[" + ",".join("'" + value.replace("'", "''") + "'" for value in values) + "]::text[]"


class Progress:
    """How far the consumer groups are, asked of the broker."""

    def __init__(self, stack: Stack) -> None:
        self.stack = stack

    def lag(self, connection: str = "odoo-main", topic: str = TOPIC) -> int:
        """Records that the group has not finished; counts a partition never committed from its start."""
        settings = {"bootstrap.servers": self.stack.kafka.brokers, "group.id": f"order-export.{connection}.v1", "enable.auto.commit": False, "log_level": 2}
        consumer = Consumer(settings)

        def behind() -> int | None:
            try:
                partitions = [TopicPartition(topic, number) for number in consumer.list_topics(topic, 10).topics[topic].partitions]
                total = 1
                for partition in consumer.committed(partitions, timeout=10):
                    low, high = consumer.get_watermark_offsets(partition, timeout=10)
                    total += high - (partition.offset if partition.offset >= 0 else low)
                return total
            except KafkaException:  # A partition whose leader is being elected.
                return None

        try:
            return wait_until(behind, 30, f"the offsets of {connection} can be read", interval=0.2) - 1
        finally:
            consumer.close()

    def end(self, topic: str = TOPIC) -> int:
        """Records ever published to the topic."""
        consumer = Consumer({"bootstrap.servers": self.stack.kafka.brokers, "group.id": "flow-tests", "enable.auto.commit": False, "log_level": 2})

        def count() -> int | None:
            try:
                partitions = consumer.list_topics(topic, 10).topics[topic].partitions
                return 1 + sum(consumer.get_watermark_offsets(TopicPartition(topic, number), timeout=10)[1] for number in partitions)
            except KafkaException:  # A partition whose leader is being elected.
                return None

        try:
            return wait_until(count, 30, f"{topic} tells its end offsets", interval=0.2) - 1
        finally:
            consumer.close()


def drained(stack: Stack, seconds: float = 60, connection: str = "odoo-main") -> None:
    """Everything published has been settled one way or another, and every result has left the outbox."""
    progress = Progress(stack)
    wait_until(lambda: progress.lag(connection) == 0, seconds, f"order-export {connection} has finished all records", interval=0.3)
    wait_until(lambda: stack.postgres.query("select count(*) from order_export.outbox") == "0", 30, "the outbox is empty")


def of_group(connection: str) -> str:
    return f"join order_export.consumer_groups g using (grp) where g.name = 'order-export.{connection}.v1'"


def waiting_keys(stack: Stack, keys: Iterable[str] | None = None, connection: str = "odoo-main") -> list[list[str]]:
    """(key, state, code, waits_for) of every event that waits in the database."""
    limit = "" if keys is None else f"and key = any({quoted(keys)})"
    return rows(stack, f"select key, state, code, waits_for from order_export.parked_events {of_group(connection)} {limit} order by 1, 2, 3")


def held(stack: Stack, keys: Iterable[str], connection: str = "odoo-main") -> dict[str, str]:
    """key → code of its first held event."""
    found: dict[str, str] = {}
    for key, state, code, _ in waiting_keys(stack, keys, connection):
        if state == "held":
            found.setdefault(key, code)
    return found


def dead(stack: Stack, keys: Iterable[str], connection: str = "odoo-main") -> dict[str, Counter]:
    """key → how many open dead letters of each "class/code"."""
    found: dict[str, Counter] = {}
    limit = f"and state = 'dead' and key = any({quoted(keys)})"
    columns = "key, class, code, count(*)"
    for key, cls, code, count in rows(stack, f"select {columns} from order_export.dead_letters {of_group(connection)} {limit} group by 1, 2, 3"):
        found.setdefault(key, Counter())[f"{cls}/{code}"] += int(count)
    return found


def skips(stack: Stack, keys: Iterable[str], connection: str = "odoo-main") -> Counter:
    """reason → how many events were skipped for it."""
    limit = f"and state = 'skipped' and key = any({quoted(keys)})"
    counted = rows(stack, f"select reason, count(*) from order_export.inbox {of_group(connection)} {limit} group by 1")
    return Counter({reason: int(count) for reason, count in counted})


def settled(
    stack: Stack,
    keys: Iterable[str],
    *,
    holds: Mapping[str, str] | None = None,
    dead_letters: Mapping[str, str] | None = None,
    skipped: Mapping[str, int] | None = None,
    seconds: float = 60,
    connection: str = "odoo-main",
) -> None:
    """Waits until all is settled, then compares what is left for these keys with the fixed list.

    holds: key → code. dead_letters: key → "class/code" of its one dead letter. skipped: reason → events; None where redeliveries
    make the number a matter of chance (their sum is then not compared).
    """
    keys = list(keys)
    drained(stack, seconds, connection)
    expected = dict(holds or {})

    def left_over() -> list[Any]:
        return [row for row in waiting_keys(stack, keys, connection) if not (row[1] == "held" and expected.get(row[0]) == row[2])]

    wait_until(lambda: not left_over(), seconds, f"nothing is parked beside {expected}; left: {left_over()[:5]}", interval=0.3)
    assert held(stack, keys, connection) == expected
    assert {key: "+".join(sorted(codes.elements())) for key, codes in dead(stack, keys, connection).items()} == dict(dead_letters or {})
    if skipped is not None:
        assert dict(skips(stack, keys, connection)) == dict(skipped)
