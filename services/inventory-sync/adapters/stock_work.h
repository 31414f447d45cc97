// What the threads of app/run_stock do, over the adapters, with their metrics.
#pragma once

#include <syncline/kit/leases.h>
#include <syncline/telemetry/metrics.h>

#include "adapters/pg_chores.h"
#include "adapters/pg_targets.h"
#include "adapters/sources/file_source.h"
#include "adapters/sources/odoo_source.h"
#include "adapters/sources/sftp_fetch.h"
#include "app/run_stock.h"

namespace inventory_sync {

// `gathering`: a backlog is being read, what is not urgent waits. The arguments must outlive the threads.
struct OwnSources {
    FileSource& files;
    SftpFetch& sftp;
    OdooSource& odoo;
};
[[nodiscard]] StockWork stock_work(PgTargets& targets, PgChores& chores, syncline::kit::WorkLeases& leases, OwnSources sources,
                                   RulesSource rules, syncline::telemetry::Metrics& metrics, std::size_t skus_max,
                                   std::chrono::milliseconds lease, std::function<bool()> gathering);

}  // namespace inventory_sync
