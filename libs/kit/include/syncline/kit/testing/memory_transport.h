// A broker in memory for tests: partitions, consumer groups with rebalances, commits, sends that can be made to fail.
//
// Passes the same conformance suite as libs/kafka (tests/processing/transport_conformance.h). Keys are placed by a hash of their
// own. Any thread. The broker outlives the sources it made.
#pragma once

#include <syncline/kit/transport.h>
#include <condition_variable>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <thread>
#include <vector>

namespace syncline::kit::testing {

class MemorySource;

class MemoryBroker final : public RecordSink, public RecordReader {
public:
    explicit MemoryBroker(int partitions = 4) : partitions_(partitions) {}

    // As a producer would.
    Position publish(const std::string& topic, std::optional<std::string> key, std::string value, RecordHeaders headers);
    [[nodiscard]] std::int32_t partition_of(const std::optional<std::string>& key) const;
    [[nodiscard]] std::vector<TransportRecord> records(const std::string& topic) const;
    // Next offset of a group; -1 if it never committed.
    [[nodiscard]] std::int64_t committed(const std::string& group, const TopicPartition& partition) const;
    void set_committed(const std::string& group, const Position& next);
    // Everything before is gone, as retention does it. A member whose position went with it is told once and stands still.
    void trim(const TopicPartition& partition, std::int64_t before);
    // The next sends fail, each with unknown outcome and nothing written.
    void fail_sends(int count);
    // How often a partition was paused or resumed is not told; whether it is, is.
    [[nodiscard]] bool all_paused(const std::string& group) const;

    [[nodiscard]] std::unique_ptr<MemorySource> join(std::string group);

    void send(OutgoingRecord record, Sent sent) override;
    std::vector<core::Result<TransportRecord>> read(std::span<const Position> positions, core::Deadline deadline) override;

private:
    friend class MemorySource;
    struct Log {
        std::int64_t first = 0;
        std::vector<TransportRecord> records;  // records[0] has offset `first`.
    };
    struct Group {
        std::uint64_t generation = 0;
        std::vector<MemorySource*> members;
        std::set<MemorySource*> released;  // In this generation.
        std::map<TopicPartition, std::int64_t> committed;
    };
    Log& log_of(const std::string& topic, std::int32_t partition);
    [[nodiscard]] std::vector<TopicPartition> share_of(const Group& group, const MemorySource* member) const;

    const int partitions_;
    mutable std::mutex mutex_;
    std::condition_variable changed_;
    std::map<TopicPartition, Log> logs_;
    std::map<std::string, Group> groups_;
    int failing_sends_ = 0;
};

class MemorySource final : public RecordSource {
public:
    ~MemorySource() override;
    core::Result<void> start(std::vector<std::string> topics, Listener listener) override;
    void pause(const std::vector<TopicPartition>& partitions) override;
    void resume(const std::vector<TopicPartition>& partitions) override;
    void commit(const std::vector<Position>& next) override;
    core::Result<void> commit_now(const std::vector<Position>& next, core::Deadline deadline) override;
    core::SteadyTime last_progress() const override;
    std::int64_t brokers_up() const override { return 1; }
    std::vector<Lag> lag() const override;
    void stop(core::Deadline deadline) override;

    // As SIGSTOP does it to a consumer: the group goes on without it, and it learns so when it thaws.
    void freeze();
    void thaw();

private:
    friend class MemoryBroker;
    MemorySource(MemoryBroker& broker, std::string group) : broker_(broker), group_(std::move(group)) {}
    void run();
    void rebalance(std::unique_lock<std::mutex>& lock);
    void leave(std::unique_lock<std::mutex>& lock, bool lost);

    MemoryBroker& broker_;
    const std::string group_;
    Listener listener_;
    std::vector<std::string> topics_;
    // Guarded by the broker's mutex:
    std::map<TopicPartition, std::int64_t> next_;  // Assigned, and where reading goes on.
    std::set<TopicPartition> paused_;
    std::size_t handing_over_ = 0;   // Records in the call of on_records that runs.
    std::set<TopicPartition> lost_;  // Told that their position is gone.
    std::uint64_t generation_ = 0;
    bool member_ = false;
    bool frozen_ = false;
    bool stopping_ = false;
    core::SteadyTime progress_{};
    std::thread thread_;
};

}  // namespace syncline::kit::testing
