#include "domain/stock_rules.h"

#include <algorithm>

namespace reconciliation {

StockPolicy ShopRules::policy_of(std::string_view sku, std::string_view location) const {
    StockPolicy policy;
    if (policies.empty()) {
        return policy;
    }
    const auto take = [](core::Decimal& to, const std::optional<core::Decimal>& from) {
        to = from.value_or(to);
    };
    // From the widest to the narrowest.
    for (const auto& key : {std::pair<std::string, std::string>{}, std::pair<std::string, std::string>{"", location},
                            std::pair<std::string, std::string>{sku, ""}, std::pair<std::string, std::string>{sku, location}}) {
        if (const auto found = policies.find(key); found != policies.end()) {
            take(policy.buffer, found->second.buffer);
            take(policy.minimum, found->second.minimum);
            take(policy.hide_below, found->second.hide_below);
        }
    }
    return policy;
}

std::vector<std::string> ShopRules::fed_only_by(std::string_view source) const {
    std::vector<std::string> found;
    for (const auto& [location, from] : locations) {
        if (std::ranges::all_of(from, [&](const FedBy& one) { return one.source == source; })) {
            found.push_back(location);
        }
    }
    return found;
}

std::string_view StockRules::quantity_of(std::string_view shop, std::string_view location) const {
    const auto rules = shops.find(shop);
    if (rules == shops.end()) {
        return {};
    }
    const auto at = rules->second.locations.find(location);
    if (at == rules->second.locations.end() || at->second.empty()) {
        return {};
    }
    // All sources of a location have one basis.
    const auto source = sources.find(at->second.front().source);
    return source == sources.end() || source->second.physical ? "on_hand" : "available";
}

}  // namespace reconciliation
