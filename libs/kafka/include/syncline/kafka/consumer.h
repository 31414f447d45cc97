// A member of a consumer group: delivers records in small batches on its own thread and commits what its owner tells it.
//
//   auto consumer = kafka::Consumer::start({.client = {.brokers = b}, .group = "order-export.odoo-main.v1", .topics =
//   {"syncline.orders.v1"},
//                                           .first_start = kafka::FirstStart::earliest},
//                                          {.on_assign = …, .on_revoke = …, .on_records = …});
//
// Owns one thread and one client; immovable. All callbacks run on that thread, one at a time, and hold up polling: return
// soon. Nothing is committed but by commit(); nothing is skipped silently: where the group has no committed offset `first_start`
// decides, where the committed offset no longer exists on_offset_lost is called and that partition stands still.
// Assignor `range` (eager): a rebalance revokes all partitions before it assigns.
//
// on_revoke is called before the revocation is acknowledged: no other member gets these partitions until it has returned
// (unless `lost`: then another member may already have them). Commit inside it. max.poll.interval.ms bounds it.
#pragma once

#include <syncline/core/clock.h>
#include <syncline/core/error.h>
#include <syncline/kafka/client.h>
#include <syncline/kafka/record.h>
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace syncline::kafka {

enum class FirstStart : std::uint8_t { earliest, latest };

inline constexpr std::int64_t kBeginning = -2;  // As `start`: the oldest record there is.
inline constexpr std::int64_t kEnd = -1;        // As `start`: what comes from now on.
inline constexpr std::int64_t kNotYet = -3;     // As `start` of any: the assignment is given back and asked for again.

struct AssignedPartition {
    std::string topic;
    std::int32_t partition = 0;
    std::optional<std::int64_t> committed;  // The group's committed offset (next to read), if any.
    std::int64_t start = kBeginning;        // Where reading begins: an offset or one of the above. on_assign may change it.
};

struct ConsumerOptions {
    ClientOptions client;
    std::string group;
    std::vector<std::string> topics;  // Full names.
    FirstStart first_start = FirstStart::earliest;
    int batch_max = 200;  // Records handed to one on_records.
    std::int64_t fetch_queue_bytes_max = 8 * 1024 * 1024;
    std::int32_t message_bytes_max = 11 * 1024 * 1024;
    std::chrono::milliseconds session_timeout{10'000};
    std::chrono::milliseconds max_poll_interval{300'000};
    std::chrono::milliseconds close_timeout{10'000};  // Of the destructor.
};

// Every member may be empty except on_records.
struct ConsumerCallbacks {
    // New partitions; `committed` is filled in, `start` proposed. Polling begins when it returns.
    std::function<void(std::vector<AssignedPartition>&)> on_assign;
    // Partitions that go away. `lost`: they are gone already (session expired), a commit would fail.
    std::function<void(const std::vector<TopicPartition>&, bool lost)> on_revoke;
    // 1 to batch_max records, in order within each partition. The views die when it returns.
    std::function<void(std::span<const RecordView>)> on_records;
    // About every 100 ms, also when no record comes: time for the owner's own small chores.
    std::function<void()> on_idle;
    // The position of a partition does not exist any more (retention, truncation). It stands still until restart_at().
    std::function<void(const TopicPartition&, const core::Error&)> on_offset_lost;
    // Anything else worth a log line; the client goes on by itself.
    std::function<void(const core::Error&)> on_error;
    // Cannot go on (fatal error, static membership fenced): restart the process.
    std::function<void(const core::Error&)> on_fatal;
    // An asynchronous commit failed.
    std::function<void(const core::Error&)> on_commit_failed;
};

struct PartitionLag {
    std::string topic;
    std::int32_t partition = 0;
    std::int64_t records = 0;
};

struct ConsumerStats {
    std::vector<PartitionLag> lag;  // Assigned partitions whose lag is known (librdkafka's -1 is left out).
    std::uint64_t records_total = 0;
    std::uint64_t bytes_total = 0;  // Received over the network.
    std::uint64_t rebalances_total = 0;
    std::int64_t brokers_up = 0;
    int assigned = 0;
    int paused = 0;
};

class Consumer {
public:
    // Checks the configuration and starts the thread; does not wait for brokers or for the group.
    [[nodiscard]] static core::Result<std::unique_ptr<Consumer>> start(ConsumerOptions options, ConsumerCallbacks callbacks);
    // close() with close_timeout.
    ~Consumer();
    Consumer(const Consumer&) = delete;
    Consumer& operator=(const Consumer&) = delete;

    // Any thread. Stops fetching; records already on their way into on_records may still come once when called from another
    // thread, none when called from a callback. Pausing what is paused and resuming what is not are no-ops.
    void pause(std::span<const TopicPartition> partitions);
    void resume(std::span<const TopicPartition> partitions);

    // Any thread. Offsets are the next to read. Blocks until the coordinator has answered or the deadline.
    [[nodiscard]] core::Result<void> commit(std::span<const Position> offsets, const core::Deadline& deadline);
    // Returns at once; failures go to on_commit_failed.
    void commit_async(std::span<const Position> offsets);

    // Any thread. Starts a partition again at an offset (after on_offset_lost, or to go back), by a new assignment.
    // Ignored if it is no longer assigned.
    void restart_at(const Position& position);

    // Revokes (on_revoke runs), leaves the group, joins the thread. If librdkafka does not return by the deadline the client is
    // leaked with a log line, and false is returned: end the process. Not from a callback. A second call returns at once.
    bool close(const core::Deadline& deadline);

    // The last time the thread went round its loop: liveness.
    [[nodiscard]] core::SteadyTime last_progress() const;
    // Assigned at least once since start (possibly to no partition).
    [[nodiscard]] bool joined() const;
    [[nodiscard]] ConsumerStats stats() const;

private:
    struct State;
    explicit Consumer(std::unique_ptr<State> state);
    std::unique_ptr<State> state_;
};

}  // namespace syncline::kafka
