#include "adapters/stock/stock_metrics.h"

#include <chrono>
#include <utility>

namespace ingress {

namespace core = syncline::core;

StockMetrics::StockMetrics(syncline::telemetry::Metrics& metrics)
    : metrics_(metrics),
      requests_(metrics.counter("syncline_ingress_stock_requests_total", "Requests of stock sources by what became of them.",
                                {"source", "outcome"})),
      records_(metrics.counter("syncline_ingress_stock_records_total",
                               "Stock reports and adjustments that the brokers have, as their sources sent them.",
                               {"source", "record"})),
      refusals_(
          metrics.counter("syncline_ingress_stock_refused_total",
                          "Requests for stock that were not accepted, by reason: a rule of the body, proof, limits, broker.",
                          {"source", "code"})),
      acknowledge_(metrics.histogram("syncline_ingress_stock_acknowledge_seconds",
                                     "From the first byte of a stock request to its 202, the broker's acknowledgements included.",
                                     {0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10})) {
    // An alert on a rate needs the zero before the first one.
    static_cast<void>(refusals_.with({"none", "unknown_source"}));
}

void StockMetrics::answered(std::string_view label, const StockAnswer& answer, core::SystemTime received_at,
                            core::SystemTime answered_at) {
    requests_.with({label, to_string(answer.outcome)}).add();
    if (answer.outcome != StockAnswer::Outcome::accepted) {
        refusals_.with({label, answer.code}).add();
        return;
    }
    records_.with({label, "report"}).add(static_cast<double>(answer.reports));
    records_.with({label, "adjustment"}).add(static_cast<double>(answer.adjustments));
    acknowledge_.observe(std::chrono::duration<double>(answered_at - received_at).count());
}

void StockMetrics::refused(std::string_view reason) {
    refusals_.with({"none", reason}).add();
}

void StockMetrics::watch(std::function<std::size_t()> records_in_flight, std::function<std::size_t()> sources) {
    metrics_.gauge("syncline_ingress_stock_records_in_flight", "Stock records that the brokers have not acknowledged yet.",
                   [records_in_flight = std::move(records_in_flight)] { return static_cast<double>(records_in_flight()); });
    metrics_.gauge("syncline_ingress_stock_sources", "Sources of sources.yaml that are enabled.",
                   [sources = std::move(sources)] { return static_cast<double>(sources()); });
}

}  // namespace ingress
