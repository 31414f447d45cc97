// From what PostgreSQL says to core::Error. Pure.
#pragma once

#include <syncline/core/error.h>
#include <string>
#include <string_view>

namespace syncline::postgres {

// `server_text` is the server's message; only the name of a constraint and, for faults of the statement itself (class 42), its
// first line are taken from it: the rest may quote data.
[[nodiscard]] core::Error error_from_sqlstate(std::string_view sqlstate, std::string_view server_text);

// No connection, for the reason libpq gives (hosts, ports, "Connection refused"; never a password).
[[nodiscard]] core::Error connection_lost(std::string_view reason);

}  // namespace syncline::postgres
