#include "domain/subscription_plan.h"

#include <algorithm>
#include <map>
#include <string_view>

namespace reconciliation {

std::string subscription_topic(std::string_view topic) {
    std::string name(topic);
    for (auto& c : name) {
        c = c == '/' ? '_' : (c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c);
    }
    return name;
}

SubscriptionPlan plan_subscriptions(const std::vector<std::string>& wanted_topics, const std::string& uri,
                                    const std::string& own_prefix, const std::vector<Subscription>& present) {
    std::map<std::string_view, std::vector<const Subscription*>> ours;
    for (const auto& subscription : present) {
        if (subscription.uri.starts_with(own_prefix)) {
            ours[subscription.topic].push_back(&subscription);
        }
    }
    SubscriptionPlan plan;
    std::vector<std::string> topics = wanted_topics;
    std::ranges::sort(topics);
    topics.erase(std::ranges::unique(topics).begin(), topics.end());
    for (const auto& topic : topics) {
        const Subscription wanted{.id = {}, .topic = topic, .uri = uri, .filter = {}, .include_fields = {}};
        const auto found = ours.find(topic);
        if (found == ours.end()) {
            plan.create.push_back(wanted);
            continue;
        }
        const auto as_wanted = [&](const Subscription* subscription) {
            auto changed = *subscription;
            changed.id.clear();
            return changed == wanted;
        };
        auto& candidates = found->second;
        const auto right = std::ranges::find_if(candidates, as_wanted);
        const auto* kept = right != candidates.end() ? *right : candidates.front();
        if (right == candidates.end()) {
            auto updated = wanted;
            updated.id = kept->id;
            plan.update.push_back(std::move(updated));
        }
        for (const auto* subscription : candidates) {
            if (subscription != kept) {
                plan.remove.push_back(*subscription);
            }
        }
    }
    return plan;
}

}  // namespace reconciliation
