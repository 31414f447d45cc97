"""Reads the results that order-export published, and times them against the moment their webhook was due."""

from __future__ import annotations

import datetime
import time
from collections.abc import Iterator
from dataclasses import dataclass

from confluent_kafka import Consumer, KafkaError, KafkaException, TopicPartition

TOPIC = "syncline.exports.v1"
NANOS = 1_000_000_000


def fields(message: bytes) -> Iterator[tuple[int, int | bytes]]:
    """(number, value) of each field of a Protobuf message; groups do not occur in ours."""
    at = 0

    def varint() -> int:
        nonlocal at
        value = shift = 0
        while True:
            byte = message[at]
            at += 1
            value |= (byte & 0x7F) << shift
            if byte < 0x80:
                return value
            shift += 7

    while at < len(message):
        tag = varint()
        if tag & 7 == 0:
            yield tag >> 3, varint()
        elif tag & 7 == 2:
            size = varint()
            yield tag >> 3, message[at : at + size]
            at += size
        else:
            size = 8 if tag & 7 == 1 else 4
            yield tag >> 3, message[at : at + size]
            at += size


def nanoseconds(timestamp: bytes) -> int:
    parts = dict(fields(timestamp))
    return int(parts.get(1, 0)) * NANOS + int(parts.get(2, 0))


def rfc3339_ns(text: str) -> int:
    """Of "2026-11-27T08:00:01.123456789Z"."""
    seconds, _, fraction = text.rstrip("Z").partition(".")
    whole = datetime.datetime.fromisoformat(seconds).replace(tzinfo=datetime.UTC)
    return int(whole.timestamp()) * NANOS + int(fraction.ljust(9, "0")[:9] or 0)


@dataclass
class Result:
    type: str
    key: str
    observed_ns: int  # X-Shopify-Triggered-At of the webhook that led to it.
    at_ns: int  # When the ERP's answer was acknowledged: ce_time.


def results(brokers: str, before: dict[int, int]) -> Iterator[Result]:
    """Every record of the exports topic from the offsets `before` to the end that the topic has now."""
    consumer = Consumer({"bootstrap.servers": brokers, "group.id": "bench", "enable.auto.commit": False, "auto.offset.reset": "error"})
    try:
        end = offsets(brokers)
        consumer.assign([TopicPartition(TOPIC, partition, before.get(partition, 0)) for partition in end])
        left = sum(last - before.get(partition, 0) for partition, last in end.items())
        while left > 0:
            batch = consumer.consume(5000, 5)
            if not batch:
                raise TimeoutError(f"{left} records of {TOPIC} do not come")
            for message in batch:
                if message.error():
                    raise TimeoutError(f"{TOPIC}: {message.error()}")
                if message.offset() < end[message.partition()]:
                    left -= 1
                    yield to_result(message)
    finally:
        consumer.close()


def to_result(message) -> Result:  # noqa: ANN001 - confluent_kafka has no types
    headers = {name: value for name, value in message.headers() or []}
    context = next((value for number, value in fields(message.value()) if number == 1 and isinstance(value, bytes)), b"")
    observed = next((value for number, value in fields(context) if number == 6 and isinstance(value, bytes)), b"")
    return Result(
        type=headers.get("ce_type", b"").decode().rsplit(".", 1)[-1],
        key=(message.key() or b"").decode(),
        observed_ns=nanoseconds(observed) if observed else 0,
        at_ns=rfc3339_ns(headers["ce_time"].decode()),
    )


def offsets(brokers: str, topic: str = TOPIC) -> dict[int, int]:
    """Partition → end of the topic."""
    consumer = Consumer({"bootstrap.servers": brokers, "group.id": "bench", "enable.auto.commit": False})
    try:
        partitions = consumer.list_topics(topic, 10).topics[topic].partitions
        return {number: _end(consumer, TopicPartition(topic, number)) for number in partitions}
    finally:
        consumer.close()


def _end(consumer: Consumer, partition: TopicPartition) -> int:
    """Right after a topic was made its partitions may not have a leader everywhere yet."""
    until = time.monotonic() + 30
    while True:
        try:
            return consumer.get_watermark_offsets(partition, timeout=10)[1]
        except KafkaException as error:
            if error.args[0].code() != KafkaError.NOT_LEADER_FOR_PARTITION or time.monotonic() > until:
                raise
            time.sleep(0.2)


def quantile(values: list[float], share: float) -> float:
    """Of sorted values."""
    return values[min(len(values) - 1, int(share * len(values)))] if values else 0.0
