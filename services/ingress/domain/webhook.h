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
    other,
};

// By the value of X-Shopify-Topic ("orders/create"), exactly.
[[nodiscard]] WebhookTopic webhook_topic_from(std::string_view name) noexcept;

// "orders/create"; "other" for WebhookTopic::other.
[[nodiscard]] std::string_view to_string(WebhookTopic topic) noexcept;

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
