// The batch handlers of one consumer group and the threads that move their records.
//
//   source thread   starts: claims partitions and reads their stored offsets; on_records → queues of the partitions; rebalances
//   workers         take a partition's batch and run it to its end (run.h); one of a partition at a time
//   ticker thread   offsets to Kafka, for lag only
//
// A full queue holds the source's thread up for a moment first (what it has fetched is kept then), and pauses that partition when
// that does not help. group.cpp: life and rebalances; group_work.cpp: queues and batches. Lives inside Processor; all members
// from any thread.
#pragma once

#include <syncline/kit/processor.h>
#include <atomic>
#include <condition_variable>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "src/batch/flow.h"
#include "src/batch/meters.h"
#include "src/batch/partition.h"
#include "src/batch/run.h"
#include "src/processing/database.h"
#include "src/processing/meters.h"
#include "src/processing/workers.h"
#include "src/store/batch_rows.h"

namespace syncline::kit {

class BatchGroup {
public:
    // What is wrong with these handlers of one group (kind bug), if anything.
    [[nodiscard]] static core::Result<void> check(const std::vector<BatchHandler>& handlers);

    // `handlers` have passed check(). `outbox_written` wakes the relay.
    BatchGroup(std::vector<BatchHandler> handlers, const ProcessorOptions& options, const ProcessorPorts& ports,
               RecordSource& source, const EventMeters& events, const BatchMeters& meters, std::function<void()> outbox_written);
    BatchGroup(const BatchGroup&) = delete;
    BatchGroup& operator=(const BatchGroup&) = delete;
    ~BatchGroup();

    core::Result<void> start();
    [[nodiscard]] core::Result<void> ready() const;
    [[nodiscard]] core::Result<void> alive(std::chrono::nanoseconds stuck_after) const;
    bool drain(core::Deadline deadline);
    [[nodiscard]] Processor::Figures figures() const;
    [[nodiscard]] std::size_t paused() const { return flow_.paused(); }  // Partitions.
    [[nodiscard]] std::vector<RecordSource::Lag> lag() const { return source_.lag(); }

    [[nodiscard]] const store::Identity& who() const { return who_; }
    [[nodiscard]] std::vector<std::string> topics() const;
    // Applies a dead letter alone, in this transaction; the offset stays where it is.
    [[nodiscard]] core::Result<void> replay(postgres::Transaction& tx, const store::DeadLetter& letter);

private:
    [[nodiscard]] core::Result<std::vector<std::int64_t>> starts(const std::vector<TopicPartition>& partitions);
    void on_assigned(const std::vector<TopicPartition>& partitions);
    void on_revoked(const std::vector<TopicPartition>& partitions, bool lost);
    void on_records(std::vector<TransportRecord>&& records);
    void hold_up(const std::vector<BatchPartitionPtr>& fed);
    void run_ticker();
    void commit_offsets();
    void broken(core::Error error);

    struct Taken {
        BatchPartitionPtr partition;
        std::vector<TransportRecord> records;
        std::size_t bytes = 0;
        std::int64_t limit = 0;
    };
    bool work();
    [[nodiscard]] std::optional<Taken> take();
    void finish(Taken& taken, const BatchResult& result);
    // Where another owner has gone on to. False: the partition stands still, or nobody waits any more.
    [[nodiscard]] bool catch_up(BatchPartition& partition);
    void list(const BatchPartitionPtr& partition);  // Under the mutex.
    void drop_queue(BatchPartition& partition);     // Under the mutex.
    void account(std::size_t records, std::size_t bytes);
    [[nodiscard]] bool full(const BatchPartition& partition) const;

    const std::vector<BatchHandler> handlers_;
    const ProcessorOptions options_;
    const ProcessorPorts ports_;
    RecordSource& source_;
    const store::Identity who_;
    const EventMeters events_;
    const BatchMeters meters_;
    const std::function<void()> outbox_written_;
    BatchFlow flow_;
    Database database_;
    Workers workers_;

    mutable std::mutex mutex_;
    std::condition_variable idle_;                        // A batch has ended.
    std::condition_variable room_;                        // A queue is shorter.
    std::map<TopicPartition, BatchPartitionPtr> placed_;  // Claimed, and assigned in a moment.
    std::map<TopicPartition, BatchPartitionPtr> partitions_;
    std::deque<BatchPartitionPtr> ready_;
    std::map<TopicPartition, std::string> lost_positions_;
    std::optional<core::Error> fatal_;
    std::optional<core::SteadyTime> drain_until_;
    std::size_t running_ = 0;
    bool started_ = false;
    bool drained_ = false;

    std::atomic<std::size_t> records_in_flight_{0};
    std::atomic<std::size_t> bytes_in_flight_{0};
    std::atomic<bool> draining_{false};

    std::mutex ticker_mutex_;
    std::condition_variable ticker_wake_;
    bool ticker_stopping_ = false;
    std::thread ticker_thread_;
};

}  // namespace syncline::kit
