// The admin routes of comparison runs: /admin/stock-runs…
#pragma once

#include <syncline/kit/admin.h>
#include <functional>
#include <memory>

#include "adapters/pg_stock_reports.h"
#include "app/stock_ports.h"
#include "domain/stock_rules.h"

namespace reconciliation {

// All outlive the router's use.
void add_stock_routes(syncline::kit::AdminRouter& router, StockRuns& runs, PgStockReports& reports,
                      std::function<std::shared_ptr<const StockRules>()> rules);

}  // namespace reconciliation
