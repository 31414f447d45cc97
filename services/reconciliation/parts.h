// What the two halves of the service share; made by wire(), lives as long as the service.
#pragma once

#include <syncline/kit/leases.h>
#include <syncline/kit/service.h>
#include <functional>
#include <string>
#include <vector>

#include "config.h"

namespace syncline::shopify {
class Admins;
}

namespace reconciliation {

class InventorySync;

struct Parts {
    syncline::kit::Service& service;
    const Config& config;
    syncline::shopify::Admins& admins;
    syncline::kit::WorkLeases& leases;
    InventorySync& inventory_sync;
    // Shops of shops.yaml that are enabled and whose Admin API may be called.
    std::function<std::vector<std::string>()> shops;
};

// Each makes its own objects with service.own(), its migrations, handlers, runnables and admin routes.
void wire_stock(const Parts& parts);
void wire_orders(const Parts& parts);

}  // namespace reconciliation
