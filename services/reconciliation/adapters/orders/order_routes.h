// The admin routes of the check of orders: how far it is, and what operators ask for.
#pragma once

#include <syncline/kit/admin.h>
#include <functional>
#include <string>
#include <vector>

#include "adapters/orders/pg_order_checks.h"
#include "app/order_ports.h"

namespace reconciliation {

// All outlive the router.
struct OrderRoutes {
    PgOrderChecks& checks;
    ShopOrders& orders;
    std::function<std::vector<std::string>()> shops;
    core::Clock& clock;
    GapRules rules;
};
void add_order_routes(syncline::kit::AdminRouter& router, OrderRoutes routes);

}  // namespace reconciliation
