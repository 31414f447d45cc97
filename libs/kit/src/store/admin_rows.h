// What operators do, as SQL: each verb is one transaction with its row in admin_actions.
#pragma once

#include <syncline/core/clock.h>
#include <syncline/core/error.h>
#include <syncline/postgres/pool.h>
#include <optional>
#include <string>
#include <vector>

#include "src/store/closing_rows.h"
#include "src/store/parked_rows.h"
#include "src/store/rows.h"

namespace syncline::kit::store {

struct AdminAction {
    std::string id;  // Twice the same id is one action.
    std::string verb;
    std::string subject;
    std::string actor;
    std::string reason;
    core::SystemTime at{};
};
// False: there is an action with this id already.
[[nodiscard]] core::Result<bool> record_action(postgres::Transaction& tx, const Identity& who, const AdminAction& action);
[[nodiscard]] core::Result<std::vector<AdminAction>> actions_about(postgres::Pool& pool, const core::Deadline& deadline,
                                                                   const Identity& who, const std::string& subject);

// Held events of the key (of all topics) become due; with `override_code` only those held with that code, and they are told so.
// Returns how many.
[[nodiscard]] core::Result<std::int64_t> release_holds(postgres::Transaction& tx, const Identity& who, core::SystemTime now,
                                                       const std::string& key, const std::string& override_code);

struct ConnectionPause {
    std::string actor;
    std::string reason;
    core::SystemTime at{};
};
[[nodiscard]] core::Result<std::optional<ConnectionPause>> connection_pause(postgres::Pool& pool, const core::Deadline& deadline,
                                                                            const Identity& who);
[[nodiscard]] core::Result<void> pause_connection(postgres::Transaction& tx, const Identity& who, const ConnectionPause& pause);
[[nodiscard]] core::Result<void> resume_connection(postgres::Transaction& tx, const Identity& who);

// When a version of the mapping was seen for the first time by anybody.
[[nodiscard]] core::Result<void> note_mapping_version(postgres::Pool& pool, const core::Deadline& deadline, const Identity& who,
                                                      const std::string& version, core::SystemTime now);

struct ParkedFilter {
    std::string state;  // "held" events, or "waiting"; empty: both.
    std::string shop;
    std::string key;
    std::string code;
    int limit = 100;
};
// Oldest first, without values.
[[nodiscard]] core::Result<std::vector<ParkedEvent>> list_parked(postgres::Pool& pool, const core::Deadline& deadline,
                                                                 const Identity& who, const ParkedFilter& filter);
// Unsent events of this aggregate.
[[nodiscard]] core::Result<std::int64_t> unsent_of_key(postgres::Pool& pool, const core::Deadline& deadline,
                                                       const std::string& key);

}  // namespace syncline::kit::store
