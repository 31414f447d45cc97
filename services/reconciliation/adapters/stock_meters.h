// What runs do, as metrics and log lines. Owned by the service; any thread.
#pragma once

#include <syncline/telemetry/metrics.h>
#include <memory>

#include "adapters/pg_stock_reports.h"
#include "app/stock_ports.h"

namespace reconciliation {

class StockMeters final : public StockEvents {
public:
    explicit StockMeters(syncline::telemetry::Metrics& metrics);
    void compared(const StockRun& run, const ComparisonResult& result) override;
    void ended(const StockRun& run, RunState state, const core::Error* error) override;
    void failed(std::string_view what, const std::string& shop, const core::Error& error) override;
    // What the last runs found, whichever instance made them.
    void show(const StockFigures& figures);

private:
    syncline::telemetry::CounterFamily comparisons_;
    syncline::telemetry::CounterFamily tries_;
    syncline::telemetry::GaugeFamily differences_;
    syncline::telemetry::GaugeFamily last_;
    syncline::telemetry::GaugeFamily seconds_;
    syncline::telemetry::GaugeFamily braked_;
};

}  // namespace reconciliation
