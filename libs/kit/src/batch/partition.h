// A partition of a batch group from the moment it was assigned to the moment it was revoked.
#pragma once

#include <syncline/kit/batch.h>
#include <syncline/kit/transport.h>
#include <atomic>
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>

namespace syncline::kit {

struct BatchPartition {
    BatchPartition(TopicPartition place, const BatchHandler& its, std::int64_t claimed)
        : where(std::move(place)), handler(its), epoch(claimed) {}
    const TopicPartition where;
    const BatchHandler& handler;
    const std::int64_t epoch;
    std::atomic<bool> stopping{false};   // Revoked, or it cannot go on: no further transaction is begun.
    std::atomic<bool> abandoned{false};  // Nobody waits any more: database loops give up.

    // Of the worker that has its batch, else guarded by the group's mutex:
    std::optional<std::int64_t> position;  // next_offset as PostgreSQL has it; empty: no row.
    std::int64_t mark = -1;                // recorded_end as we wrote it; -1: not yet.
    // The owner before did not say goodbye: records below this offset may have killed it, and go in small steps.
    std::int64_t suspect_end = -1;
    std::int64_t suspect_step = 0;

    // Guarded by the group's mutex:
    std::deque<TransportRecord> queue;
    std::int64_t seen = -1;       // The highest offset that was queued; what comes again below it is left out.
    bool running = false;         // A worker has a batch of it.
    bool listed = false;          // It waits for a worker.
    std::int64_t next = -1;       // `position`, for Kafka.
    std::int64_t committed = -1;  // Last position told to Kafka.
};
using BatchPartitionPtr = std::shared_ptr<BatchPartition>;

// Into how many steps a suspect range is cut: a death costs at most so many small transactions a partition, and a killer among
// the 5,000 records of a batch is alone after two deaths (80 × 80 > 5,000).
inline constexpr std::int64_t kSuspectSteps = 80;

// Records at or above this offset do not belong to the batch that begins at `first`. Sets suspect_step.
[[nodiscard]] std::int64_t batch_limit(BatchPartition& partition, std::int64_t first);
// Up to where records may be handed out after a batch that ends at `end`.
[[nodiscard]] std::int64_t next_mark(const BatchPartition& partition, std::int64_t end);
// The record at this offset may have killed the process and is tried alone.
[[nodiscard]] bool runs_alone(const BatchPartition& partition, std::int64_t offset);

}  // namespace syncline::kit
