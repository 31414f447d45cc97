#include "domain/healing.h"

namespace reconciliation {

namespace {
constexpr std::uint64_t kPercent = 100;
}

std::string_view to_string(Healing value) {
    switch (value) {
        case Healing::none:
            return "none";
        case Healing::proposed:
            return "proposed";
        case Healing::corrected:
            return "corrected";
        case Healing::braked:
            break;
    }
    return "braked";
}

bool correctable(const Difference& difference) {
    return difference.shopify && difference.wanted && *difference.shopify != *difference.wanted &&
           (difference.kind == DivergenceClass::drift ||
            (difference.kind == DivergenceClass::negative && difference.shopify->sign() < 0));
}

bool worth_showing(const Difference& difference) {
    return difference.kind != DivergenceClass::in_flight && difference.kind != DivergenceClass::policy;
}

void HealingWish::add(const Difference& difference) {
    if (!correctable(difference)) {
        return;
    }
    ++changes;
    if (difference.wanted->is_zero() && difference.shopify->sign() > 0) {
        ++zeroings;
    }
}

std::optional<std::string> brake_reason(const HealingWish& wish, std::uint64_t pairs, const Brake& brake) {
    if (wish.changes * kPercent > pairs * brake.percent_max) {
        return "would change " + std::to_string(wish.changes) + " of " + std::to_string(pairs) + " pairs, more than " +
               std::to_string(brake.percent_max) + " %";
    }
    if (wish.zeroings > brake.zero_max) {
        return "would set " + std::to_string(wish.zeroings) + " pairs to zero, more than " + std::to_string(brake.zero_max);
    }
    return std::nullopt;
}

Healing healing_of(const Difference& difference, HealingMode mode, bool braked) {
    if (mode == HealingMode::off || !worth_showing(difference)) {
        return Healing::none;
    }
    if (mode == HealingMode::propose || !correctable(difference)) {
        return Healing::proposed;
    }
    return braked ? Healing::braked : Healing::corrected;
}

core::Result<void> check_size(std::uint64_t rows, std::uint64_t previous, std::uint64_t shrink_percent_max) {
    if (rows < previous && (previous - rows) * kPercent > previous * shrink_percent_max) {
        return core::fail(core::ErrorKind::needs_decision, "snapshot_shrunken",
                          "the snapshot has " + std::to_string(rows) + " rows, the last one had " + std::to_string(previous),
                          "run it again with the size confirmed if this is right");
    }
    return {};
}

}  // namespace reconciliation
