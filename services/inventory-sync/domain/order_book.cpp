#include "domain/order_book.h"

#include <algorithm>

namespace inventory_sync {
namespace {

const std::string& sku_of(const OrderState& state, const LeftLine& line) {
    if (line.sku.empty()) {
        const auto found = std::ranges::find(state.lines, line.line, &OpenLine::line);
        if (found != state.lines.end()) {
            return found->sku;
        }
    }
    return line.sku;
}

std::int64_t left_unknown_to_order(const OrderState& state, std::int64_t line) {
    std::int64_t left = 0;
    for (const auto& [id, fulfillment] : state.fulfillments) {
        if (fulfillment.in_order || fulfillment.cancelled) {
            continue;
        }
        for (const auto& part : fulfillment.lines) {
            left += part.line == line ? part.quantity : 0;
        }
    }
    return left;
}

}  // namespace

bool apply(OrderState& state, const OrderSnapshot& snapshot) {
    if (state.version && snapshot.version < *state.version) {
        return false;
    }
    state.key = snapshot.key;
    state.version = snapshot.version;
    state.placed = snapshot.placed;
    state.lines = snapshot.lines;
    std::ranges::sort(state.lines, {}, &OpenLine::line);
    for (auto& [id, fulfillment] : state.fulfillments) {
        fulfillment.in_order = false;
    }
    for (const auto& told : snapshot.fulfillments) {
        auto [at, is_new] = state.fulfillments.try_emplace(told.id, told);
        auto& known = at->second;
        if (!is_new && known.version.updated_ns <= snapshot.version.updated_ns) {
            // The order is at least as new as the fulfillment's own event and knows less of its lines' SKUs.
            known.cancelled = told.cancelled;
            known.location = told.location != 0 ? told.location : known.location;
        }
        known.in_order = true;
    }
    // Units whose fulfillment order was not read yet (an edit added them, a move is under way).
    for (const auto& line : state.lines) {
        std::int64_t placed = 0;
        for (const auto& place : state.places) {
            placed += place.line == line.line ? place.quantity : 0;
        }
        state.located = state.located && placed >= line.open;
    }
    state.located = state.located && state.deletion != Deletion::told;
    return true;
}

bool tell_deleted(OrderState& state, bool confirmed) {
    const auto deletion = confirmed ? Deletion::confirmed : Deletion::told;
    if (state.deletion >= deletion) {
        return false;
    }
    state.deletion = deletion;
    state.located = confirmed;
    return true;
}

void locate(OrderState& state, const std::optional<std::vector<PlacedLine>>& places) {
    // An order may also be unknown because it is too old for the app to read: without a deletion that proves nothing.
    if (state.deletion == Deletion::told) {
        state.deletion = places ? Deletion::none : Deletion::confirmed;
    }
    state.places = places.value_or(std::vector<PlacedLine>{});
    state.located = true;
}

bool apply(OrderState& state, const Fulfillment& fulfillment) {
    const auto known = state.fulfillments.find(fulfillment.id);
    if (known == state.fulfillments.end()) {
        state.fulfillments.emplace(fulfillment.id, fulfillment);
        return true;
    }
    if (fulfillment.version < known->second.version) {
        return false;
    }
    const bool in_order = known->second.in_order;
    known->second = fulfillment;
    known->second.in_order = in_order;
    return true;
}

std::vector<Reservation> reservations(const OrderState& state, std::int64_t priority_location) {
    std::map<std::pair<std::string, std::int64_t>, Reservation> sums;
    const auto add = [&](const std::string& sku, std::int64_t location, std::int64_t quantity, bool provisional) {
        if (quantity <= 0 || location == 0) {
            return;
        }
        auto& sum = sums[{sku, location}];
        sum.sku = sku;
        sum.location = location;
        sum.quantity += quantity;
        sum.provisional = sum.provisional || provisional;
    };
    for (const auto& line : state.lines) {
        if (line.sku.empty() || state.deletion == Deletion::confirmed) {
            continue;
        }
        auto open = line.open - left_unknown_to_order(state, line.line);
        for (const auto& place : state.places) {
            if (place.line == line.line && open > 0) {
                const auto here = std::min(open, place.quantity);
                add(line.sku, place.location, here, false);
                open -= here;
            }
        }
        add(line.sku, priority_location, open, true);
    }
    std::vector<Reservation> list;
    list.reserve(sums.size());
    for (auto& [key, sum] : sums) {
        list.push_back(std::move(sum));
    }
    return list;
}

std::vector<Shipment> shipments(const OrderState& state, std::int64_t priority_location) {
    std::map<std::pair<std::int64_t, std::string>, Shipment> sums;
    for (const auto& [id, fulfillment] : state.fulfillments) {
        const auto location = fulfillment.location != 0 ? fulfillment.location : priority_location;
        if (fulfillment.cancelled || location == 0) {
            continue;
        }
        for (const auto& line : fulfillment.lines) {
            const auto& sku = sku_of(state, line);
            if (sku.empty() || line.quantity <= 0) {
                continue;
            }
            auto& sum = sums[{id, sku}];
            sum = {.fulfillment = id,
                   .sku = sku,
                   .location = location,
                   .quantity = sum.quantity + line.quantity,
                   .at = fulfillment.at};
        }
    }
    std::vector<Shipment> list;
    list.reserve(sums.size());
    for (auto& [key, sum] : sums) {
        list.push_back(std::move(sum));
    }
    return list;
}

std::map<std::pair<std::string, std::int64_t>, Taken> difference(const OrderState& before, const OrderState& after,
                                                                 std::int64_t priority_location) {
    std::map<std::pair<std::string, std::int64_t>, Taken> taken;
    for (const auto& now : reservations(after, priority_location)) {
        taken[{now.sku, now.location}].reserved += now.quantity;
    }
    for (const auto& then : reservations(before, priority_location)) {
        taken[{then.sku, then.location}].reserved -= then.quantity;
    }
    for (const auto& now : shipments(after, priority_location)) {
        taken[{now.sku, now.location}].shipped += now.quantity;
    }
    for (const auto& then : shipments(before, priority_location)) {
        taken[{then.sku, then.location}].shipped -= then.quantity;
    }
    std::erase_if(taken, [](const auto& entry) { return entry.second == Taken{}; });
    return taken;
}

std::map<std::string, std::int64_t> came_and_went(const OrderState& before, const OrderState& after) {
    const auto line_of = [](const OrderState& state, std::int64_t id) {
        const auto found = std::ranges::find(state.lines, id, &OpenLine::line);
        return found == state.lines.end() ? OpenLine{} : *found;
    };
    const auto left_of = [](const OrderState& state, std::int64_t line) {
        std::int64_t left = 0;
        for (const auto& [id, fulfillment] : state.fulfillments) {
            for (const auto& part : fulfillment.lines) {
                left += part.line == line && !fulfillment.cancelled ? part.quantity : 0;
            }
        }
        return left;
    };
    std::map<std::string, std::int64_t> units;
    for (const auto& line : after.lines) {
        const auto known = line_of(before, line.line);
        const auto more = line.ordered - known.ordered;
        if (more <= 0 || line.sku.empty()) {
            continue;
        }
        const auto heard = line.open + left_of(after, line.line) - known.open - left_of(before, line.line);
        if (const auto gone = more - std::max<std::int64_t>(0, heard); gone > 0) {
            units[line.sku] += gone;
        }
    }
    return units;
}

std::map<std::string, std::int64_t> newly_sold(const OrderState& before, const OrderState& after) {
    std::map<std::string, std::int64_t> sold;
    for (const auto& line : after.lines) {
        const auto known = std::ranges::find(before.lines, line.line, &OpenLine::line);
        const auto more = line.ordered - (known != before.lines.end() ? known->ordered : 0);
        if (more > 0 && !line.sku.empty()) {
            sold[line.sku] += more;
        }
    }
    return sold;
}

}  // namespace inventory_sync
