// The webhook subscriptions this app made through the Admin API. Those of the app's configuration file are not listed by Shopify.
// Any thread; each blocks its caller, at most to the deadline.
#pragma once

#include <syncline/core/clock.h>
#include <syncline/core/error.h>
#include <syncline/shopify/admin.h>
#include <string>
#include <vector>

namespace syncline::shopify {

struct WebhookSubscription {
    std::string id;     // gid; empty for one that is to be made.
    std::string topic;  // "ORDERS_UPDATED"
    std::string uri;
    std::string filter;
    std::vector<std::string> include_fields;
    std::string name;
    std::string api_version;  // Read only.
};

[[nodiscard]] core::Result<std::vector<WebhookSubscription>> webhook_subscriptions(Admin& admin, Priority priority,
                                                                                   const core::Deadline& deadline);
// The id. One with the same topic and address is there already: kind rejected, code "taken".
[[nodiscard]] core::Result<std::string> create_webhook_subscription(Admin& admin, const WebhookSubscription& wanted,
                                                                    Priority priority, const core::Deadline& deadline);
// By id; the topic cannot be changed.
[[nodiscard]] core::Result<void> update_webhook_subscription(Admin& admin, const WebhookSubscription& wanted, Priority priority,
                                                             const core::Deadline& deadline);
[[nodiscard]] core::Result<void> delete_webhook_subscription(Admin& admin, const std::string& id, Priority priority,
                                                             const core::Deadline& deadline);

}  // namespace syncline::shopify
