// order-status: what became of an order in the targets, shown at the order in Shopify.
#include "wiring.h"

#include <syncline/kit/admin.h>
#include <syncline/kit/shops.h>
#include <syncline/shopify/admin.h>
#include <syncline/telemetry/log.h>
#include <syncline/telemetry/metrics.h>
#include <syncline/topics.h>
#include <random>
#include <set>

#include "adapters/admin_routes.h"
#include "adapters/event_mapping.h"
#include "adapters/pg_status_store.h"
#include "adapters/shopify_orders.h"
#include "app/shop_circuits.h"
#include "app/show_status.h"

namespace order_status {
namespace {

namespace telemetry = syncline::telemetry;
namespace topics = syncline::topics;
using kit::Outcome;

double random_part() {
    thread_local std::mt19937 random{std::random_device{}()};
    return std::uniform_real_distribution<double>(0.0, 1.0)(random);
}

template <typename Event>
void show(kit::Service& service, const Config& config, ShowStatus& show_status) {
    service.on<Event>({.topic = topics::exports,
                       .consumer_group = config.group(),
                       .family = kit::Family::fact,
                       // What one connection says waits in its order; the others' is not held up by it.
                       .resource = [](const Event& event) { return "connection/" + event.context().connection(); },
                       .version = {},
                       .handle =
                           [&show_status](const Event& event, kit::Delivery& delivery) {
                               const auto said = said_by(event, delivery.headers());
                               return said ? show_status.run(said->key, said->connection, said->statement, delivery)
                                           : Outcome::failed(said.error());
                           }});
}

}  // namespace

void wire(kit::Service& service) {
    const auto config = service.config<Config>();
    auto& admins = service.own<syncline::shopify::Admins>(
        syncline::shopify::AdminOptions{.http = service.http(), .clock = service.clock(), .metrics = service.metrics()},
        service.shops());
    wire_with(service, config, service.own<ShopifyOrders>(admins, service.shops(), config.name_space, service.metrics()));
}

void wire_with(kit::Service& service, const Config& config, ShopOrders& shops) {
    auto& clock = service.clock();
    service.migration("0001_statuses", kStatusSchema);
    auto& store = service.own<PgStatusStore>(service.postgres(), clock);
    const auto away =
        service.metrics().gauge("syncline_order_status_shop_away", "1 while the shop does not take writes.", {"shop"});
    const auto age =
        service.metrics().histogram("syncline_order_status_said_to_shown_seconds",
                                    "From a target's result to Shopify showing it.", {"shop"}, telemetry::delay_buckets());
    auto& circuits =
        service.own<ShopCircuits>(clock, config.circuits, random_part, [&shops, away](const std::string& shop, bool open) {
            away.with({shops.label_of(shop)}).set(open ? 1 : 0);
            telemetry::log::warn(open ? "shop_away" : "shop_back", {{"shop", shop}});
        });
    auto& show_status = service.own<ShowStatus>(
        ShowStatus::Ports{.store = store,
                          .shops = shops,
                          .circuits = circuits,
                          .shown =
                              [&shops, age](const core::ShopAlias& shop, std::chrono::nanoseconds since) {
                                  age.with({shops.label_of(shop.value())}).observe(std::chrono::duration<double>(since).count());
                              },
                          .clock = clock},
        config.tags, std::set<std::string>(config.shops.begin(), config.shops.end()));
    show<exports_v1::OrderExported>(service, config, show_status);
    show<exports_v1::OrderExportHeld>(service, config, show_status);
    show<exports_v1::OrderExportFailed>(service, config, show_status);
    show<exports_v1::RefundExported>(service, config, show_status);
    show<exports_v1::RefundExportHeld>(service, config, show_status);
    show<exports_v1::ExportHoldEnded>(service, config, show_status);
    show<exports_v1::DocumentStateChanged>(service, config, show_status);
    add_admin_routes(service.admin(), store, circuits);
}

}  // namespace order_status
