// What lanes carry: a record to be handled, or the run of a parked key's queue.
#pragma once

#include <syncline/core/clock.h>
#include <syncline/kit/transport.h>
#include <atomic>
#include <memory>
#include <mutex>
#include <optional>

#include "src/processing/event.h"
#include "src/processing/offsets.h"
#include "src/store/rows.h"

namespace syncline::kit {

// A partition from the moment it was assigned to the moment it was revoked. A partition that comes back is another Assignment.
struct Assignment {
    explicit Assignment(TopicPartition where) : partition(std::move(where)) {}
    const TopicPartition partition;
    std::atomic<std::int64_t> epoch{0};         // 0: not claimed yet.
    std::atomic<std::int64_t> suspect_end{-1};  // Records below it run alone.
    std::atomic<bool> stopping{false};          // Revoked: nothing new is begun.
    std::atomic<bool> abandoned{false};         // Nobody waits any more: database loops give up.

    std::mutex mutex;  // Guards what follows.
    Offsets offsets;
    std::int64_t committed = -1;    // Last position told to Kafka.
    std::int64_t recorded_end = 0;  // Mark in PostgreSQL.
};
using AssignmentPtr = std::shared_ptr<Assignment>;

struct Task {
    enum class Kind : std::uint8_t { record, run };
    Kind kind = Kind::record;
    store::KeyOf key;
    AssignmentPtr home;

    // kind record:
    TransportRecord record;
    Event event;
    std::size_t bytes = 0;
    bool key_parked = false;  // At admission.
    bool alone = false;       // It may have killed the process before.
    int attempts = 0;
    int bug_tries = 0;
    std::optional<core::SystemTime> first_failed_at;

    // Set by the lanes:
    bool trial = false;  // The one call that finds out whether the target is back.
    bool lane_parked = false;
    bool lane_knows_event = false;  // Settled by an earlier task of this lane.
};
using TaskPtr = std::shared_ptr<Task>;

}  // namespace syncline::kit
