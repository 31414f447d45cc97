// What the threads of app/run_stock do, over the adapters, with their metrics.
#pragma once

#include <syncline/telemetry/metrics.h>

#include "adapters/pg_chores.h"
#include "adapters/pg_targets.h"
#include "adapters/sources/file_source.h"
#include "app/run_stock.h"

namespace inventory_sync {

// The arguments must outlive the threads.
[[nodiscard]] StockWork stock_work(PgTargets& targets, PgChores& chores, FileSource& files, RulesSource rules,
                                   syncline::telemetry::Metrics& metrics, std::size_t skus_max, std::chrono::milliseconds lease);

}  // namespace inventory_sync
