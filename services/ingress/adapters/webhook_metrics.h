// What ingress counts. Declared once in wire; any thread.
#pragma once

#include <syncline/core/bounded_names.h>
#include <syncline/core/clock.h>
#include <syncline/http/server.h>
#include <syncline/telemetry/metrics.h>
#include <array>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>

#include "app/receive_webhook.h"

namespace ingress {

class WebhookMetrics {
public:
    explicit WebhookMetrics(syncline::telemetry::Metrics& metrics);

    // A request that reached the use case has been answered.
    void answered(std::string_view shop_label, std::string_view topic, const WebhookAnswer& answer, std::size_t body_bytes,
                  syncline::core::SystemTime received_at, syncline::core::SystemTime answered_at);
    // A request was refused before: unknown_shop, address_not_allowed, signature_missing, unknown_path …
    void refused(std::string_view reason);
    // An operator had a dead letter mapped again.
    void replayed(std::string_view result);

    // Gauges and counters that are read at each scrape. The callbacks must stay valid as long as the metrics.
    void watch(std::function<syncline::http::ServerStats()> server, std::function<std::size_t()> waiting);

private:
    // Handles of one shop, so that the usual request looks nothing up by text. Made when first used: most never are.
    struct ShopSeries {
        std::array<std::array<std::optional<syncline::telemetry::Counter>, 5>, static_cast<std::size_t>(WebhookTopic::other) + 1>
            requests;
    };
    void count_request(std::string_view shop_label, WebhookTopic topic, WebhookAnswer::Outcome outcome);

    syncline::telemetry::Metrics& metrics_;
    syncline::telemetry::CounterFamily requests_;
    syncline::telemetry::CounterFamily rejected_;
    syncline::telemetry::CounterFamily unmappable_;
    syncline::telemetry::CounterFamily ignored_;
    syncline::telemetry::CounterFamily unknown_members_;
    syncline::telemetry::CounterFamily observed_at_replaced_;
    syncline::telemetry::CounterFamily replays_;
    syncline::telemetry::Counter body_bytes_total_;
    syncline::telemetry::Histogram acknowledge_;
    syncline::telemetry::Histogram delay_;
    syncline::telemetry::Histogram body_bytes_;
    syncline::core::BoundedNames member_names_;
    std::mutex mutex_;
    std::map<std::string, ShopSeries, std::less<>> shops_;
};

}  // namespace ingress
