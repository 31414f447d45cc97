#include "adapters/stock_meters.h"

#include <syncline/telemetry/log.h>

namespace reconciliation {
namespace {

namespace log = syncline::telemetry::log;

}  // namespace

StockMeters::StockMeters(syncline::telemetry::Metrics& metrics)
    : comparisons_(metrics.counter("syncline_reconciliation_stock_comparisons_total",
                                   "Comparisons of Shopify with one side, by how they ended.", {"shop", "side", "outcome"})),
      tries_(metrics.counter("syncline_reconciliation_stock_runs_not_made_total",
                             "Runs that could not be made: put off, or given up.", {"shop", "outcome"})),
      differences_(metrics.gauge("syncline_reconciliation_stock_differences",
                                 "Differences that the last full comparison with that side found.", {"shop", "side", "class"})),
      last_(metrics.gauge("syncline_reconciliation_stock_last_success_timestamp_seconds",
                          "When the last run of that kind had compared everything.", {"shop", "kind"})),
      seconds_(metrics.gauge("syncline_reconciliation_stock_last_run_seconds",
                             "How long the last run of that kind took to compare.", {"shop", "kind"})),
      braked_(metrics.gauge("syncline_reconciliation_stock_braked_runs",
                            "Runs that want to change too much and wait for a person.", {"shop"})) {}

void StockMeters::compared(const StockRun& run, const ComparisonResult& result) {
    comparisons_.with({run.shop, result.side, result.error ? result.error->code : "done"}).add();
    if (result.error) {
        log::failure(log::Level::error, "stock_comparison_failed", *result.error,
                     {{"shop", run.shop}, {"side", result.side}, {"run", run.id}});
        return;
    }
    std::uint64_t to_show = 0;
    for (const auto kind : {DivergenceClass::drift, DivergenceClass::missing_in_shopify, DivergenceClass::missing_in_source,
                            DivergenceClass::unknown_sku, DivergenceClass::negative, DivergenceClass::duplicate_sku}) {
        to_show += result.totals.of(kind);
    }
    log::write(log::Level::info, "stock_compared",
               {{"shop", run.shop},
                {"side", result.side},
                {"run", run.id},
                {"kind", to_string(run.kind)},
                {"pairs", result.totals.pairs},
                {"differences", to_show}});
}

void StockMeters::ended(const StockRun& run, RunState state, const core::Error* error) {
    tries_.with({run.shop, state == RunState::waiting ? "put_off" : "failed"}).add();
    if (error != nullptr) {
        log::failure(state == RunState::waiting ? log::Level::warn : log::Level::error, "stock_run_not_made", *error,
                     {{"shop", run.shop}, {"run", run.id}, {"attempts", run.attempts}});
    }
}

void StockMeters::failed(std::string_view what, const std::string& shop, const core::Error& error) {
    log::failure(log::Level::warn, what, error, {{"shop", shop}});
}

void StockMeters::show(const StockFigures& figures) {
    for (const auto& found : figures.differences) {
        differences_.with({found.shop, found.side, to_string(found.kind)}).set(static_cast<double>(found.count));
    }
    for (const auto& run : figures.last) {
        last_.with({run.shop, run.kind}).set(std::chrono::duration<double>(run.compared_at.time_since_epoch()).count());
        seconds_.with({run.shop, run.kind}).set(run.seconds);
    }
    for (const auto& shop : figures.braked) {
        braked_.with({shop.shop}).set(static_cast<double>(shop.runs));
    }
}

}  // namespace reconciliation
