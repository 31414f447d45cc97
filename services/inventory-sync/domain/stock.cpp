#include "domain/stock.h"

#include <syncline/core/assert.h>
#include <algorithm>

namespace inventory_sync {
namespace {

constexpr std::int64_t kQuantityMax = 1'000'000'000'000;
constexpr int kPlacesMax = 9;

}  // namespace

Arrival judge(const Level& known, const std::string& previous_epoch, const Level& arriving) {
    if (arriving.observed < known.observed) {
        return Arrival::superseded;
    }
    const bool later = arriving.observed > known.observed;
    if (arriving.epoch != known.epoch) {
        return later || arriving.epoch != previous_epoch ? Arrival::replaces : Arrival::superseded;
    }
    if (arriving.sequence > 0 && known.sequence > 0 && arriving.snapshot.empty()) {
        if (later) {
            return arriving.sequence >= known.sequence ? Arrival::replaces : Arrival::sequence_back;
        }
        if (arriving.sequence == known.sequence) {
            return Arrival::repeated;
        }
        return arriving.sequence > known.sequence ? Arrival::replaces : Arrival::superseded;
    }
    if (later) {
        return Arrival::replaces;
    }
    if (arriving.quantity == known.quantity) {
        return Arrival::repeated;
    }
    return arriving.quantity < known.quantity ? Arrival::replaces : Arrival::superseded;
}

core::Result<Decimal> acceptable(const Decimal& quantity) {
    if (quantity.abs() > Decimal(kQuantityMax) || quantity.places() > kPlacesMax) {
        return core::fail(core::ErrorKind::malformed, "quantity_out_of_range",
                          "the quantity has more than twelve digits before the point or nine after it");
    }
    return quantity;
}

Arrival PositionState::accept(const Level& level) {
    const auto arrival = level_ ? judge(*level_, previous_epoch_, level) : Arrival::replaces;
    if (arrival != Arrival::replaces) {
        return arrival;
    }
    if (level_ && level_->epoch != level.epoch) {
        previous_epoch_ = level_->epoch;
    }
    level_ = level;
    std::erase_if(changes_, [&](const auto& entry) { return entry.second.observed <= level.observed; });
    return arrival;
}

bool PositionState::accept(const Change& change) {
    if (level_ && change.observed <= level_->observed) {
        return false;
    }
    return changes_.emplace(std::pair(change.epoch, change.id), change).second;
}

std::optional<Decimal> PositionState::quantity() const {
    if (!level_) {
        return std::nullopt;
    }
    core::Result<Decimal> sum = level_->quantity;
    for (const auto& [id, change] : changes_) {
        sum = sum + core::Result<Decimal>(change.delta);
    }
    SYNCLINE_ASSERT(sum.has_value());  // acceptable() bounds every part of it.
    return *sum;
}

core::SystemTime PositionState::known_until() const {
    auto until = level_ ? level_->observed : core::SystemTime{};
    for (const auto& [id, change] : changes_) {
        until = std::max(until, change.observed);
    }
    return until;
}

}  // namespace inventory_sync
