#include "adapters/stock_work.h"

#include <syncline/core/time.h>
#include <syncline/telemetry/log.h>
#include <array>

#include "adapters/marks.h"

namespace inventory_sync {
namespace {

namespace log = syncline::telemetry::log;

constexpr std::size_t kItemsAtOnce = 100;
constexpr std::size_t kOrdersAtOnce = 10;
constexpr std::chrono::minutes kSourceLease{30};
constexpr std::chrono::minutes kServerLease{2};  // Renewed with every call.

}  // namespace

StockWork stock_work(PgTargets& targets, PgChores& chores, syncline::kit::WorkLeases& leases, OwnSources sources,
                     RulesSource rules, syncline::telemetry::Metrics& metrics, std::size_t skus_max,
                     std::chrono::milliseconds lease, std::function<bool()> gathering) {
    struct Meters {
        syncline::telemetry::Counter computed;
        syncline::telemetry::Counter changed;
        syncline::telemetry::Gauge dirty;
        syncline::telemetry::Gauge unsent;
        syncline::telemetry::Gauge oldest;
        syncline::telemetry::Gauge held_pairs;
        syncline::telemetry::Gauge held_places;
        syncline::telemetry::Gauge unknown;
        syncline::telemetry::Gauge oversold;
        syncline::telemetry::Gauge pending;
        syncline::telemetry::Gauge batches;
        syncline::telemetry::Gauge inactive;
    };
    const auto name = [](std::string_view rest) {
        return "syncline_inventory_sync_" + std::string(rest);
    };
    const Meters meters{
        .computed = metrics.counter(name("skus_computed_total"), "SKUs whose targets were computed."),
        .changed = metrics.counter(name("targets_changed_total"),
                                   "Pairs whose target changed; reports taken divided by pairs written is the coalescing."),
        .dirty = metrics.gauge(name("dirty_skus"), "SKUs to be computed."),
        .unsent = metrics.gauge(name("unsent_pairs"), "Pairs whose value Shopify does not show yet."),
        .oldest =
            metrics.gauge(name("oldest_unsent_timestamp_seconds"), "When the oldest unsent change was received; 0 if none."),
        .held_pairs = metrics.gauge(name("held_pairs"), "Pairs that Shopify refuses."),
        .held_places = metrics.gauge(name("held_places"), "Places of sources that wait for the mapping."),
        .unknown = metrics.gauge(name("unknown_skus"), "SKUs that a shop should have and has not."),
        .oversold = metrics.gauge(name("oversold_pairs"), "Pairs of which more was sold than there is."),
        .pending = metrics.gauge(name("pending_units"), "Units that fell in Shopify without a known order."),
        .batches = metrics.gauge(name("writes_on_their_way"), "Kept writes without a known outcome."),
        .inactive = metrics.gauge(name("inactive_locations"), "Locations with stock that Shopify does not keep open: held."),
    };
    const auto read = metrics.counter(name("files_total"), "Snapshot files by what became of them.", {"source", "outcome"});
    StockWork work;
    work.compute = [&targets, rules, meters, skus_max, gathering = std::move(gathering)](int thread, int threads) {
        const auto current = rules();
        if (!current.rules) {
            return false;
        }
        const auto applied = thread == 0 ? targets.apply_mapping(*current.rules, current.version) : core::Result<bool>(false);
        if (!applied) {
            log::failure(log::Level::warn, "mapping_not_applied", applied.error());
            return false;
        }
        bool more = false;
        for (int bucket = thread; bucket < kBuckets; bucket += threads) {
            const auto done = targets.compute(bucket, skus_max, *current.rules, gathering());
            if (!done) {
                log::failure(log::Level::warn, "targets_not_computed", done.error());
                return false;
            }
            meters.computed.add(static_cast<double>(done->skus));
            meters.changed.add(static_cast<double>(done->pairs_changed));
            more = more || done->skus > 0;
        }
        return more;
    };
    work.minute = [&chores, meters] {
        if (const auto done = chores.tidy(); !done) {
            log::failure(log::Level::warn, "stock_not_tidied", done.error());
        }
        const auto figures = chores.figures();
        if (!figures) {
            log::failure(log::Level::warn, "stock_figures_not_read", figures.error());
            return;
        }
        meters.dirty.set(static_cast<double>(figures->dirty));
        meters.unsent.set(static_cast<double>(figures->unsent));
        meters.oldest.set(std::chrono::duration<double>(figures->oldest_unsent.time_since_epoch()).count());
        meters.held_pairs.set(static_cast<double>(figures->held_pairs));
        meters.held_places.set(static_cast<double>(figures->held_places));
        meters.unknown.set(static_cast<double>(figures->unknown_skus));
        meters.oversold.set(static_cast<double>(figures->oversold));
        meters.pending.set(static_cast<double>(figures->pending_units));
        meters.batches.set(static_cast<double>(figures->batches));
        meters.inactive.set(static_cast<double>(figures->inactive_locations));
    };
    work.lease = [&leases, lease](const std::string& shop) {
        return leases.try_take("shop/" + shop, lease);
    };
    work.release = [&leases](const std::string& shop) {
        leases.release("shop/" + shop);
    };
    work.chores = [&chores](const std::string& shop) {
        const auto items = chores.find_items(shop, kItemsAtOnce);
        if (!items) {
            log::failure(log::Level::warn, "items_not_found", items.error(), {{"shop", shop}});
        }
        const auto located = chores.locate_orders(shop, kOrdersAtOnce);
        if (!located) {
            log::failure(log::Level::warn, "orders_not_located", located.error(), {{"shop", shop}});
        }
        const auto checked = chores.check_locations(shop);
        if (!checked) {
            log::failure(log::Level::warn, "locations_not_read", checked.error(), {{"shop", shop}});
        }
        return items.value_or(0) > 0 || located.value_or(0) > 0;
    };
    work.sources = [&leases, &files = sources.files, rules, read] {
        const auto current = rules().rules;
        if (!current) {
            return;
        }
        for (const auto& [source, rule] : current->sources) {
            // Longer than a file may take: two instances must not read one folder.
            if (!rule.files || !leases.try_take("source/" + source, kSourceLease)) {
                continue;
            }
            const auto done = files.poll(source, rule.basis, *rule.files);
            if (!done) {
                log::failure(log::Level::warn, "stock_files_not_read", done.error(), {{"source", source}});
                continue;
            }
            read.with({source, "taken"}).add(static_cast<double>(done->taken));
            read.with({source, "refused"}).add(static_cast<double>(done->refused));
        }
    };
    const auto asked = metrics.counter(name("source_polls_total"), "Polls of sources that are servers by how they ended.",
                                       {"source", "outcome"});
    const auto told = metrics.counter(name("source_levels_total"), "Levels read from sources that are servers.", {"source"});
    work.servers = [&leases, sources, rules, asked, told] {
        const auto current = rules().rules;
        if (!current) {
            return;
        }
        for (const auto& [source, rule] : current->sources) {
            const bool fetches = rule.files && rule.files->sftp;
            const auto ours = [&leases, name = "server/" + source] {
                return leases.try_take(name, kServerLease);
            };
            if ((!rule.odoo && !fetches) || !ours()) {
                continue;
            }
            core::Result<std::uint64_t> done = 0;
            bool due = false;
            if (rule.odoo) {
                const auto polled = sources.odoo.poll(source, rule.basis, *rule.odoo, ours);
                due = !polled || polled->due;
                done = polled ? core::Result<std::uint64_t>(polled->reported) : std::unexpected(polled.error());
                told.with({source}).add(static_cast<double>(done.value_or(0)));
            } else {
                done = sources.sftp.fetch(source, *rule.files, ours);
                due = !done || *done > 0;
            }
            if (!done) {
                log::failure(log::Level::warn, "stock_source_not_read", done.error(), {{"source", source}});
            }
            if (due) {
                asked.with({source, done ? std::string("ok") : done.error().code}).add();
            }
        }
    };
    return work;
}

}  // namespace inventory_sync
