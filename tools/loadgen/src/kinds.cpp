#include "src/kinds.h"

#include <syncline/core/assert.h>
#include <syncline/core/parse.h>

#include <numeric>
#include <optional>

namespace loadgen {
namespace {

namespace core = syncline::core;

struct Row {
    Kind kind;
    std::string_view name;
    std::uint64_t weight;  // Of a thousand or so.
};

constexpr std::array<Row, kKinds> kRows{{
    {Kind::plain, "plain", 400},
    {Kind::guest, "guest", 60},
    {Kind::custom_line, "custom_line", 20},
    {Kind::gift_card, "gift_card", 20},
    {Kind::tip, "tip", 20},
    {Kind::fee, "fee", 10},
    {Kind::shipping_discount, "shipping_discount", 30},
    {Kind::code_percent, "code_percent", 50},
    {Kind::code_fixed, "code_fixed", 40},
    {Kind::automatic_discount, "automatic_discount", 40},
    {Kind::tax_excluded, "tax_excluded", 30},
    {Kind::several_taxes, "several_taxes", 30},
    {Kind::reduced_tax, "reduced_tax", 20},
    {Kind::no_tax, "no_tax", 10},
    {Kind::foreign_currency, "foreign_currency", 40},
    {Kind::marketplace, "marketplace", 0},
    {Kind::duties, "duties", 10},
    {Kind::bundle, "bundle", 20},
    {Kind::b2b, "b2b", 20},
    {Kind::pos, "pos", 10},
    {Kind::draft, "draft", 10},
    {Kind::test, "test", 10},
    {Kind::zero_total, "zero_total", 5},
    {Kind::large, "large", 1},
    {Kind::fulfilled, "fulfilled", 30},
    {Kind::edited, "edited", 20},
    {Kind::cancelled, "cancelled", 15},
    {Kind::cancelled_unpaid, "cancelled_unpaid", 10},
    {Kind::cancelled_before_export, "cancelled_before_export", 5},
    {Kind::refund_full, "refund_full", 20},
    {Kind::refund_partial, "refund_partial", 20},
    {Kind::refund_shipping, "refund_shipping", 10},
    {Kind::refund_no_restock, "refund_no_restock", 10},
    {Kind::refund_discrepancy, "refund_discrepancy", 5},
    {Kind::refund_settles, "refund_settles", 5},
    {Kind::refund_pending, "refund_pending", 2},
    {Kind::risk_low, "risk_low", 10},
    {Kind::risk_high, "risk_high", 2},
    {Kind::deleted, "deleted", 2},
    {Kind::unmapped_tax, "unmapped_tax", 2},
    {Kind::unmapped_product, "unmapped_product", 2},
}};

std::optional<Kind> kind_from(std::string_view name) {
    for (const auto& row : kRows) {
        if (row.name == name) {
            return row.kind;
        }
    }
    return std::nullopt;
}

}  // namespace

std::string_view to_string(Kind kind) {
    const auto& row = kRows[static_cast<std::size_t>(kind)];
    SYNCLINE_ASSERT(row.kind == kind);
    return row.name;
}

Shares Shares::everything() {
    Shares shares;
    for (const auto& row : kRows) {
        shares.set(row.kind, row.weight);
    }
    return shares;
}

Shares Shares::plain() {
    Shares shares;
    shares.set(Kind::plain, 1);
    return shares;
}

core::Result<Shares> Shares::parse(std::string_view text) {
    Shares shares;
    while (!text.empty()) {
        const auto comma = text.find(',');
        const auto part = text.substr(0, comma);
        text = comma == std::string_view::npos ? std::string_view{} : text.substr(comma + 1);
        if (part == "everything") {
            shares = everything();
            continue;
        }
        const auto equals = part.find('=');
        const auto kind = kind_from(part.substr(0, equals));
        const auto weight = equals == std::string_view::npos ? core::Result<std::uint64_t>(1)
                                                             : core::parse_int<std::uint64_t>(part.substr(equals + 1));
        if (!kind || !weight || *weight > 1'000'000) {
            return core::fail(core::ErrorKind::malformed, "kinds_malformed", "not a kind and its weight: " + std::string(part),
                              "as in everything,large=0 or plain=80,refund_full=20; loadgen kinds lists them");
        }
        shares.set(*kind, *weight);
    }
    if (std::accumulate(shares.weights_.begin(), shares.weights_.end(), std::uint64_t{0}) == 0) {
        return core::fail(core::ErrorKind::malformed, "kinds_malformed", "no kind has a weight");
    }
    return shares;
}

Kind Shares::pick(Random& random) const {
    const auto total = std::accumulate(weights_.begin(), weights_.end(), std::uint64_t{0});
    SYNCLINE_ASSERT(total > 0);
    auto at = random.below(total);
    for (std::size_t i = 0; i < weights_.size(); ++i) {
        if (at < weights_[i]) {
            return static_cast<Kind>(i);
        }
        at -= weights_[i];
    }
    return Kind::plain;
}

}  // namespace loadgen
