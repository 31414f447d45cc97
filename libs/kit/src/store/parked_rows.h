// Parked keys and their queues as SQL. What changes queues is in queue_rows.cpp, what looks at them in parked_rows.cpp.
#pragma once

#include <syncline/core/clock.h>
#include <syncline/core/error.h>
#include <syncline/postgres/pool.h>
#include <span>
#include <string>
#include <vector>

#include "src/store/closing_rows.h"
#include "src/store/rows.h"

namespace syncline::kit::store {

// The queue part of a closing transaction: appends, changes, removals, and the release of keys nothing waits for any more.
// Returns the ids of events that left a queue because a newer snapshot came; sets key_parked and superseded in `answers`.
[[nodiscard]] core::Result<std::vector<std::string>> change_queues(postgres::Transaction& tx, const Identity& who,
                                                                   core::SystemTime now, std::span<const Closing* const> closings,
                                                                   std::vector<ClosingAnswer>& answers);

// A key whose queue has something due.
struct DueKey {
    KeyOf at;
    std::int32_t partition = 0;
};
// Keys of these partitions due by `now`, those longest due first, without those in `besides`.
[[nodiscard]] core::Result<std::vector<DueKey>> due_keys(postgres::Pool& pool, const core::Deadline& deadline,
                                                         const Identity& who, core::SystemTime now,
                                                         std::span<const TopicPartition> partitions,
                                                         std::span<const KeyOf> besides, int limit);

// The whole queues of these keys, each in the order of a run: the snapshot first, then facts as they came.
// Records of events that are not due are left out (record.value empty).
[[nodiscard]] core::Result<std::vector<ParkedEvent>> load_queues(postgres::Pool& pool, const core::Deadline& deadline,
                                                                 const Identity& who, core::SystemTime now,
                                                                 std::span<const KeyOf> keys);

// Counts one more start of this parked event, before it runs: it may kill the process. Returns the count.
[[nodiscard]] core::Result<int> count_start(postgres::Pool& pool, const core::Deadline& deadline, std::int64_t seq);
// That start came back without an end (a lease, an open circuit). Starts that killed the process stay counted.
[[nodiscard]] core::Result<void> take_back_start(postgres::Pool& pool, const core::Deadline& deadline, std::int64_t seq);

// Adds events to their keys' queues outside a closing transaction (timers, verification, replay, redrive): due at once.
[[nodiscard]] core::Result<void> append_events(postgres::Transaction& tx, const Identity& who, core::SystemTime now,
                                               std::span<const ParkedEvent> events);

// Everything held for one of these entries becomes due. Returns how many events.
[[nodiscard]] core::Result<std::int64_t> make_due(postgres::Transaction& tx, const Identity& who, core::SystemTime now,
                                                  std::span<const std::string> waits_for);
// What held events of the group wait for, each once.
[[nodiscard]] core::Result<std::vector<std::string>> awaited_entries(postgres::Pool& pool, const core::Deadline& deadline,
                                                                     const Identity& who);

struct ParkedFigures {
    std::int64_t parked = 0;
    std::int64_t held = 0;
    std::optional<core::SystemTime> oldest_parked;
    std::optional<core::SystemTime> oldest_held;
};
[[nodiscard]] core::Result<ParkedFigures> parked_figures(postgres::Pool& pool, const core::Deadline& deadline,
                                                         const Identity& who);

// The columns of parked_events in the order read_parked_event() expects.
inline constexpr std::string_view kParkedColumns =
    "e.seq, e.topic, e.key, e.event_id::text, e.family, e.resource, e.version_updated, e.version_observed, e.version_fetched, "
    "e.mode, e.state, e.kind, e.code, e.reason, e.waits_for, e.expected, e.found, e.currency, e.override_code, e.attempts, "
    "e.crash_tries, e.first_at, e.last_at, e.due_at, e.not_before, e.partition, e.record_offset, e.record_key, e.record_headers, "
    "e.record_value ";
[[nodiscard]] ParkedEvent read_parked_event(const postgres::Row& row);

}  // namespace syncline::kit::store
