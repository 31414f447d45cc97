// The comparison of stock: Shopify against every source and against what inventory-sync wants it to show.
#include <syncline/kit/mappings.h>
#include <syncline/kit/shops.h>
#include <syncline/reconciliation/v1/events.pb.h>
#include <syncline/telemetry/log.h>
#include <syncline/topics.h>

#include "adapters/pg_stock_reports.h"
#include "adapters/pg_stock_runs.h"
#include "adapters/stock_mapping.h"
#include "adapters/stock_meters.h"
#include "adapters/stock_routes.h"
#include "adapters/stock_sides.h"
#include "app/every.h"
#include "app/run_stock.h"
#include "parts.h"

namespace reconciliation {
namespace {

namespace kit = syncline::kit;
namespace log = syncline::telemetry::log;

constexpr std::chrono::seconds kFigures{5};

LiveStockSides::Rules rules_of(const Parts& parts) {
    const auto& name = parts.config.stock.mapping;
    if (name.empty()) {
        return [] {
            return std::make_shared<const StockRules>();
        };
    }
    auto& mappings =
        parts.service.mappings(name, [](std::string_view text) { return kit::as_parsed(parse_stock_mapping(text)); });
    return [&mappings] {
        return mappings.current<StockRules>();
    };
}

RunStockOptions options_of(const StockConfig& config) {
    return {.nightly = config.nightly,
            .changed_every = config.changed_every,
            .sync_delay = config.sync_delay,
            .skew = config.clock_skew,
            .healing = config.healing == "correct" ? HealingMode::correct
                       : config.healing == "off"   ? HealingMode::off
                                                   : HealingMode::propose,
            .brake = {.percent_max = static_cast<std::uint64_t>(config.brake_percent),
                      .zero_max = static_cast<std::uint64_t>(config.brake_zero)},
            .shrink_percent = static_cast<std::uint64_t>(config.shrink_percent),
            .differences_max = static_cast<std::uint64_t>(config.differences_max)};
}

}  // namespace

void wire_stock(const Parts& parts) {
    auto& service = parts.service;
    const auto& config = parts.config.stock;
    auto& clock = service.clock();
    auto& pool = service.postgres();
    const auto rules = rules_of(parts);
    service.migration("0010_stock_runs", kStockRunsSchema);
    auto& runs = service.own<PgStockRuns>(pool, clock, parts.leases.owner());
    auto& reports = service.own<PgStockReports>(pool, clock);
    auto& meters = service.own<StockMeters>(service.metrics());
    auto& sides = service.own<LiveStockSides>(
        parts.admins, parts.inventory_sync, clock, rules,
        // Two sides are sorted one after the other, and what is read of the first one is on disk by then.
        ShopifySnapshotOptions{
            .sorter = {.folder = config.spill_folder, .memory_bytes = static_cast<std::size_t>(config.memory.value)},
            .bulk_timeout = config.bulk_timeout});
    auto& run = service.own<RunStock>(sides, runs, meters, clock, options_of(config),
                                      [&shops = service.shops(), zone = config.timezone](const std::string& shop) {
                                          const auto snapshot = shops.current();
                                          const auto* found = snapshot->find(shop);
                                          return !zone.empty() || found == nullptr ? zone : found->timezone;
                                      });
    auto& lanes =
        service.own<ShopLanes>(ShopWork{.name = "stock",
                                        .shops = parts.shops,
                                        .lease = [&leases = parts.leases, time = parts.config.lease](
                                                     const std::string& name) { return leases.try_take(name, time); },
                                        .release = [&leases = parts.leases](const std::string& name) { leases.release(name); },
                                        .step =
                                            [&run](const std::string& shop, const StillOurs& ours) {
                                                return run.step(shop, ours);
                                            }},
                               clock, parts.config.lease);
    auto& figures = service.own<Every>(clock, kFigures, [&reports, &meters, &clock, days = config.keep_days] {
        if (const auto done = reports.tidy(clock.now() - std::chrono::days(days)); !done) {
            log::failure(log::Level::warn, "stock_runs_not_tidied", done.error());
        }
        const auto read = reports.figures();
        if (!read) {
            log::failure(log::Level::warn, "stock_figures_not_read", read.error());
            return;
        }
        meters.show(*read);
    });
    service.publishes(std::string(syncline::topics::reconciliation),
                      {syncline::reconciliation::v1::StockDivergenceDetected::descriptor()->full_name()});
    service.runnable("stock", [&lanes] { lanes.start(); }, [&lanes](core::Deadline) { lanes.stop(); });
    service.runnable("stock-figures", [&figures] { figures.start(); }, [&figures](core::Deadline) { figures.stop(); });
    add_stock_routes(service.admin(), runs, reports, rules);
}

}  // namespace reconciliation
