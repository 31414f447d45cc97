// What ingress counts of pushed stock. Declared once in wire; any thread.
#pragma once

#include <syncline/core/clock.h>
#include <syncline/telemetry/metrics.h>
#include <functional>
#include <string_view>

#include "app/receive_stock.h"

namespace ingress {

class StockMetrics {
public:
    explicit StockMetrics(syncline::telemetry::Metrics& metrics);

    // A request of a known source has been answered. `label` is KnownSource::label.
    void answered(std::string_view label, const StockAnswer& answer, syncline::core::SystemTime received_at,
                  syncline::core::SystemTime answered_at);
    // A request was refused before its source was known, or before its body was read.
    void refused(std::string_view reason);

    // Read at each scrape. The callbacks must stay valid as long as the metrics.
    void watch(std::function<std::size_t()> records_in_flight, std::function<std::size_t()> sources);

private:
    syncline::telemetry::Metrics& metrics_;
    syncline::telemetry::CounterFamily requests_;
    syncline::telemetry::CounterFamily records_;
    syncline::telemetry::CounterFamily refusals_;
    syncline::telemetry::Histogram acknowledge_;
};

}  // namespace ingress
