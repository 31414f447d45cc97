// A commit whose answer was lost: was it done?
#pragma once

#include <syncline/core/error.h>
#include <cstddef>

#include "src/processing/database.h"
#include "src/store/closing_rows.h"

namespace syncline::kit {

// Asks PostgreSQL until it says (pg_xact_status), however long that takes; an error only when the database was stopped.
// `events`: how many hang on it, for the log.
[[nodiscard]] core::Result<bool> committed_after_all(Database& database, const store::TransactionId& id, std::size_t events);

// The error of a commit that turned out not to have happened: it is written again.
[[nodiscard]] core::Error commit_lost();

}  // namespace syncline::kit
