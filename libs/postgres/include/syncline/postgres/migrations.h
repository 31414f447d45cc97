// The schema of a service as an ordered list of SQL scripts, each run once.
//
// migrate() creates the pool's schema if it is missing, and in it schema_migrations(name, sha256, applied_at). Each script runs
// in a transaction of its own together with its row, under an advisory lock of that schema: any number of instances may start
// at once and each script still runs once. A script that was applied with a different text is an error and nothing runs:
// what was released is never edited, it is followed by another. A row that no script here has was written by a newer program:
// also an error, and nothing runs. Who asks before it starts to work is refused; who works already is not asked again.
#pragma once

#include <syncline/core/clock.h>
#include <syncline/core/error.h>
#include <syncline/postgres/pool.h>
#include <span>
#include <string>
#include <vector>

namespace syncline::postgres {

struct Migration {
    std::string name;  // Unique, e.g. "0001_inbox".
    std::string sql;   // One or more statements. Must not contain BEGIN or COMMIT.
};

// Names of the scripts that ran now. Blocks. Errors: those of Pool::run, and
//   migration_changed  bug  a script was applied with another text (its name is in the message)
//   schema_newer       rejected  the database has migrations that are not among these (their names are in the message)
//   migration_failed   kind of the cause; the script's name is in the message
[[nodiscard]] core::Result<std::vector<std::string>> migrate(Pool& pool, const core::Deadline& deadline,
                                                             std::span<const Migration> migrations);

// Names of the scripts that have not run yet; the errors migration_changed and schema_newer as above. Changes nothing.
[[nodiscard]] core::Result<std::vector<std::string>> pending_migrations(Pool& pool, const core::Deadline& deadline,
                                                                        std::span<const Migration> migrations);

}  // namespace syncline::postgres
