#include "domain/divergence.h"

#include <algorithm>

namespace reconciliation {
namespace {

bool young(std::int64_t observed_at_ns, const ClassifyRules& rules) {
    const auto age = rules.now_ns - observed_at_ns;
    return observed_at_ns != 0 && age < rules.sync_delay_ns + rules.skew_ns && age >= -rules.skew_ns;
}

bool from_the_future(std::int64_t observed_at_ns, const ClassifyRules& rules) {
    return observed_at_ns - rules.now_ns > rules.skew_ns;
}

// Shopify's own stock cannot lie: what is known of the two times tells who did not hear of whom.
std::string_view cause_of_drift(const SideValue& shopify, const SideValue& other, const ClassifyRules& rules) {
    if (from_the_future(other.observed_at_ns, rules)) {
        return "source_clock_ahead";
    }
    if (other.observed_at_ns == 0 || shopify.observed_at_ns == 0) {
        return {};
    }
    if (rules.now_ns - other.observed_at_ns > rules.stale_ns) {
        return "source_stale";
    }
    if (shopify.observed_at_ns - other.observed_at_ns > rules.skew_ns) {
        return "changed_in_shopify";
    }
    if (other.observed_at_ns - shopify.observed_at_ns > rules.skew_ns) {
        return "update_lost";
    }
    return {};
}

std::string_view cause_of_policy(const SideValue& other, const core::Decimal& wanted, const StockPolicy& policy) {
    if (!policy.minimum.is_zero() && wanted == policy.minimum) {
        return "minimum";
    }
    if (other.quantity.sign() <= 0) {
        return "never_negative";
    }
    if (wanted.is_zero() && !policy.hide_below.is_zero()) {
        return "hidden";
    }
    return policy.buffer.is_zero() ? "rounding" : "buffer";
}

}  // namespace

std::string_view to_string(DivergenceClass value) {
    switch (value) {
        case DivergenceClass::in_flight:
            return "in_flight";
        case DivergenceClass::policy:
            return "policy";
        case DivergenceClass::drift:
            return "drift";
        case DivergenceClass::missing_in_shopify:
            return "missing_in_shopify";
        case DivergenceClass::missing_in_source:
            return "missing_in_source";
        case DivergenceClass::unknown_sku:
            return "unknown_sku";
        case DivergenceClass::negative:
            return "negative";
        case DivergenceClass::duplicate_sku:
            break;
    }
    return "duplicate_sku";
}

core::Result<core::Decimal> shown(const core::Decimal& quantity, const StockPolicy& policy) {
    const auto left = quantity - policy.buffer;
    if (!left) {
        return left;
    }
    if (left->sign() <= 0 || *left < policy.hide_below) {
        return policy.minimum;
    }
    return std::max(left->rounded(0, core::Rounding::down), policy.minimum);
}

core::Result<std::optional<Verdict>> classify(const std::optional<SideValue>& shopify, const std::optional<SideValue>& other,
                                              bool shopify_knows, const ClassifyRules& rules) {
    using enum DivergenceClass;
    std::optional<core::Decimal> wanted;
    if (other && !other->duplicate) {
        const auto value = shown(other->quantity, rules.policy);
        if (!value) {
            return std::unexpected(value.error());
        }
        wanted = *value;
    }
    if ((shopify && shopify->duplicate) || (other && other->duplicate)) {
        return Verdict{.kind = duplicate_sku,
                       .cause = shopify && shopify->duplicate ? "items_share_sku" : "rows_contradict",
                       .wanted = std::nullopt};
    }
    if (other && other->quantity.sign() < 0) {
        return Verdict{.kind = negative, .cause = "source_negative", .wanted = std::nullopt};
    }
    if (!shopify) {
        if (young(other->observed_at_ns, rules)) {
            return Verdict{.kind = in_flight, .cause = "report_travelling", .wanted = wanted};
        }
        if (wanted->is_zero()) {
            return Verdict{.kind = policy, .cause = "zero_not_stocked", .wanted = wanted};
        }
        return shopify_knows ? Verdict{.kind = missing_in_shopify, .cause = "not_stocked_at_location", .wanted = wanted}
                             : Verdict{.kind = unknown_sku, .cause = {}, .wanted = wanted};
    }
    if (shopify->quantity.sign() < 0) {
        return Verdict{.kind = negative, .cause = "oversold", .wanted = wanted};
    }
    if (!other) {
        if (shopify->quantity.is_zero()) {
            return Verdict{.kind = policy, .cause = "zero_not_listed", .wanted = std::nullopt};
        }
        return Verdict{
            .kind = young(shopify->observed_at_ns, rules) ? in_flight : missing_in_source, .cause = {}, .wanted = std::nullopt};
    }
    if (shopify->quantity == *wanted) {
        if (shopify->quantity == other->quantity) {
            return std::nullopt;
        }
        return Verdict{.kind = policy, .cause = cause_of_policy(*other, *wanted, rules.policy), .wanted = wanted};
    }
    if (young(other->observed_at_ns, rules)) {
        return Verdict{.kind = in_flight, .cause = "report_travelling", .wanted = wanted};
    }
    if (young(shopify->observed_at_ns, rules)) {
        return Verdict{.kind = in_flight, .cause = "sale_travelling", .wanted = wanted};
    }
    return Verdict{.kind = drift, .cause = cause_of_drift(*shopify, *other, rules), .wanted = wanted};
}

}  // namespace reconciliation
