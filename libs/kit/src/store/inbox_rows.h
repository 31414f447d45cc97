// The inbox as SQL: admission asks it for many records at once, growth empties it in small steps, timers stand beside it.
#pragma once

#include <syncline/core/clock.h>
#include <syncline/core/error.h>
#include <syncline/postgres/pool.h>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "src/store/closing_rows.h"
#include "src/store/rows.h"

namespace syncline::kit::store {

struct Candidate {
    std::string event_id;  // uuid
    KeyOf at;
};
struct Admission {
    bool known = false;  // An inbox row in any state.
    bool key_parked = false;
};
// One round trip; answers in the order of the candidates.
[[nodiscard]] core::Result<std::vector<Admission>> admit(postgres::Pool& pool, const core::Deadline& deadline,
                                                         const Identity& who, std::span<const Candidate> candidates);

struct InboxEntry {
    EventRow event;
    std::string state;
    std::string reason;
    core::SystemTime at{};
};
[[nodiscard]] core::Result<std::optional<InboxEntry>> find_inbox(postgres::Pool& pool, const core::Deadline& deadline,
                                                                 const Identity& who, const std::string& event_id);
// Oldest first, at most 1,000.
[[nodiscard]] core::Result<std::vector<InboxEntry>> inbox_of_key(postgres::Pool& pool, const core::Deadline& deadline,
                                                                 const Identity& who, const std::string& key);

// Deletes up to `limit` settled rows older than `before`. Returns how many there were.
[[nodiscard]] core::Result<std::int64_t> delete_settled(postgres::Pool& pool, const core::Deadline& deadline, const Identity& who,
                                                        core::SystemTime before, int limit);

struct DueTimer {
    TimerRow timer;
    Position snapshot;           // Newest applied snapshot of the key, where there is one; else the event that set the timer.
    std::string snapshot_event;  // Its id.
};
// `snapshot_types`: the types whose last done event of a key is its newest snapshot.
[[nodiscard]] core::Result<std::vector<DueTimer>> due_timers(postgres::Pool& pool, const core::Deadline& deadline,
                                                             const Identity& who, core::SystemTime now,
                                                             std::span<const TopicPartition> partitions,
                                                             std::span<const std::string> snapshot_types, int limit);
// Only those whose time has not been changed since.
[[nodiscard]] core::Result<void> delete_timers(postgres::Transaction& tx, const Identity& who, std::span<const TimerRow> timers);

}  // namespace syncline::kit::store
