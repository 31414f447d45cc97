// Whether Shopify still sends a shop's webhooks where they should go, and with the policy "repair" that it does.
//
// Shopify deletes a subscription after eight failures in a row, without a word. Only subscriptions made through the Admin API are
// listed; those of an app's configuration file are not, so a shop that uses these needs no check. One thread per shop; blocks for
// one call for each page and repair.
#pragma once

#include <chrono>
#include <string>
#include <vector>

#include "app/order_ports.h"

namespace reconciliation {

enum class SubscriptionPolicy : std::uint8_t { off, report, repair };

struct SubscriptionOptions {
    SubscriptionPolicy policy = SubscriptionPolicy::report;
    std::string uri;                  // Where webhooks go; empty: there is nothing to compare with, no check.
    std::string own_prefix;           // Subscriptions to such an address are ours; empty: `uri` itself.
    std::vector<std::string> topics;  // "orders/create" or "ORDERS_CREATE".
    std::chrono::milliseconds call_timeout{30'000};
};

class CheckSubscriptions {
public:
    CheckSubscriptions(ShopSubscriptions& shops, OrderCheckEvents& events, core::Clock& clock, SubscriptionOptions options);

    // Errors: the list cannot be read. A repair that fails is told to `events` and does not stop the others.
    [[nodiscard]] core::Result<void> run(const std::string& shop);
    [[nodiscard]] bool wanted() const { return options_.policy != SubscriptionPolicy::off && !options_.uri.empty(); }

private:
    ShopSubscriptions& shops_;
    OrderCheckEvents& events_;
    core::Clock& clock_;
    SubscriptionOptions options_;
};

}  // namespace reconciliation
