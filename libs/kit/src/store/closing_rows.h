// The closing transaction as SQL: everything that settles a batch of events, in a fixed order, few statements for many events.
//
//   epochs FOR SHARE → intents → queues of parked keys → inbox → dead letters → rows of the service → outbox → timers
#pragma once

#include <syncline/core/clock.h>
#include <syncline/core/error.h>
#include <syncline/postgres/pool.h>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "src/store/rows.h"

namespace syncline::kit::store {

// Whose transactions these are.
struct Identity {
    std::string group;
    std::int32_t grp = 0;
    std::string connection;
    std::string owner;  // This process.
};

// One event's share of a closing transaction. At most one for each key in a batch.
struct Closing {
    TopicPartition partition;
    std::int64_t epoch = 0;
    KeyOf key;
    std::optional<InboxWrite> inbox;
    std::vector<IntentClose> intents;
    std::vector<IntentRelease> releases;
    std::vector<RowWrite> rows;
    std::vector<OutboxRow> outbox;
    std::optional<ParkedEvent> append;   // Joins the key's queue.
    bool append_wakes = false;           // The rest of the queue becomes due with it.
    std::optional<ParkedEvent> change;   // Stays in the queue: waiting, attempts and times are new.
    std::optional<std::int64_t> remove;  // Leaves the queue.
    bool settle = false;                 // Look whether anything waits still; implied by change and remove.
    std::optional<DeadLetter> dead;
    std::optional<TimerRow> timer;
    bool clears_timers = false;      // Snapshot timers of the key are settled by this.
    std::optional<Position> poison;  // Was begun alone; forget the tries.
};

enum class Verdict : std::uint8_t {
    closed,
    duplicate,   // Another run of the same event settled it; nothing of this one was written.
    not_owner,   // The partition has a newer epoch.
    fence_lost,  // An intent was taken over.
};

struct ClosingAnswer {
    Verdict verdict = Verdict::closed;
    bool key_parked = false;  // After this transaction.
    bool superseded = false;  // The appended snapshot was older than the queue's and ended there.
};

// What a transaction that could not say whether it was committed is looked up by.
struct TransactionId {
    std::string text;
};

// Writes all or, if some must not be written, nothing: then `again` is set and the answers of those have their verdict;
// the caller runs the rest in a new transaction. Answers are in the order of `closings`.
struct ClosingBatchAnswer {
    std::vector<ClosingAnswer> answers;
    bool again = false;
};
[[nodiscard]] core::Result<ClosingBatchAnswer> write_closings(postgres::Transaction& tx, const Identity& who,
                                                              core::SystemTime now, std::span<const Closing* const> closings,
                                                              TransactionId& id);

// Was it committed? Waits for nothing: nullopt while it is still running.
[[nodiscard]] core::Result<std::optional<bool>> was_committed(postgres::Pool& pool, const core::Deadline& deadline,
                                                              const TransactionId& id);

}  // namespace syncline::kit::store
