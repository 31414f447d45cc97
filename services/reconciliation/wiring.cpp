// reconciliation: what Shopify, the sources and Syncline say, compared; what was lost, found.
#include "wiring.h"

#include <syncline/kit/shops.h>
#include <syncline/shopify/admin.h>

#include "adapters/inventory_sync.h"
#include "adapters/lease_schema.h"
#include "config.h"
#include "parts.h"

namespace reconciliation {

void wire(syncline::kit::Service& service) {
    const auto& config = service.own<Config>(service.config<Config>());
    auto& shops = service.shops();
    auto& admins = service.own<syncline::shopify::Admins>(
        syncline::shopify::AdminOptions{.http = service.http(), .clock = service.clock(), .metrics = service.metrics()}, shops);
    service.migration("0001_leases", kOwnLeasesSchema);
    const Parts parts{.service = service,
                      .config = config,
                      .admins = admins,
                      .leases = service.own<syncline::kit::WorkLeases>(service.postgres(), service.clock()),
                      .inventory_sync = service.own<InventorySync>(service.http(), config.stock.inventory_sync,
                                                                   config.stock.inventory_sync_token),
                      .shops = [&shops] {
                          std::vector<std::string> served;
                          for (const auto snapshot = shops.current(); const auto& [alias, shop] : snapshot->by_alias) {
                              if (shop.enabled && shop.admin) {
                                  served.push_back(alias);
                              }
                          }
                          return served;
                      }};
    wire_stock(parts);
    wire_orders(parts);
    service.migration("0011_kit_leases", kKitLeasesSchema);
}

}  // namespace reconciliation
