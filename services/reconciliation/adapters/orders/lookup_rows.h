// Rows of order_lookups, written by scans and by runs.
#pragma once

#include <syncline/postgres/pool.h>
#include <cstdint>
#include <string>
#include <vector>

#include "app/order_ports.h"

namespace reconciliation {

// The orders that were not noted before under the same run.
[[nodiscard]] core::Result<std::vector<std::int64_t>> insert_lookups(syncline::postgres::Transaction& tx, const std::string& shop,
                                                                     std::vector<Lookup> found, core::SystemTime now);

}  // namespace reconciliation
