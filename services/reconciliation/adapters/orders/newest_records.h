// Where a topic ends now, by partition: what must have been read before anything can be called missing.
#pragma once

#include "adapters/orders/pg_order_checks.h"

namespace reconciliation {

// `topic` with its prefix; `fetcher` outlives the function. Blocks for the newest record of each partition.
[[nodiscard]] PgOrderChecks::NewestRecords newest_records(syncline::kafka::Fetcher& fetcher, std::string topic);

}  // namespace reconciliation
