#include "syncline/telemetry/metrics.h"

#include <catch2/catch_test_macros.hpp>
#include <cmath>
#include <limits>
#include <string>
#include <thread>
#include <vector>

using syncline::telemetry::Metrics;

namespace {

bool has(const std::string& text, std::string_view line) {
    return ("\n" + text).find("\n" + std::string(line) + "\n") != std::string::npos;
}

}  // namespace

TEST_CASE("metrics: label values from outside cannot break the format", "[telemetry][unit]") {
    Metrics metrics("test");
    const auto family = metrics.counter("syncline_test_names_total", "Names.", {"name"});
    family.with({"a\"b\\c\nd"}).add();
    family.with({"\xFF"}).add();
    const auto text = metrics.to_text();
    CHECK(has(text, R"(syncline_test_names_total{service="test",name="a\"b\\c\nd"} 1)"));
    CHECK(has(text, "syncline_test_names_total{service=\"test\",name=\"\xEF\xBF\xBD\"} 1"));
}

TEST_CASE("metrics: too many series fold into other, nothing is lost", "[telemetry][unit]") {
    Metrics metrics("test");
    const auto family = metrics.counter("syncline_test_shops_total", "Shops.", {"shop"});
    for (std::size_t i = 0; i < Metrics::kSeriesMax + 50; ++i) {
        family.with({std::to_string(i)}).add();
    }
    CHECK(family.with({"other"}).value() == 50);
    CHECK(family.with({"17"}).value() == 1);
}

TEST_CASE("metrics: handles made without metrics do nothing", "[telemetry][unit]") {
    const syncline::telemetry::CounterFamily family;
    family.with({"a", "b"}).add();
    CHECK(family.with({"a", "b"}).value() == 0);
    const syncline::telemetry::Gauge gauge;
    gauge.set(3);
    CHECK(gauge.value() == 0);
    syncline::telemetry::Histogram().observe(1);
}

TEST_CASE("metrics: counters, gauges and histograms come out with help, type and service, sorted by name", "[telemetry][unit]") {
    Metrics metrics("order-export");
    metrics.histogram("syncline_test_handle_seconds", "Time to handle.", {"handler"}, {0.1, 1}).with({"h"}).observe(0.5);
    metrics.counter("syncline_test_events_total", "Events.").add(3);
    const auto lag = metrics.gauge("syncline_test_lag_records", "Lag.", {"topic", "partition"});
    lag.with({"orders.v1", "3"}).set(7);
    lag.with({"orders.v1", "4"}).set(8);
    lag.remove({"orders.v1", "4"});
    const auto text = metrics.to_text();
    CHECK(has(text, "# HELP syncline_test_events_total Events."));
    CHECK(has(text, "# TYPE syncline_test_events_total counter"));
    CHECK(has(text, R"(syncline_test_events_total{service="order-export"} 3)"));
    CHECK(has(text, R"(syncline_test_lag_records{service="order-export",partition="3",topic="orders.v1"} 7)"));
    CHECK(text.find("partition=\"4\"") == std::string::npos);
    CHECK(has(text, R"(syncline_test_handle_seconds_bucket{service="order-export",handler="h",le="1"} 1)"));
    CHECK(has(text, R"(syncline_test_handle_seconds_bucket{service="order-export",handler="h",le="+Inf"} 1)"));
    CHECK(has(text, R"(syncline_test_handle_seconds_count{service="order-export",handler="h"} 1)"));
    CHECK(text.find("events_total") < text.find("handle_seconds"));
    CHECK(text.find("handle_seconds") < text.find("lag_records"));
    CHECK(metrics.describe().size() == 3);
    CHECK(metrics.describe().front().type == "counter");
}

TEST_CASE("metrics: callbacks are read at each scrape and NaN is left out", "[telemetry][unit]") {
    Metrics metrics("test");
    double open = std::numeric_limits<double>::quiet_NaN();
    metrics.gauge("syncline_test_open_documents", "Open.", [&] { return open; });
    metrics.counter("syncline_test_sent_bytes_total", "Sent.", {"broker"},
                    [] { return std::vector<syncline::telemetry::Sample>{{{"1"}, 10}, {{"2"}, 20}}; });
    CHECK(metrics.to_text().find("open_documents") == std::string::npos);
    open = 4;
    CHECK(has(metrics.to_text(), R"(syncline_test_open_documents{service="test"} 4)"));
    CHECK(has(metrics.to_text(), R"(syncline_test_sent_bytes_total{service="test",broker="2"} 20)"));
    CHECK(has(metrics.to_text(), "# TYPE syncline_test_sent_bytes_total counter"));
}

TEST_CASE("metrics: many threads count every event once", "[telemetry][unit]") {
    Metrics metrics("test");
    const auto family = metrics.counter("syncline_test_events_total", "Events.", {"outcome"});
    std::vector<std::thread> threads;
    for (int t = 0; t < 4; ++t) {
        threads.emplace_back([&] {
            for (int i = 0; i < 2'000; ++i) {
                family.with({i % 2 == 0 ? "done" : "skipped"}).add();
            }
        });
    }
    for (auto& thread : threads) {
        thread.join();
    }
    CHECK(family.with({"done"}).value() == 4'000);
    CHECK(family.with({"skipped"}).value() == 4'000);
}
