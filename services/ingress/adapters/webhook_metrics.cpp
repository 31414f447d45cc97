#include "adapters/webhook_metrics.h"

#include <chrono>
#include <utility>

namespace ingress {

namespace core = syncline::core;
namespace http = syncline::http;
namespace telemetry = syncline::telemetry;

namespace {

constexpr std::size_t kMemberNamesMax = 200;

double seconds(std::chrono::nanoseconds duration) {
    return std::chrono::duration<double>(duration).count();
}

}  // namespace

WebhookMetrics::WebhookMetrics(telemetry::Metrics& metrics)
    : metrics_(metrics),
      requests_(
          metrics.counter("syncline_ingress_requests_total", "Webhooks by what became of them.", {"shop", "topic", "outcome"})),
      rejected_(metrics.counter("syncline_ingress_rejected_total",
                                "Requests that were refused, by reason: signature, unknown shop, address, limits of the door.",
                                {"reason"})),
      unmappable_(metrics.counter("syncline_ingress_unmappable_total",
                                  "Webhooks with a good signature that became dead letters, by topic and code.",
                                  {"topic", "code"})),
      ignored_(metrics.counter("syncline_ingress_ignored_total", "Webhooks of topics that no service consumes, answered 200.",
                               {"topic"})),
      unknown_members_(metrics.counter("syncline_ingress_unknown_members_total",
                                       "Members of bodies that the mapping does not know, by name (the first 200).", {"member"})),
      observed_at_replaced_(
          metrics.counter("syncline_ingress_triggered_at_replaced_total",
                          "Webhooks whose X-Shopify-Triggered-At could not be used: the time of receipt stands in.", {"reason"})),
      replays_(metrics.counter("syncline_ingress_replays_total", "Dead letters of ingress that were mapped again, by result.",
                               {"result"})),
      body_bytes_total_(metrics.counter("syncline_ingress_body_bytes_total", "Bytes of webhook bodies that were verified.")),
      acknowledge_(metrics.histogram("syncline_ingress_acknowledge_seconds",
                                     "From the first byte of a webhook to its 200, the broker's acknowledgement included.",
                                     {0.001, 0.0025, 0.005, 0.01, 0.015, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2, 3, 5})),
      delay_(metrics.histogram("syncline_ingress_delivery_delay_seconds", "From X-Shopify-Triggered-At to the receipt.",
                               telemetry::delay_buckets())),
      body_bytes_(metrics.histogram("syncline_ingress_body_bytes", "Size of webhook bodies.", telemetry::byte_buckets())),
      member_names_(kMemberNamesMax) {
    // An alert on a rate needs the zero before the first one.
    for (const auto* reason :
         {"signature_missing", "signature_malformed", "signature_wrong", "unknown_shop", "address_not_allowed",
          "acknowledge_timeout", "producer_queue_full", "producer_rebuilding", "delivery_unknown"}) {
        static_cast<void>(rejected_.with({reason}));
    }
}

void WebhookMetrics::count_request(std::string_view shop_label, WebhookTopic topic, WebhookAnswer::Outcome outcome) {
    const std::lock_guard lock(mutex_);
    auto shop = shops_.find(shop_label);
    if (shop == shops_.end()) {
        shop = shops_.emplace(shop_label, ShopSeries{}).first;
    }
    auto& counter = shop->second.requests[static_cast<std::size_t>(topic)][static_cast<std::size_t>(outcome)];
    if (!counter) {
        counter = requests_.with({shop_label, to_string(topic), to_string(outcome)});
    }
    counter->add();
}

void WebhookMetrics::answered(std::string_view shop_label, std::string_view topic, const WebhookAnswer& answer,
                              std::size_t body_bytes, core::SystemTime received_at, core::SystemTime answered_at) {
    using Outcome = WebhookAnswer::Outcome;
    const auto known = webhook_topic_from(topic);
    count_request(shop_label, known, answer.outcome);
    if (answer.outcome == Outcome::bad_signature) {
        rejected_.with({answer.code}).add();
        return;
    }
    body_bytes_total_.add(static_cast<double>(body_bytes));
    body_bytes_.observe(static_cast<double>(body_bytes));
    if (answer.outcome == Outcome::ignored) {
        ignored_.with({listed_topic_name(topic)}).add();
        return;
    }
    if (answer.outcome == Outcome::unavailable) {
        rejected_.with({answer.code}).add();
        return;
    }
    acknowledge_.observe(seconds(answered_at - received_at));
    if (answer.observed.source == ObservedAt::Source::triggered_at) {
        delay_.observe(seconds(std::max(received_at - answer.observed.at, core::SystemTime::duration::zero())));
    } else {
        observed_at_replaced_.with({to_string(answer.observed.source)}).add();
    }
    if (answer.outcome == Outcome::dead_lettered) {
        unmappable_.with({to_string(known), answer.code}).add();
    }
    for (const auto& member : answer.unknown_members) {
        unknown_members_.with({member_names_.keep(member)}).add();
    }
}

void WebhookMetrics::refused(std::string_view reason) {
    rejected_.with({reason}).add();
}

void WebhookMetrics::replayed(std::string_view result) {
    replays_.with({result}).add();
}

void WebhookMetrics::watch(std::function<http::ServerStats()> server, std::function<std::size_t()> waiting) {
    metrics_.gauge("syncline_ingress_waiting_requests", "Webhooks whose record the broker has not acknowledged yet.",
                   [waiting = std::move(waiting)] { return static_cast<double>(waiting()); });
    metrics_.gauge("syncline_ingress_connections", "Open connections of the public door.",
                   [server] { return static_cast<double>(server().connections_open); });
    metrics_.gauge("syncline_ingress_in_flight_requests", "Requests of the public door that are not answered yet.",
                   [server] { return static_cast<double>(server().requests_in_flight); });
    metrics_.gauge("syncline_ingress_in_flight_bytes", "Bytes of bodies that are being read or not answered yet.",
                   [server] { return static_cast<double>(server().bytes_in_flight); });
    metrics_.counter("syncline_ingress_door_rejected_total", "What the public door itself refused or gave up, by reason.",
                     {"reason"}, [server = std::move(server)] {
                         const auto stats = server();
                         std::vector<telemetry::Sample> samples;
                         for (std::size_t i = 0; i < stats.rejected.size(); ++i) {
                             samples.push_back({.label_values = {std::string(to_string(static_cast<http::Rejected>(i)))},
                                                .value = static_cast<double>(stats.rejected[i])});
                         }
                         return samples;
                     });
}

}  // namespace ingress
