// What an Admin is made of, and the metrics all Admins of a process share.
#pragma once

#include <syncline/shopify/admin.h>
#include <syncline/shopify/token.h>
#include <syncline/telemetry/metrics.h>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <utility>

namespace syncline::shopify {

struct AdminMeters {
    explicit AdminMeters(telemetry::Metrics& metrics);

    telemetry::CounterFamily calls;
    telemetry::HistogramFamily call_seconds;
    telemetry::HistogramFamily wait_seconds;
    telemetry::CounterFamily points_spent;
    telemetry::GaugeFamily points_available;
    telemetry::GaugeFamily restore_rate;
    telemetry::CounterFamily throttled;
    telemetry::CounterFamily token_renewals;
    telemetry::CounterFamily deprecated_calls;
    telemetry::CounterFamily denied_fields;
    telemetry::GaugeFamily fallen_forward;
};

// What operations cost, as the shop's own answers tell. Any thread.
class CostBook {
public:
    [[nodiscard]] double estimate(const Operation& operation, std::size_t items) const;
    void learn(const Operation& operation, std::size_t items, double requested);

private:
    static double declared(const Operation& operation, std::size_t items);
    mutable std::mutex mutex_;
    std::map<std::pair<std::string_view, std::size_t>, double> seen_;
    std::map<std::string_view, double> ratio_;  // Largest of seen to declared.
};

struct Admin::Parts {
    Parts(http::Client& client, core::Clock& time) : http(client), clock(time) {}

    http::Client& http;
    core::Clock& clock;
    std::string alias;
    std::string label;  // Of the alias in metrics.
    kit::ShopAdmin settings;
    std::string version;
    std::shared_ptr<AdminMeters> meters;
    std::shared_ptr<PointsBudget> points;
    std::shared_ptr<CostBook> costs;
    std::unique_ptr<AccessToken> token;
    std::mutex mutex;
    std::set<std::string_view> warned;  // Operations whose deprecation was logged.
};

}  // namespace syncline::shopify
