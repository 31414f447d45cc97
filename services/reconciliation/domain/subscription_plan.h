// Which webhook subscriptions are missing, wrong or too many. Pure functions.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace reconciliation {

struct Subscription {
    std::string id;     // Empty: wanted.
    std::string topic;  // "ORDERS_UPDATED"
    std::string uri;
    std::string filter;
    std::vector<std::string> include_fields;
    friend bool operator==(const Subscription&, const Subscription&) = default;
};

struct SubscriptionPlan {
    std::vector<Subscription> create;
    std::vector<Subscription> update;  // With the id of what is there.
    std::vector<Subscription> remove;  // A second one of the same topic and address delivers everything twice.
    [[nodiscard]] bool nothing() const { return create.empty() && update.empty() && remove.empty(); }
};

// "orders/create" as the Admin API writes it: ORDERS_CREATE.
[[nodiscard]] std::string subscription_topic(std::string_view topic);

// A subscription of ours is one whose address begins with `own_prefix`; others, made for other purposes, are left alone. An old
// address of ours is changed, not doubled; topics that are not wanted are left too: somebody may have tried them out by hand.
[[nodiscard]] SubscriptionPlan plan_subscriptions(const std::vector<std::string>& wanted_topics, const std::string& uri,
                                                  const std::string& own_prefix, const std::vector<Subscription>& present);

}  // namespace reconciliation
