// What Shopify sends besides the body of a webhook, and which topics mean something to Syncline.
//
// Plain values that borrow their texts; any thread.
#pragma once

#include <syncline/core/clock.h>
#include <syncline/core/error.h>
#include <cstdint>
#include <span>
#include <string_view>

namespace ingress {

// The topics that become events. `other`: answered and counted, never published.
enum class WebhookTopic : std::uint8_t {
    orders_create,
    orders_updated,
    orders_edited,
    orders_cancelled,
    orders_paid,
    orders_fulfilled,
    orders_partially_fulfilled,
    orders_delete,
    orders_risk_assessment_changed,
    refunds_create,
    order_transactions_create,
    customers_data_request,
    customers_redact,
    shop_redact,
    app_uninstalled,
    inventory_levels_update,
    inventory_levels_connect,
    inventory_levels_disconnect,
    inventory_items_create,
    inventory_items_update,
    inventory_items_delete,
    locations_create,
    locations_update,
    locations_activate,
    locations_deactivate,
    locations_delete,
    fulfillments_create,
    fulfillments_update,
    fulfillment_orders_cancellation_request_accepted,
    fulfillment_orders_cancellation_request_rejected,
    fulfillment_orders_cancellation_request_submitted,
    fulfillment_orders_cancelled,
    fulfillment_orders_fulfillment_request_accepted,
    fulfillment_orders_fulfillment_request_rejected,
    fulfillment_orders_fulfillment_request_submitted,
    fulfillment_orders_fulfillment_service_failed_to_complete,
    fulfillment_orders_hold_released,
    fulfillment_orders_line_items_prepared_for_local_delivery,
    fulfillment_orders_line_items_prepared_for_pickup,
    fulfillment_orders_manually_reported_progress_stopped,
    fulfillment_orders_merged,
    fulfillment_orders_moved,
    fulfillment_orders_order_routing_complete,
    fulfillment_orders_placed_on_hold,
    fulfillment_orders_progress_reported,
    fulfillment_orders_rescheduled,
    fulfillment_orders_scheduled_fulfillment_order_ready,
    fulfillment_orders_split,
    returns_request,
    returns_approve,
    returns_decline,
    returns_process,
    returns_update,
    returns_close,
    returns_cancel,
    returns_reopen,
    other,
};

// By the value of X-Shopify-Topic ("orders/create"), exactly.
[[nodiscard]] WebhookTopic webhook_topic_from(std::string_view name) noexcept;

// "orders/create"; "other" for WebhookTopic::other.
[[nodiscard]] std::string_view to_string(WebhookTopic topic) noexcept;

// Topics that belong together: each family is mapped in one place.
enum class TopicFamily : std::uint8_t { orders, privacy, inventory, fulfillments, none };
[[nodiscard]] TopicFamily family_of(WebhookTopic topic) noexcept;

// The topic's name if Shopify documents it, else "unlisted": a metric label from a closed list.
[[nodiscard]] std::string_view listed_topic_name(std::string_view name) noexcept;

// One delivery. The signature covers the body alone, so everything here may have been forged with a body that was captured.
struct Webhook {
    std::string_view shop;           // Alias of the configuration.
    std::string_view shop_domain;    // X-Shopify-Shop-Domain as configured.
    std::string_view shop_currency;  // Of the configuration: for amounts that come without one.
    std::span<const std::string_view>
        other_shop_domains;       // Of the configuration: bodies that name one of them are not this shop's.
    std::string_view topic_name;  // X-Shopify-Topic as sent.
    WebhookTopic topic = WebhookTopic::other;
    std::string_view triggered_at;  // X-Shopify-Triggered-At as sent, with all its digits; empty when missing.
    std::string_view event_id;      // X-Shopify-Event-Id: shared by all deliveries of one action.
    std::string_view webhook_id;    // X-Shopify-Webhook-Id.
    std::string_view api_version;   // X-Shopify-API-Version.
    syncline::core::SystemTime received_at{};
};

// The second part of a version: when Shopify saw the state that the body shows.
struct ObservedAt {
    enum class Source : std::uint8_t {
        triggered_at,  // As the header says.
        missing,       // No header: the time of receipt stands in.
        unreadable,    // Not a time: likewise.
        future,        // Later than the receipt by more than clocks differ: likewise, or a forged one would win for ever.
    };
    syncline::core::SystemTime at{};
    Source source = Source::triggered_at;
};
[[nodiscard]] ObservedAt observed_at(const Webhook& webhook);
[[nodiscard]] std::string_view to_string(ObservedAt::Source source) noexcept;

}  // namespace ingress
