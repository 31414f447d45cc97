// Prometheus metrics of one process.
//
//   telemetry::Metrics metrics("order-export");
//   const auto requests = metrics.counter("syncline_ingress_requests_total", "Requests by outcome.", {"outcome"});
//   requests.with({"accepted"}).add();
//   metrics.gauge("order_export_open_documents", "Documents not yet acknowledged.", [&] { return ledger.open_count(); });
//   const std::string page = metrics.to_text();    // served at /metrics
//
// Declare families once at start-up (wire); each series carries {service="…"}. Handles (Counter, Gauge, Histogram and their
// families) are cheap values that stay valid as long as Metrics; a default-made one does nothing, so that a unit can be built
// without metrics. Look series up once and keep them where it matters; with() takes a shared lock.
// A family keeps at most kSeriesMax series; label values beyond that go to the series whose every label is "other".
// Conventions are asserted: counters end in _total, names and labels are snake_case, a name is declared once.
// All members from any thread. Callbacks of gauges run in to_text(), must be quick and must not block on I/O.
#pragma once

#include <cstddef>
#include <functional>
#include <initializer_list>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace prometheus {
class Counter;
class Gauge;
class Histogram;
}  // namespace prometheus

namespace syncline::telemetry {

class Counter {
public:
    Counter() = default;
    void add(double by = 1) const;
    [[nodiscard]] double value() const;

private:
    friend class Metrics;
    friend class CounterFamily;
    explicit Counter(prometheus::Counter* counter) : counter_(counter) {}
    prometheus::Counter* counter_ = nullptr;
};

class Gauge {
public:
    Gauge() = default;
    void set(double value) const;
    void add(double by) const;
    [[nodiscard]] double value() const;

private:
    friend class Metrics;
    friend class GaugeFamily;
    explicit Gauge(prometheus::Gauge* gauge) : gauge_(gauge) {}
    prometheus::Gauge* gauge_ = nullptr;
};

class Histogram {
public:
    Histogram() = default;
    void observe(double value) const;

private:
    friend class Metrics;
    friend class HistogramFamily;
    explicit Histogram(prometheus::Histogram* histogram) : histogram_(histogram) {}
    prometheus::Histogram* histogram_ = nullptr;
};

using LabelNames = std::vector<std::string>;
using LabelValues = std::vector<std::string_view>;

struct MetricFamily;

class CounterFamily {
public:
    CounterFamily() = default;
    // One value for each label name, in the declared order (asserted).
    [[nodiscard]] Counter with(const LabelValues& values) const;

private:
    friend class Metrics;
    explicit CounterFamily(MetricFamily* family) : family_(family) {}
    MetricFamily* family_ = nullptr;
};

class GaugeFamily {
public:
    GaugeFamily() = default;
    [[nodiscard]] Gauge with(const LabelValues& values) const;
    // Takes one series away (a partition that moved). Handles to it must not be used any more.
    void remove(const LabelValues& values) const;

private:
    friend class Metrics;
    explicit GaugeFamily(MetricFamily* family) : family_(family) {}
    MetricFamily* family_ = nullptr;
};

class HistogramFamily {
public:
    HistogramFamily() = default;
    [[nodiscard]] Histogram with(const LabelValues& values) const;

private:
    friend class Metrics;
    explicit HistogramFamily(MetricFamily* family) : family_(family) {}
    MetricFamily* family_ = nullptr;
};

// One series of a collected gauge.
struct Sample {
    std::vector<std::string> label_values;
    double value = 0;
};

// Upper bounds in seconds: 5 ms to 10 s (OpenTelemetry's advice), and a longer row for end-to-end times.
[[nodiscard]] std::vector<double> duration_buckets();  // 0.005 … 10
[[nodiscard]] std::vector<double> delay_buckets();     // 0.05 … 3600, with 60: the objective of the order path
[[nodiscard]] std::vector<double> byte_buckets();      // 256 … 16 MiB

class Metrics {
public:
    static constexpr std::size_t kSeriesMax = 2000;

    explicit Metrics(std::string service);
    Metrics(const Metrics&) = delete;
    Metrics& operator=(const Metrics&) = delete;
    ~Metrics();

    [[nodiscard]] Counter counter(std::string_view name, std::string_view help);
    [[nodiscard]] CounterFamily counter(std::string_view name, std::string_view help, LabelNames labels);
    [[nodiscard]] Gauge gauge(std::string_view name, std::string_view help);
    [[nodiscard]] GaugeFamily gauge(std::string_view name, std::string_view help, LabelNames labels);
    // Read at each scrape; NaN leaves the series out.
    void gauge(std::string_view name, std::string_view help, std::function<double()> read);
    void gauge(std::string_view name, std::string_view help, LabelNames labels, std::function<std::vector<Sample>()> read);
    // As above for a number that only grows and is counted elsewhere (a library's statistics); the name ends in _total.
    void counter(std::string_view name, std::string_view help, LabelNames labels, std::function<std::vector<Sample>()> read);
    [[nodiscard]] Histogram histogram(std::string_view name, std::string_view help, std::vector<double> buckets);
    [[nodiscard]] HistogramFamily histogram(std::string_view name, std::string_view help, LabelNames labels,
                                            std::vector<double> buckets);

    // The text exposition format 0.0.4, families sorted by name.
    [[nodiscard]] std::string to_text() const;
    static constexpr std::string_view kContentType = "text/plain; version=0.0.4; charset=utf-8";

    // What was declared, for --describe: sorted by name.
    struct Description {
        std::string name;
        std::string type;  // counter, gauge or histogram
        std::string help;
        LabelNames labels;
    };
    [[nodiscard]] std::vector<Description> describe() const;

private:
    struct State;
    std::unique_ptr<State> state_;
};

}  // namespace syncline::telemetry
