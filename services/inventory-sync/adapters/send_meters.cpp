#include "adapters/send_meters.h"

#include <syncline/telemetry/log.h>
#include <algorithm>

namespace inventory_sync {
namespace {

namespace log = syncline::telemetry::log;

std::string_view name_of(SendFate fate) {
    switch (fate) {
        case SendFate::applied:
            return "applied";
        case SendFate::refused:
            return "refused";
        case SendFate::not_done:
            return "not_done";
        case SendFate::again:
            return "again";
        case SendFate::form_anew:
            return "form_anew";
        case SendFate::give_up:
            return "give_up";
    }
    return "give_up";
}

}  // namespace

SendMeters::SendMeters(syncline::telemetry::Metrics& metrics)
    : pairs_(
          metrics.counter("syncline_inventory_sync_pairs_written_total", "Pairs whose new value Shopify has taken.", {"shop"})),
      calls_(metrics.counter("syncline_inventory_sync_writes_total", "Writing calls by how they ended.", {"shop", "outcome"})),
      stale_(metrics.counter("syncline_inventory_sync_stale_total", "Pairs that held another value than expected.", {"shop"})),
      unexplained_(metrics.counter("syncline_inventory_sync_unexplained_falls_total",
                                   "Pairs that fell in Shopify without a known order.", {"shop"})),
      latency_(metrics.histogram("syncline_inventory_sync_received_to_shown_seconds",
                                 "From a change being received to Shopify showing it; the objective is 120 s for 95 %.", {"shop"},
                                 syncline::telemetry::delay_buckets())) {}

void SendMeters::sent(const Batch& batch, const Sent& sent, core::SystemTime now) {
    calls_.with({batch.shop, name_of(sent.fate)}).add();
    if (sent.fate == SendFate::applied) {
        pairs_.with({batch.shop}).add(static_cast<double>(batch.pairs.size()));
        const auto latency = latency_.with({batch.shop});
        for (const auto since : batch.since) {
            latency.observe(std::chrono::duration<double>(now - since).count());
        }
        return;
    }
    const auto stale = std::ranges::count(sent.problems, ProblemKind::stale, &PairProblem::kind);
    stale_.with({batch.shop}).add(static_cast<double>(stale));
    const auto level = sent.fate == SendFate::give_up   ? log::Level::error
                       : sent.fate == SendFate::refused ? log::Level::info
                                                        : log::Level::warn;
    log::write(level, "stock_write_not_applied",
               {{"shop", batch.shop},
                {"outcome", name_of(sent.fate)},
                {"code", sent.code},
                {"pairs", batch.pairs.size()},
                {"stale", stale},
                {"tries", batch.tries}});
}

void SendMeters::fell(const std::string& shop, std::int64_t pairs) {
    unexplained_.with({shop}).add(static_cast<double>(pairs));
}

void SendMeters::failed(std::string_view what, const core::Error& error) {
    log::failure(log::Level::warn, what, error);
}

}  // namespace inventory_sync
