// inventory-sync: stock reports and reservations into what Shopify may sell, per location.
#include "wiring.h"

#include <syncline/kit/mappings.h>
#include <syncline/kit/secret_file.h>
#include <syncline/kit/shops.h>
#include <syncline/shopify/admin.h>
#include <syncline/topics.h>

#include "adapters/admin_routes.h"
#include "adapters/batch_handlers.h"
#include "adapters/corrections.h"
#include "adapters/mapping_file.h"
#include "adapters/pg_chores.h"
#include "adapters/pg_own_state.h"
#include "adapters/pg_send_store.h"
#include "adapters/pg_targets.h"
#include "adapters/schema.h"
#include "adapters/send_meters.h"
#include "adapters/shopify_stock.h"
#include "adapters/sources/file_source.h"
#include "adapters/sources/kafka_reports.h"
#include "adapters/stock_work.h"
#include "config.h"

namespace inventory_sync {
namespace {

core::Result<std::shared_ptr<syncline::odoo::Transport>> connect_odoo(syncline::http::Client& http, const OdooRule& rule,
                                                                      const core::Deadline& deadline) {
    const syncline::odoo::Target target{
        .url = rule.url, .database = rule.database, .login = rule.login, .api_key = [key = kit::SecretFile(rule.api_key_file)] {
            return key.current();
        }};
    const auto version = syncline::odoo::probe_version(http, target, deadline);
    if (!version) {
        return std::unexpected(version.error());
    }
    return std::shared_ptr<syncline::odoo::Transport>(syncline::odoo::make_transport(*version, http, target));
}

}  // namespace

void wire(kit::Service& service) {
    const auto config = service.config<Config>();
    auto& clock = service.clock();
    auto& mappings = service.mappings(config.name, [](std::string_view text) { return kit::as_parsed(parse_mapping(text)); });
    const RulesSource rules = [&mappings] {
        const auto snapshot = mappings.snapshot();
        return CurrentRules{.rules = std::static_pointer_cast<const Rules>(snapshot->entries), .version = snapshot->version};
    };
    service.migration("0001_stock", kSchema);
    service.migration("0002_widened", kSchemaWidened);
    service.migration("0003_kit_leases", kSchemaKitLeases);
    auto& pool = service.postgres();
    auto& admins = service.own<syncline::shopify::Admins>(
        syncline::shopify::AdminOptions{.http = service.http(), .clock = clock, .metrics = service.metrics()}, service.shops());
    auto& shop_stock = service.own<ShopifyStock>(admins);
    auto& store = service.own<PgSendStore>(pool, clock);
    auto& targets = service.own<PgTargets>(pool, clock);
    auto& chores = service.own<PgChores>(pool, shop_stock, clock, rules);
    auto& leases = service.own<kit::WorkLeases>(pool, clock);
    auto& meters = service.own<SendMeters>(service.metrics());
    auto& send = service.own<SendStock>(store, shop_stock, meters, clock, config.send);
    auto& handlers = service.own<BatchHandlers>(clock, service.metrics(), rules);
    auto& corrections = service.own<Corrections>(clock, service.metrics());
    auto& state = service.own<PgOwnState>(pool, clock);
    auto& reports = service.own<KafkaReports>(service.producer(), clock, service.topic_name(syncline::topics::inventory));
    auto& files = service.own<FileSource>(pool, reports, clock);
    auto& sftp = service.own<SftpFetch>(pool, clock);
    auto& odoo = service.own<OdooSource>(pool, reports, clock, [&service](const OdooRule& rule, const core::Deadline& deadline) {
        return connect_odoo(service.http(), rule, deadline);
    });
    auto& run =
        service.own<RunStock>(send,
                              stock_work(targets, chores, leases, OwnSources{files, sftp, odoo}, rules, service.metrics(),
                                         config.compute_skus_max, config.run.lease, [&handlers] { return handlers.gathering(); }),
                              rules, clock, config.run);

    service.publishes(syncline::topics::inventory, {inventory_v1::StockReported::descriptor()->full_name()});
    service.on_batch(handlers.inventory(config.group()));
    service.on_batch(handlers.orders(config.group()));
    service.on_batch(handlers.fulfillments(config.group()));
    service.on_batch(corrections.handler(config.group()));
    service.runnable("stock", [&run] { run.start(); }, [&run](core::Deadline) { run.stop(); });
    add_admin_routes(service.admin(), chores, state, rules);
}

}  // namespace inventory_sync
