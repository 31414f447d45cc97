#include "app/check_subscriptions.h"

#include <utility>

namespace reconciliation {

CheckSubscriptions::CheckSubscriptions(ShopSubscriptions& shops, OrderCheckEvents& events, core::Clock& clock,
                                       SubscriptionOptions options)
    : shops_(shops), events_(events), clock_(clock), options_(std::move(options)) {
    for (auto& topic : options_.topics) {
        topic = subscription_topic(topic);
    }
    if (options_.own_prefix.empty()) {
        options_.own_prefix = options_.uri;
    }
}

core::Result<void> CheckSubscriptions::run(const std::string& shop) {
    const core::Deadline deadline(clock_, options_.call_timeout);
    const auto present = shops_.list(shop, deadline);
    if (!present) {
        return std::unexpected(present.error());
    }
    const auto plan = plan_subscriptions(options_.topics, options_.uri, options_.own_prefix, *present);
    auto missing = static_cast<std::int64_t>(plan.create.size() + plan.update.size());
    events_.subscriptions(shop, missing);
    if (options_.policy != SubscriptionPolicy::repair) {
        return {};
    }
    const auto repair = [&](std::string_view what, const std::vector<Subscription>& wanted, auto act) {
        for (const auto& subscription : wanted) {
            if (auto done = act(subscription, core::Deadline(clock_, options_.call_timeout)); !done) {
                events_.failed(shop, "subscription_not_repaired", done.error());
            } else {
                events_.repaired(shop, what);
                missing -= what == "removed" ? 0 : 1;
            }
        }
    };
    repair("created", plan.create, [&](const auto& wanted, const auto& until) { return shops_.create(shop, wanted, until); });
    repair("changed", plan.update, [&](const auto& wanted, const auto& until) { return shops_.update(shop, wanted, until); });
    repair("removed", plan.remove,
           [&](const auto& present_one, const auto& until) { return shops_.remove(shop, present_one, until); });
    events_.subscriptions(shop, missing);
    return {};
}

}  // namespace reconciliation
