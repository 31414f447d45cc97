// What reconciliation subscribes to and what ingress makes events of is one list of topics, kept by two services: each topic that
// only one of them knows is a webhook that is paid for and thrown away, or one that never comes.
#include <catch2/catch_test_macros.hpp>

#include <map>
#include <set>
#include <string>
#include <string_view>

#include "domain/webhook.h"
#include "orders_config.h"

namespace {

using ingress::WebhookTopic;

// Taken when it comes, and not asked for.
const std::map<std::string_view, std::string_view> kNotSubscribed{
    {"customers/data_request", "Shopify takes it from the app's settings alone"},
    {"customers/redact", "Shopify takes it from the app's settings alone"},
    {"shop/redact", "Shopify takes it from the app's settings alone"},
    {"inventory_levels/connect", "the pair is read before it is first written"},
    {"inventory_levels/disconnect", "has no quantity; a write to such a pair is refused and held"},
    // A reservation's place comes with routing and moves; the other steps of a fulfillment order leave it where it is.
    {"fulfillment_orders/cancellation_request_accepted", "does not move units"},
    {"fulfillment_orders/cancellation_request_rejected", "does not move units"},
    {"fulfillment_orders/cancellation_request_submitted", "does not move units"},
    {"fulfillment_orders/cancelled", "what takes its place is routed, and the order changes"},
    {"fulfillment_orders/fulfillment_request_accepted", "does not move units"},
    {"fulfillment_orders/fulfillment_request_rejected", "does not move units"},
    {"fulfillment_orders/fulfillment_request_submitted", "does not move units"},
    {"fulfillment_orders/fulfillment_service_failed_to_complete", "does not move units"},
    {"fulfillment_orders/hold_released", "does not move units"},
    {"fulfillment_orders/line_items_prepared_for_local_delivery", "does not move units"},
    {"fulfillment_orders/line_items_prepared_for_pickup", "does not move units"},
    {"fulfillment_orders/manually_reported_progress_stopped", "does not move units"},
    {"fulfillment_orders/merged", "those of one location only"},
    {"fulfillment_orders/placed_on_hold", "does not move units"},
    {"fulfillment_orders/progress_reported", "does not move units"},
    {"fulfillment_orders/rescheduled", "does not move units"},
    {"fulfillment_orders/scheduled_fulfillment_order_ready", "does not move units"},
    {"fulfillment_orders/split", "both parts stay at the location until one is moved"},
    {"returns/request", "no service consumes returns yet"},
    {"returns/approve", "no service consumes returns yet"},
    {"returns/decline", "no service consumes returns yet"},
    {"returns/process", "no service consumes returns yet"},
    {"returns/update", "no service consumes returns yet"},
    {"returns/close", "no service consumes returns yet"},
    {"returns/cancel", "no service consumes returns yet"},
    {"returns/reopen", "no service consumes returns yet"},
};

std::set<std::string, std::less<>> subscribed() {
    const auto topics = reconciliation::OrdersConfig().subscriptions_topics;
    std::set<std::string, std::less<>> found(topics.begin(), topics.end());
    CHECK(found.size() == topics.size());  // None twice.
    return found;
}

}  // namespace

TEST_CASE("webhook topics: every topic that reconciliation subscribes to becomes an event in ingress", "[contracts][unit]") {
    const auto topics = subscribed();
    REQUIRE_FALSE(topics.empty());
    for (const auto& topic : topics) {
        INFO(topic);
        CHECK(ingress::webhook_topic_from(topic) != WebhookTopic::other);
    }
}

TEST_CASE("webhook topics: every topic that becomes an event is subscribed to, or there is a reason why not",
          "[contracts][unit]") {
    const auto topics = subscribed();
    std::size_t known = 0;
    for (int i = 0; i < static_cast<int>(WebhookTopic::other); ++i) {
        const auto topic = ingress::to_string(static_cast<WebhookTopic>(i));
        INFO(topic);
        // One of the two, and not both.
        CHECK(topics.contains(topic) != kNotSubscribed.contains(topic));
        known += kNotSubscribed.contains(topic) ? 1 : 0;
    }
    // No reason for what ingress does not know.
    CHECK(known == kNotSubscribed.size());
}
