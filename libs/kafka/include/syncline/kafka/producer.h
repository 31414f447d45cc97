// Sends records and says for each whether the brokers have it. Idempotent, acks=all, keys placed by murmur2.
//
//   auto producer = kafka::Producer::create({.client = {.brokers = brokers}});   // Result<unique_ptr<Producer>>
//   auto accepted = (*producer)->produce({.topic = topic, .key = key, .value = bytes}, [](core::Result<kafka::Position> at) {…});
//
// One per process; lives as long as the service. produce() never blocks on the network; the queue is bounded in bytes and
// records. Callbacks run on the producer's own thread, one at a time, and must not block: they hold up all others.
// Either produce() returns an error and the callback never runs, or the callback runs exactly once, at latest
// `delivery_timeout` (plus a second) later, also when the producer is closed.
//
// An idempotent producer can fail for good (fatal error). Then every waiting callback gets an error (delivery_unknown for what
// may have been written), the instance is rebuilt within a second, and produce() answers producer_rebuilding meanwhile.
#pragma once

#include <syncline/core/clock.h>
#include <syncline/core/error.h>
#include <syncline/kafka/client.h>
#include <syncline/kafka/record.h>
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>

namespace syncline::kafka {

struct ProducerOptions {
    ClientOptions client;
    std::int64_t queue_bytes_max = 64 * 1024 * 1024;
    std::int32_t queue_records_max = 100'000;
    std::int32_t message_bytes_max = 11 * 1024 * 1024;
    std::chrono::milliseconds linger{5};
    std::string compression = "lz4";
    // From produce() to the callback with an error. Short ones make fatal errors of the idempotent producer likelier.
    std::chrono::milliseconds delivery_timeout{30'000};
    std::chrono::milliseconds close_timeout{5'000};  // Of the destructor, for what is still queued.
};

struct ProducerStats {
    std::int64_t queued_records = 0;  // Accepted, callback not yet run.
    std::int64_t queued_bytes = 0;
    std::uint64_t delivered_total = 0;
    std::uint64_t failed_total = 0;
    std::uint64_t rebuilt_total = 0;  // After fatal errors.
    // From librdkafka's statistics, at most statistics_interval old:
    std::uint64_t wire_bytes_total = 0;     // Sent over the network, compressed.
    std::uint64_t payload_bytes_total = 0;  // Of records delivered, before compression.
    std::int64_t brokers_up = 0;
    std::int64_t round_trip_max_us = 0;
    std::uint64_t compression_refused_total = 0;  // "Broker does not support compression" was logged.
};

class Producer {
public:
    using Done = std::move_only_function<void(core::Result<Position>)>;

    // Checks the configuration; does not wait for brokers.
    [[nodiscard]] static core::Result<std::unique_ptr<Producer>> create(ProducerOptions options);
    // Waits close_timeout for what is queued, fails the rest; leaks the client rather than hang.
    ~Producer();
    Producer(const Producer&) = delete;
    Producer& operator=(const Producer&) = delete;

    // Any thread. Copies key, value and headers. Errors: producer_queue_full, producer_rebuilding, record_too_large,
    // kafka_closed.
    [[nodiscard]] core::Result<void> produce(const OutgoingRecord& record, Done done);

    // produce() and wait for the answer. Blocks until the deadline at most (then delivery_unknown).
    [[nodiscard]] core::Result<Position> send(const OutgoingRecord& record, const core::Deadline& deadline);

    // Blocks until every record accepted so far has its answer, or the deadline (kafka_unavailable).
    [[nodiscard]] core::Result<void> flush(const core::Deadline& deadline);

    // Learns the leaders of these topics, so that the first record does not wait for it. Blocks until the deadline at most.
    [[nodiscard]] core::Result<void> warm_up(std::span<const std::string> topics, const core::Deadline& deadline);

    // False between a fatal error and the end of the rebuild.
    [[nodiscard]] bool usable() const;
    [[nodiscard]] ProducerStats stats() const;

private:
    struct State;
    explicit Producer(std::unique_ptr<State> state);
    std::unique_ptr<State> state_;
};

}  // namespace syncline::kafka
