// Refund in, credit note or refusal out. Pure.
//
// Amount = refund lines + tax + shipping + duties - differences between goods and money, in shop currency, whether or not the
// goods go back on the shelf. Money that is pending or failed is a hold: a credit note says that the customer has been paid.
#pragma once

#include <syncline/core/error.h>
#include <string>
#include <variant>
#include <vector>

#include "domain/export_plan.h"

namespace order_export {

// What the ledger knows of the order's document.
struct CreditedOrder {
    OrderKey key;
    std::string reference;  // "#1001"
    std::string currency;
    bool taxes_included = false;
    TargetId company;
    std::vector<KnownLine> lines;
};

struct CreditNote {
    OrderKey order;
    core::RefundId refund;
    std::string reference;  // "Refund 77 of #1001"
    std::string order_name;
    core::SystemTime date{};
    std::vector<DocumentLine> lines;
    core::Money expected_total;
    Decimal allowance;
    TargetId company;
    TargetId journal;  // Empty: the target's own choice.

    // "eu_refund_77": the external id's name.
    [[nodiscard]] std::string external_name() const { return order.shop.value() + "_refund_" + refund.text(); }
};

struct NoCreditNote {
    std::string reason;  // "refund_without_amount"
};

// What a refund waits for while its money is pending ("money:eu/5001/900"), and back; nullopt: something else.
[[nodiscard]] std::string money_key(const OrderKey& order, std::uint64_t transaction);
struct AwaitedMoney {
    OrderKey order;
    std::uint64_t transaction = 0;
};
[[nodiscard]] std::optional<AwaitedMoney> awaited_money(std::string_view waits_for);

// Errors: needs_decision ("refund_money_pending", "refund_money_failed", "refund_amount_differs" with both figures,
// "refund_negative", "refund_line_unknown"), mapping_missing.
[[nodiscard]] core::Result<std::variant<NoCreditNote, CreditNote>> plan_refund(const Refund& refund, const CreditedOrder& order,
                                                                               const Rules& rules, bool amount_accepted = false);

}  // namespace order_export
