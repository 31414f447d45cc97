#include "domain/targets.h"

#include <algorithm>
#include <set>

namespace inventory_sync {
namespace {

constexpr double kSlowestPerDay = 1.0 / 30;

const KnownLevel* level_at(const SkuState& state, const Place& place) {
    const auto found = std::ranges::find(state.levels, place, &KnownLevel::place);
    return found == state.levels.end() ? nullptr : &*found;
}

// The level that what happened at a shop's location is taken from: the first of its places that keeps the item.
const KnownLevel* taken_from(const SkuState& state, const Rules& rules, const std::string& shop, std::int64_t location) {
    const auto* of_shop = rules.shop(shop);
    const auto* rule = of_shop != nullptr ? of_shop->find(location) : nullptr;
    if (rule == nullptr) {
        return nullptr;
    }
    for (const auto& place : rule->from) {
        if (const auto* level = level_at(state, place)) {
            return level;
        }
    }
    return nullptr;
}

// Where open units count: a provisional place that does not keep the item cannot be it.
std::int64_t counts_at(const SkuState& state, const Rules& rules, const Reserved& reserved) {
    const auto* shop = rules.shop(reserved.shop);
    if (!reserved.provisional || shop == nullptr) {
        return reserved.location;
    }
    for (const auto& rule : shop->locations) {
        if (taken_from(state, rules, reserved.shop, rule.location) != nullptr) {
            return rule.location;
        }
    }
    return reserved.location;
}

bool order_unknown(const KnownLevel& level, const SourceRule& rule, const std::optional<core::SystemTime>& placed) {
    return !placed || level.known_until < *placed + rule.order_lag;
}

struct Sum {
    std::int64_t own_open = 0;    // Committed by Shopify for this very pair.
    std::int64_t subtracted = 0;  // By us.
};

Sum sum_of(const SkuState& state, const Rules& rules, const std::string& shop, const LocationRule& here) {
    Sum sum;
    const auto feeds_here = [&](const KnownLevel* level) {
        return level != nullptr && std::ranges::find(here.from, level->place) != here.from.end();
    };
    for (const auto& reserved : state.reserved) {
        const auto location = counts_at(state, rules, reserved);
        const auto* level = taken_from(state, rules, reserved.shop, location);
        if (!feeds_here(level)) {
            continue;
        }
        const auto* rule = rules.source(level->place.source);
        const bool own = reserved.shop == shop && location == here.location;
        if (own) {
            sum.own_open += reserved.quantity;
        }
        const bool counts = level->basis == Basis::physical     ? !own
                            : level->basis == Basis::net_of_own ? true
                                                                : order_unknown(*level, *rule, reserved.placed);
        sum.subtracted += counts ? reserved.quantity : 0;
    }
    for (const auto& shipped : state.shipped) {
        const auto* level = taken_from(state, rules, shipped.shop, shipped.location);
        if (!feeds_here(level)) {
            continue;
        }
        const auto* rule = rules.source(level->place.source);
        bool counts = level->known_until < shipped.at + rule->shipment_lag;
        if (level->basis == Basis::net_of_all) {
            counts = counts && order_unknown(*level, *rule, shipped.placed);
        }
        sum.subtracted += counts ? shipped.quantity : 0;
    }
    return sum;
}

std::int64_t pending_of(const SkuState& state, const Item& item, std::int64_t location) {
    std::int64_t sum = 0;
    for (const auto& pending : state.pending) {
        if (pending.shop == item.shop && pending.item == item.item && pending.location == location) {
            sum += pending.quantity;
        }
    }
    return sum;
}

Target target_of(const SkuState& state, const Rules& rules, const ShopRules& shop_rules, const Item& item,
                 const LocationRule& here, Basis basis, std::int64_t pieces) {
    const auto sum = sum_of(state, rules, item.shop, here);
    const auto left = pieces - sum.subtracted - pending_of(state, item, here.location);
    Target target{.shop = item.shop, .item = item.item, .location = here.location, .basis = basis};
    const auto policy = shop_rules.shown_by(state.sku, here.location);
    if (basis == Basis::physical) {
        target.sellable = left - sum.own_open;
        const auto wanted = shown(target.sellable, policy) + sum.own_open;
        // A policy may show more than there is only by its minimum; what was sold too often is not made up for.
        const bool raised = policy.minimum > std::max<std::int64_t>(target.sellable, 0);
        target.quantity = raised ? wanted : std::min(wanted, left);
    } else {
        target.sellable = left;
        target.quantity = shown(left, policy);
    }
    target.quantity = std::max<std::int64_t>(target.quantity, 0);
    target.urgency = urgency(target.sellable, item.sold_per_day);
    return target;
}

}  // namespace

double urgency(std::int64_t sellable, double sold_per_day) {
    return sellable <= 0 ? 0.0 : static_cast<double>(sellable) / std::max(sold_per_day, kSlowestPerDay);
}

Targets targets_of(const SkuState& reported, const Rules& rules) {
    Targets targets;
    SkuState state = reported;
    std::erase_if(state.levels, [&](const KnownLevel& level) {
        if (rules.ignored.contains(level.place)) {
            return true;
        }
        if (!rules.is_mapped(level.place)) {
            targets.unmapped.push_back(level.place);
            return true;
        }
        const auto* rule = rules.source(level.place.source);
        if (rule == nullptr || rule->basis != level.basis) {
            targets.basis_differs.push_back(level.place.source);
            return true;
        }
        return false;
    });
    for (const auto& [alias, shop] : rules.shops) {
        std::vector<const Item*> items;
        for (const auto& item : state.items) {
            if (item.shop == alias) {
                items.push_back(&item);
            }
        }
        bool fed = false;
        for (const auto& here : shop.locations) {
            std::optional<Basis> basis;
            std::int64_t pieces = 0;
            for (const auto& place : here.from) {
                if (const auto* level = level_at(state, place)) {
                    basis = level->basis;
                    pieces += level->pieces;
                }
            }
            if (!basis) {
                continue;
            }
            fed = true;
            if (items.size() == 1) {
                targets.pairs.push_back(target_of(state, rules, shop, *items.front(), here, *basis, pieces));
            }
        }
        if (fed && items.empty()) {
            targets.shops_without.push_back(alias);
        } else if (fed && items.size() > 1) {
            targets.duplicate_in.push_back(alias);
        }
    }
    return targets;
}

}  // namespace inventory_sync
