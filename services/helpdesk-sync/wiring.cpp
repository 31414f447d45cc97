// helpdesk-sync: how many orders have arrived in the targets, by shop, connection and day.
#include "wiring.h"

#include <syncline/core/bounded_names.h>
#include <syncline/postgres/pool.h>
#include <syncline/telemetry/metrics.h>
#include <syncline/topics.h>

#include "adapters/event_mapping.h"
#include "adapters/pg_tallies.h"
#include "app/count_export.h"
#include "config.h"

namespace helpdesk_sync {
namespace {

constexpr std::size_t kShopLabelsMax = 100;

}  // namespace

void wire(kit::Service& service) {
    const auto config = service.config<Config>();
    static_cast<void>(service.postgres());
    service.migration("0001_tallies", kTallySchema);
    auto& shops = service.own<core::BoundedNames>(kShopLabelsMax);
    const auto counted = service.metrics().counter("syncline_helpdesk_sync_orders_total",
                                                   "Orders that arrived in a target for the first time.", {"shop"});
    auto& tallies = service.own<PgTallies>();
    auto& count_export = service.own<CountExport>(
        tallies, [&shops, counted](const Tally& tally) { counted.with({shops.keep(tally.shop.value())}).add(); });
    service.on<exports_v1::OrderExported>(
        {.topic = syncline::topics::exports,
         .consumer_group = config.group(),
         .family = kit::Family::fact,
         // What waits at one connection does not hold up another.
         .resource = [](const exports_v1::OrderExported& event) { return "connection/" + event.context().connection(); },
         .version = {},
         .handle =
             [&count_export](const exports_v1::OrderExported& event, kit::Delivery& delivery) {
                 const auto exported = to_export(event, delivery.headers());
                 return exported ? count_export.run(*exported, delivery) : kit::Outcome::failed(exported.error());
             }});
}

}  // namespace helpdesk_sync
