#include "syncline/telemetry/metrics.h"

#include <prometheus/counter.h>
#include <prometheus/family.h>
#include <prometheus/gauge.h>
#include <prometheus/histogram.h>
#include <prometheus/metric_family.h>
#include <prometheus/registry.h>
#include <prometheus/text_serializer.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <mutex>
#include <shared_mutex>
#include <unordered_map>
#include <variant>

#include "syncline/core/assert.h"
#include "syncline/core/utf8.h"

namespace syncline::telemetry {
namespace {

constexpr std::string_view kOther = "other";

bool snake_case(std::string_view name) {
    return !name.empty() && name.front() >= 'a' && name.front() <= 'z' && name.back() != '_' &&
           std::ranges::all_of(name, [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_'; });
}

// What `promtool check metrics` would say, at the moment of declaring.
void assert_conventions(std::string_view name, std::string_view help, const LabelNames& labels, std::string_view type) {
    SYNCLINE_ASSERT(snake_case(name));
    SYNCLINE_ASSERT(!help.empty());
    SYNCLINE_ASSERT(name.ends_with("_total") == (type == "counter"));
    for (const std::string_view ending : {"_count", "_sum", "_bucket", "_ms", "_milliseconds", "_microseconds", "_minutes",
                                          "_hours", "_days", "_kilobytes", "_megabytes", "_percent", "_info_total"}) {
        SYNCLINE_ASSERT(!name.ends_with(ending));
    }
    for (const auto& label : labels) {
        SYNCLINE_ASSERT(snake_case(label) && label != "service" && label != "le");
    }
}

struct TransparentHash {
    using is_transparent = void;
    std::size_t operator()(std::string_view text) const { return std::hash<std::string_view>{}(text); }
};

}  // namespace

// A declared name: its series, found by their label values.
struct MetricFamily {
    using Handle = std::variant<prometheus::Family<prometheus::Counter>*, prometheus::Family<prometheus::Gauge>*,
                                prometheus::Family<prometheus::Histogram>*>;
    using Series = std::variant<prometheus::Counter*, prometheus::Gauge*, prometheus::Histogram*>;

    std::string help;
    std::string type;
    LabelNames labels;
    std::vector<double> buckets;
    Handle handle;
    std::function<std::vector<Sample>()> read;  // Collected families have this and no handle.

    mutable std::shared_mutex mutex;
    std::unordered_map<std::string, Series, TransparentHash, std::equal_to<>> series;

    [[nodiscard]] Series with(const LabelValues& values) {
        SYNCLINE_ASSERT(values.size() == labels.size());
        const std::string key = key_of(values);
        {
            const std::shared_lock lock(mutex);
            if (const auto known = series.find(key); known != series.end()) {
                return known->second;
            }
        }
        const std::unique_lock lock(mutex);
        if (const auto known = series.find(key); known != series.end()) {
            return known->second;
        }
        if (series.size() >= Metrics::kSeriesMax) {
            const LabelValues others(labels.size(), kOther);
            const auto other = key_of(others);
            const auto known = series.find(other);
            return known != series.end() ? known->second : series.emplace(other, add(others)).first->second;
        }
        return series.emplace(key, add(values)).first->second;
    }

    void remove(const LabelValues& values) {
        const std::unique_lock lock(mutex);
        if (const auto known = series.find(key_of(values)); known != series.end()) {
            std::get<prometheus::Family<prometheus::Gauge>*>(handle)->Remove(std::get<prometheus::Gauge*>(known->second));
            series.erase(known);
        }
    }

private:
    static std::string key_of(const LabelValues& values) {
        std::string key;
        for (const auto value : values) {
            key.append(value).push_back('\x1f');
        }
        return key;
    }

    Series add(const LabelValues& values) {
        prometheus::Labels named;
        for (std::size_t i = 0; i < labels.size(); ++i) {
            named.emplace(labels[i], core::replace_invalid_utf8(values[i]));
        }
        if (auto* const* counters = std::get_if<prometheus::Family<prometheus::Counter>*>(&handle)) {
            return &(*counters)->Add(named);
        }
        if (auto* const* gauges = std::get_if<prometheus::Family<prometheus::Gauge>*>(&handle)) {
            return &(*gauges)->Add(named);
        }
        return &std::get<prometheus::Family<prometheus::Histogram>*>(handle)->Add(named, buckets);
    }
};

void Counter::add(double by) const {
    if (counter_ != nullptr) {
        counter_->Increment(by);
    }
}
double Counter::value() const {
    return counter_ != nullptr ? counter_->Value() : 0;
}

void Gauge::set(double value) const {
    if (gauge_ != nullptr) {
        gauge_->Set(value);
    }
}
void Gauge::add(double by) const {
    if (gauge_ != nullptr) {
        gauge_->Increment(by);
    }
}
double Gauge::value() const {
    return gauge_ != nullptr ? gauge_->Value() : 0;
}

void Histogram::observe(double value) const {
    if (histogram_ != nullptr) {
        histogram_->Observe(value);
    }
}

Counter CounterFamily::with(const LabelValues& values) const {
    return family_ != nullptr ? Counter(std::get<prometheus::Counter*>(family_->with(values))) : Counter();
}
Gauge GaugeFamily::with(const LabelValues& values) const {
    return family_ != nullptr ? Gauge(std::get<prometheus::Gauge*>(family_->with(values))) : Gauge();
}
void GaugeFamily::remove(const LabelValues& values) const {
    if (family_ != nullptr) {
        family_->remove(values);
    }
}
Histogram HistogramFamily::with(const LabelValues& values) const {
    return family_ != nullptr ? Histogram(std::get<prometheus::Histogram*>(family_->with(values))) : Histogram();
}

std::vector<double> duration_buckets() {
    return {0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10};
}
std::vector<double> delay_buckets() {
    return {0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300, 900, 3600};
}
std::vector<double> byte_buckets() {
    return {256, 1024, 4096, 16384, 65536, 262144, 1048576, 4194304, 16777216};
}

struct Metrics::State {
    std::string service;
    prometheus::Registry registry{prometheus::Registry::InsertBehavior::Throw};
    mutable std::mutex mutex;
    std::map<std::string, std::unique_ptr<MetricFamily>, std::less<>> families;

    // The declared family; a name is declared once.
    MetricFamily& declare(std::string_view name, std::string_view help, LabelNames labels, std::string_view type) {
        assert_conventions(name, help, labels, type);
        auto family = std::make_unique<MetricFamily>();
        family->help = help;
        family->type = type;
        family->labels = std::move(labels);
        const std::lock_guard lock(mutex);
        const auto [place, added] = families.emplace(std::string(name), std::move(family));
        SYNCLINE_ASSERT(added);
        return *place->second;
    }

    template <typename Builder>
    auto& registered(Builder builder, std::string_view name, const MetricFamily& family) {
        return builder.Name(std::string(name)).Help(family.help).Labels({{"service", service}}).Register(registry);
    }

    [[nodiscard]] prometheus::MetricFamily collect(const std::string& name, const MetricFamily& family) const {
        prometheus::MetricFamily collected;
        collected.name = name;
        collected.help = family.help;
        const bool counter = family.type == "counter";
        collected.type = counter ? prometheus::MetricType::Counter : prometheus::MetricType::Gauge;
        for (const auto& sample : family.read()) {
            SYNCLINE_ASSERT(sample.label_values.size() == family.labels.size());
            if (std::isnan(sample.value)) {
                continue;
            }
            auto& metric = collected.metric.emplace_back();
            metric.label.push_back({"service", service});
            for (std::size_t i = 0; i < family.labels.size(); ++i) {
                metric.label.push_back({family.labels[i], core::replace_invalid_utf8(sample.label_values[i])});
            }
            (counter ? metric.counter.value : metric.gauge.value) = sample.value;
        }
        return collected;
    }
};

Metrics::Metrics(std::string service) : state_(std::make_unique<State>()) {
    state_->service = std::move(service);
}
Metrics::~Metrics() = default;

CounterFamily Metrics::counter(std::string_view name, std::string_view help, LabelNames labels) {
    auto& family = state_->declare(name, help, std::move(labels), "counter");
    family.handle = &state_->registered(prometheus::BuildCounter(), name, family);
    return CounterFamily(&family);
}
Counter Metrics::counter(std::string_view name, std::string_view help) {
    return counter(name, help, LabelNames{}).with({});
}

GaugeFamily Metrics::gauge(std::string_view name, std::string_view help, LabelNames labels) {
    auto& family = state_->declare(name, help, std::move(labels), "gauge");
    family.handle = &state_->registered(prometheus::BuildGauge(), name, family);
    return GaugeFamily(&family);
}
Gauge Metrics::gauge(std::string_view name, std::string_view help) {
    return gauge(name, help, LabelNames{}).with({});
}

HistogramFamily Metrics::histogram(std::string_view name, std::string_view help, LabelNames labels, std::vector<double> buckets) {
    SYNCLINE_ASSERT(!buckets.empty() && std::ranges::is_sorted(buckets));
    auto& family = state_->declare(name, help, std::move(labels), "histogram");
    family.buckets = std::move(buckets);
    family.handle = &state_->registered(prometheus::BuildHistogram(), name, family);
    return HistogramFamily(&family);
}
Histogram Metrics::histogram(std::string_view name, std::string_view help, std::vector<double> buckets) {
    return histogram(name, help, LabelNames{}, std::move(buckets)).with({});
}

void Metrics::gauge(std::string_view name, std::string_view help, std::function<double()> read) {
    gauge(name, help, LabelNames{}, [read = std::move(read)] { return std::vector<Sample>{{{}, read()}}; });
}
void Metrics::gauge(std::string_view name, std::string_view help, LabelNames labels, std::function<std::vector<Sample>()> read) {
    state_->declare(name, help, std::move(labels), "gauge").read = std::move(read);
}
void Metrics::counter(std::string_view name, std::string_view help, LabelNames labels,
                      std::function<std::vector<Sample>()> read) {
    state_->declare(name, help, std::move(labels), "counter").read = std::move(read);
}

std::string Metrics::to_text() const {
    auto families = state_->registry.Collect();
    std::vector<std::pair<const std::string*, const MetricFamily*>> collected;
    {
        const std::lock_guard lock(state_->mutex);
        for (const auto& [name, family] : state_->families) {
            if (family->read) {
                collected.emplace_back(&name, family.get());
            }
        }
    }
    // Callbacks run without our lock: one that declares or counts must not hang.
    for (const auto& [name, family] : collected) {
        families.push_back(state_->collect(*name, *family));
    }
    std::erase_if(families, [](const prometheus::MetricFamily& family) { return family.metric.empty(); });
    std::ranges::sort(families, {}, &prometheus::MetricFamily::name);
    return prometheus::TextSerializer().Serialize(families);
}

std::vector<Metrics::Description> Metrics::describe() const {
    const std::lock_guard lock(state_->mutex);
    std::vector<Description> all;
    for (const auto& [name, family] : state_->families) {
        all.push_back({name, family->type, family->help, family->labels});
    }
    return all;
}

}  // namespace syncline::telemetry
