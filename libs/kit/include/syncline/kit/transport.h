// Where records come from and go to, as the processor sees it. Two implementations pass one conformance suite:
// src/processing/kafka_transport.h on libs/kafka, testing/memory_transport.h for tests.
//
// Topics are without the prefix here ("orders.v1"); the Kafka adapter adds and removes it.
#pragma once

#include <syncline/core/clock.h>
#include <syncline/core/error.h>
#include <compare>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace syncline::kit {

struct TopicPartition {
    std::string topic;
    std::int32_t partition = 0;
    friend auto operator<=>(const TopicPartition&, const TopicPartition&) = default;
};

struct Position {
    std::string topic;
    std::int32_t partition = 0;
    std::int64_t offset = 0;
    friend auto operator<=>(const Position&, const Position&) = default;
};

// In the order of the wire; names may repeat.
using RecordHeaders = std::vector<std::pair<std::string, std::string>>;

// The value of the last header with that name; empty if none has it.
[[nodiscard]] std::string_view header_value(const RecordHeaders& headers, std::string_view name);

// As a place to begin: the oldest record there is.
inline constexpr std::int64_t kFromBeginning = -2;

// A record as it was read. Owns its bytes.
struct TransportRecord {
    Position position;
    std::optional<std::string> key;
    std::string value;
    RecordHeaders headers;
    [[nodiscard]] std::size_t bytes() const;
};

// Partitions of one consumer group. Its callbacks run on one thread, the source's own.
class RecordSource {
public:
    struct Listener {
        // Where reading of these partitions begins: an offset or kFromBeginning for each, in order. Unset: the group's committed
        // offset, else the beginning. Runs before on_assigned and may block for some seconds. On an error nothing is assigned:
        // the partitions are asked for again.
        std::function<core::Result<std::vector<std::int64_t>>(const std::vector<TopicPartition>&)> starts = nullptr;
        // Records of these partitions follow; they start paused if `on_assigned` called pause().
        std::function<void(const std::vector<TopicPartition>&)> on_assigned;
        // May block up to the hand-over deadline: commits made inside still count. `lost`: the partitions are already another's.
        std::function<void(const std::vector<TopicPartition>&, bool lost)> on_revoked;
        // In order within each partition.
        std::function<void(std::vector<TransportRecord>&&)> on_records;
        // The position of a partition exists no more (retention): it stands still until a person decides.
        std::function<void(const TopicPartition&, const core::Error&)> on_position_lost;
        // Cannot go on: the process should end and start again.
        std::function<void(const core::Error&)> on_fatal;
    };
    virtual ~RecordSource() = default;
    // Begins to join the group; returns at once. Once.
    virtual core::Result<void> start(std::vector<std::string> topics, Listener listener) = 0;
    // From any thread; partitions that are not assigned are ignored.
    virtual void pause(const std::vector<TopicPartition>& partitions) = 0;
    virtual void resume(const std::vector<TopicPartition>& partitions) = 0;
    // Offsets of the next record to read. Asynchronous: errors are logged, a later commit covers an earlier one.
    virtual void commit(const std::vector<Position>& next) = 0;
    // Blocks until the broker has answered.
    virtual core::Result<void> commit_now(const std::vector<Position>& next, core::Deadline deadline) = 0;
    // Time of the machine (not of a test's clock) at the last pass of its loop: the liveness of the process.
    [[nodiscard]] virtual core::SteadyTime last_progress() const = 0;
    // Brokers it is connected to, as of the last figures (every few seconds).
    [[nodiscard]] virtual std::int64_t brokers_up() const = 0;
    // Records not yet read, of assigned partitions where that is known.
    struct Lag {
        TopicPartition partition;
        std::int64_t records = 0;
    };
    [[nodiscard]] virtual std::vector<Lag> lag() const = 0;
    // Leaves the group; on_revoked is called for what was assigned. Returns by the deadline.
    virtual void stop(core::Deadline deadline) = 0;
};

struct OutgoingRecord {
    std::string topic;
    std::optional<std::string> key;
    std::string value;
    RecordHeaders headers;
};

// Durable sends.
class RecordSink {
public:
    using Sent = std::function<void(core::Result<void>)>;
    virtual ~RecordSink() = default;
    // `sent` is called exactly once, from any thread, when all in-sync replicas have the record or it is known to have failed.
    virtual void send(OutgoingRecord record, Sent sent) = 0;
};

// Single records by position (verify, timers).
class RecordReader {
public:
    virtual ~RecordReader() = default;
    // Blocks; one answer for each position, in order. Code "record_gone" (kind rejected): retention has taken it.
    [[nodiscard]] virtual std::vector<core::Result<TransportRecord>> read(std::span<const Position> positions,
                                                                          core::Deadline deadline) = 0;
};

}  // namespace syncline::kit
