// Intents as SQL, and the decision who may act.
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

struct IntentWish {
    std::string external_key;
    Version version;
    std::string holder;  // The key of the event that wants to act.
    std::int64_t epoch = 0;
    Position position;
    core::SystemTime lease_until;
    bool any_version = false;  // Any result of before will do.
    bool again = false;        // Verification or redrive: an equal version does not count as done.
};

struct IntentRow {
    std::optional<Version> version;  // Of the last result; empty: there was none.
    std::string owner;
    std::string holder;
    std::int64_t epoch = 0;
    core::SystemTime lease_until;
    bool open = false;
    EffectRecord record;
};

enum class IntentAnswerKind : std::uint8_t {
    taken,    // Go on; the lease is ours.
    already,  // Done before: see the record.
    busy,     // Another holds the lease until then.
};
struct IntentAnswer {
    IntentAnswerKind kind = IntentAnswerKind::taken;
    EffectRecord record;
    core::SystemTime busy_until{};
    // The lease of another, who did not come back with a result, was taken over: what it sent may still arrive.
    bool took_over = false;
};

// What a wish gets where a row exists.
[[nodiscard]] IntentAnswer decide_intent(const IntentWish& wish, const IntentRow& row, const std::string& owner,
                                         core::SystemTime now);

// One answer for each wish, in order. External keys must be different. `verify_at` is set where a lease was taken over.
[[nodiscard]] core::Result<std::vector<IntentAnswer>> acquire_intents(postgres::Transaction& tx, const Identity& who,
                                                                      core::SystemTime now, core::SystemTime verify_at,
                                                                      std::span<const IntentWish> wishes);

// Intents that several keys share end at once. False for each that was no longer ours.
struct SharedEnd {
    std::string external_key;
    std::string holder;
    std::int64_t epoch = 0;
    std::optional<IntentClose> close;             // Else: released.
    std::optional<core::SystemTime> lease_until;  // Released, but not before then.
};
[[nodiscard]] core::Result<std::vector<bool>> end_shared_intents(postgres::Transaction& tx, const Identity& who,
                                                                 core::SystemTime now, std::span<const SharedEnd> ends);

// A lease ran out during a call: whoever owns the key now has to look at the document at that time.
[[nodiscard]] core::Result<void> mark_verify(postgres::Pool& pool, const core::Deadline& deadline, const Identity& who,
                                             const std::string& external_key, core::SystemTime at);

// A document to be read back, and the event that was last applied to it.
struct DueVerification {
    std::string external_key;
    std::string holder;
    Position position;
};
[[nodiscard]] core::Result<std::vector<DueVerification>> due_verifications(postgres::Pool& pool, const core::Deadline& deadline,
                                                                           const Identity& who, core::SystemTime now,
                                                                           std::span<const TopicPartition> partitions, int limit);
[[nodiscard]] core::Result<void> clear_verifications(postgres::Transaction& tx, const Identity& who, core::SystemTime now,
                                                     std::span<const std::string> external_keys);

}  // namespace syncline::kit::store
