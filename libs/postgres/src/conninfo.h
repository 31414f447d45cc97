// The connection string with everything a session needs in it, so that a new connection is right from its first statement.
#pragma once

#include <syncline/core/error.h>
#include <syncline/postgres/pool.h>
#include <string>

namespace syncline::postgres {

// Adds to options.url what it does not say itself: search_path, time-outs, keepalives, UTC, UTF-8, the application's name.
[[nodiscard]] core::Result<std::string> session_conninfo(const PoolOptions& options);

// [a-z_][a-z0-9_]*, at most 63 characters.
[[nodiscard]] bool valid_schema_name(std::string_view name);

}  // namespace syncline::postgres
