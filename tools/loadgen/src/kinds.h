// What kinds of orders there are, and how many of each a run has.
#pragma once

#include <syncline/core/error.h>
#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "src/random.h"

namespace loadgen {

enum class Kind : std::uint8_t {
    plain,                    // One to five lines, one tax.
    guest,                    // Without customer account.
    custom_line,              // A line without product.
    gift_card,                // A gift card sold beside goods.
    tip,                      // A tip on top.
    fee,                      // An additional fee.
    shipping_discount,        // Free or cheaper shipping.
    code_percent,             // A discount code in percent over all lines.
    code_fixed,               // A discount code of an amount.
    automatic_discount,       // An automatic discount beside a code, on some lines.
    tax_excluded,             // Prices without tax.
    several_taxes,            // State and city, federal and provincial.
    reduced_tax,              // A second, lower rate on some lines.
    no_tax,                   // Nothing taxable.
    foreign_currency,         // The customer pays in another currency.
    marketplace,              // A tax that the channel remits: a hold unless the mapping has it.
    duties,                   // Duties on lines.
    bundle,                   // line_item_groups.
    b2b,                      // Company, location, purchase order, payment terms; unpaid.
    pos,                      // Sold at a till, cash rounding.
    draft,                    // From a draft order.
    test,                     // A test order.
    zero_total,               // Discounted to nothing.
    large,                    // 500 lines.
    fulfilled,                // Shipped in two parcels.
    edited,                   // A line removed in part, another one added.
    cancelled,                // Paid, then cancelled with a full refund.
    cancelled_unpaid,         // Authorized, then voided.
    cancelled_before_export,  // The first that is heard of it is its cancellation.
    refund_full,              // Everything given back and restocked.
    refund_partial,           // One line given back in part, then another part.
    refund_shipping,          // Shipping alone.
    refund_no_restock,        // A line, goods not restocked.
    refund_discrepancy,       // Less money than goods.
    refund_settles,           // The refund's money is pending, then moves.
    refund_pending,           // The refund's money never moves: a hold.
    risk_low,                 // Assessed, harmless.
    risk_high,                // Assessed as risky before it is paid: a hold.
    deleted,                  // A deletion nobody has confirmed: a hold.
    unmapped_tax,             // A tax the mapping does not know: a hold.
    unmapped_product,         // A SKU nobody knows: a hold.
};
inline constexpr std::size_t kKinds = static_cast<std::size_t>(Kind::unmapped_product) + 1;

[[nodiscard]] std::string_view to_string(Kind kind);

// How often each kind comes, as weights.
class Shares {
public:
    // Every kind, most of them plain; the kinds that end as holds come rarely.
    static Shares everything();
    // Only plain orders.
    static Shares plain();
    // "plain=80,refund_full=5": the named kinds alone. "everything", "plain": as above, may be followed by changes
    // ("everything,large=0"). Error: code "kinds_malformed".
    static syncline::core::Result<Shares> parse(std::string_view text);

    [[nodiscard]] Kind pick(Random& random) const;
    [[nodiscard]] std::uint64_t weight(Kind kind) const { return weights_[static_cast<std::size_t>(kind)]; }
    void set(Kind kind, std::uint64_t weight) { weights_[static_cast<std::size_t>(kind)] = weight; }

private:
    std::array<std::uint64_t, kKinds> weights_{};
};

}  // namespace loadgen
