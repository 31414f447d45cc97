#include "domain/webhook.h"

#include <syncline/core/time.h>
#include <algorithm>
#include <array>

namespace ingress {
namespace {

using namespace std::chrono_literals;

constexpr std::array<std::string_view, static_cast<std::size_t>(WebhookTopic::other) + 1> kTopics{
    "orders/create",
    "orders/updated",
    "orders/edited",
    "orders/cancelled",
    "orders/paid",
    "orders/fulfilled",
    "orders/partially_fulfilled",
    "orders/delete",
    "orders/risk_assessment_changed",
    "refunds/create",
    "order_transactions/create",
    "customers/data_request",
    "customers/redact",
    "shop/redact",
    "app/uninstalled",
    "inventory_levels/update",
    "inventory_levels/connect",
    "inventory_levels/disconnect",
    "inventory_items/create",
    "inventory_items/update",
    "inventory_items/delete",
    "locations/create",
    "locations/update",
    "locations/activate",
    "locations/deactivate",
    "locations/delete",
    "fulfillments/create",
    "fulfillments/update",
    "fulfillment_orders/cancellation_request_accepted",
    "fulfillment_orders/cancellation_request_rejected",
    "fulfillment_orders/cancellation_request_submitted",
    "fulfillment_orders/cancelled",
    "fulfillment_orders/fulfillment_request_accepted",
    "fulfillment_orders/fulfillment_request_rejected",
    "fulfillment_orders/fulfillment_request_submitted",
    "fulfillment_orders/fulfillment_service_failed_to_complete",
    "fulfillment_orders/hold_released",
    "fulfillment_orders/line_items_prepared_for_local_delivery",
    "fulfillment_orders/line_items_prepared_for_pickup",
    "fulfillment_orders/manually_reported_progress_stopped",
    "fulfillment_orders/merged",
    "fulfillment_orders/moved",
    "fulfillment_orders/order_routing_complete",
    "fulfillment_orders/placed_on_hold",
    "fulfillment_orders/progress_reported",
    "fulfillment_orders/rescheduled",
    "fulfillment_orders/scheduled_fulfillment_order_ready",
    "fulfillment_orders/split",
    "returns/request",
    "returns/approve",
    "returns/decline",
    "returns/process",
    "returns/update",
    "returns/close",
    "returns/cancel",
    "returns/reopen",
    "other",
};

// Topics of Shopify's reference that Syncline does not consume yet. Sorted.
constexpr auto kOtherTopics = std::to_array<std::string_view>({
    "app/scopes_update",
    "app_subscriptions/update",
    "bulk_operations/finish",
    "carts/create",
    "carts/update",
    "checkouts/create",
    "checkouts/delete",
    "checkouts/update",
    "collections/create",
    "collections/delete",
    "collections/update",
    "companies/create",
    "companies/delete",
    "companies/update",
    "company_contact_roles/assign",
    "company_contact_roles/revoke",
    "company_contacts/create",
    "company_contacts/delete",
    "company_contacts/update",
    "company_locations/create",
    "company_locations/delete",
    "company_locations/update",
    "customers/create",
    "customers/delete",
    "customers/disable",
    "customers/enable",
    "customers/merge",
    "customers/purchasing_summary",
    "customers/update",
    "disputes/create",
    "disputes/update",
    "draft_orders/create",
    "draft_orders/delete",
    "draft_orders/update",
    "fulfillment_events/create",
    "fulfillment_events/delete",
    "fulfillment_holds/added",
    "fulfillment_holds/released",
    "inventory_shipments/add_items",
    "inventory_shipments/create",
    "inventory_shipments/delete",
    "inventory_shipments/mark_in_transit",
    "inventory_shipments/receive_items",
    "inventory_shipments/remove_items",
    "inventory_shipments/update_item_quantities",
    "inventory_shipments/update_tracking",
    "inventory_transfers/add_items",
    "inventory_transfers/cancel",
    "inventory_transfers/complete",
    "inventory_transfers/ready_to_ship",
    "inventory_transfers/remove_items",
    "inventory_transfers/update_item_quantities",
    "inventory_transfers/updated",
    "markets/update",
    "order_transactions/update",
    "payment_schedules/due",
    "payment_terms/create",
    "payment_terms/delete",
    "payment_terms/update",
    "products/create",
    "products/delete",
    "products/update",
    "shop/update",
    "tender_transactions/create",
    "variants/in_stock",
    "variants/out_of_stock",
});
static_assert(std::ranges::is_sorted(kOtherTopics));

// Clocks of two data centres differ by less.
constexpr auto kClockDifferenceMax = 5min;

}  // namespace

WebhookTopic webhook_topic_from(std::string_view name) noexcept {
    for (std::size_t i = 0; i < static_cast<std::size_t>(WebhookTopic::other); ++i) {
        if (kTopics[i] == name) {
            return static_cast<WebhookTopic>(i);
        }
    }
    return WebhookTopic::other;
}

std::string_view to_string(WebhookTopic topic) noexcept {
    return kTopics[static_cast<std::size_t>(topic)];
}

TopicFamily family_of(WebhookTopic topic) noexcept {
    if (topic <= WebhookTopic::order_transactions_create) {
        return TopicFamily::orders;
    }
    if (topic <= WebhookTopic::app_uninstalled) {
        return TopicFamily::privacy;
    }
    if (topic <= WebhookTopic::locations_delete) {
        return TopicFamily::inventory;
    }
    return topic == WebhookTopic::other ? TopicFamily::none : TopicFamily::fulfillments;
}

std::string_view listed_topic_name(std::string_view name) noexcept {
    if (const auto topic = webhook_topic_from(name); topic != WebhookTopic::other) {
        return to_string(topic);
    }
    const auto* const found = std::ranges::lower_bound(kOtherTopics, name);
    return found != kOtherTopics.end() && *found == name ? *found : "unlisted";
}

ObservedAt observed_at(const Webhook& webhook) {
    using Source = ObservedAt::Source;
    if (webhook.triggered_at.empty()) {
        return {.at = webhook.received_at, .source = Source::missing};
    }
    const auto at = syncline::core::parse_rfc3339(webhook.triggered_at);
    if (!at) {
        return {.at = webhook.received_at, .source = Source::unreadable};
    }
    if (*at > webhook.received_at + kClockDifferenceMax) {
        return {.at = webhook.received_at, .source = Source::future};
    }
    return {.at = *at, .source = Source::triggered_at};
}

std::string_view to_string(ObservedAt::Source source) noexcept {
    switch (source) {
        case ObservedAt::Source::triggered_at:
            return "triggered_at";
        case ObservedAt::Source::missing:
            return "missing";
        case ObservedAt::Source::unreadable:
            return "unreadable";
        case ObservedAt::Source::future:
            return "future";
    }
    return "missing";
}

}  // namespace ingress
