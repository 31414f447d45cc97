// Order in, ERP document or refusal out. Pure: no clock, no IO; the same order and rules give the same document and hash.
//
// Rules of the document, with their sources:
//   - Quantities are what was ordered less what edits removed: a refund is a document of its own (a credit note), so units that
//     came back stay on the order (Shopify's current_quantity is after refunds too; they are added back).
//   - Each line carries its exact price; its discounts are one negative line with the same taxes, because the target rounds
//     quantities and discount percents to two decimals (odoo.md §7.1).
//   - Every line has a name and a key; the key is part of its external id and names the order too, so that a line can never move
//     to another order.
//   - Gift cards sold are a liability (their own product); gift cards used to pay are payments, not lines.
//   - Amounts are in shop currency.
#pragma once

#include <syncline/core/error.h>
#include <syncline/core/money.h>
#include <optional>
#include <string>
#include <vector>

#include "domain/order.h"
#include "domain/rules.h"

namespace order_export {

struct DocumentLine {
    std::string key;   // "line_91", "line_91_discount", "shipping_5", "tip", "rounding"
    TargetId product;  // Of the mapping; empty: look `sku` up.
    core::Sku sku;
    std::string name;
    Decimal quantity;
    Decimal unit_price;
    std::vector<TargetId> taxes;
    bool note = false;  // Text without product and amount.
    std::string hash;   // Of everything above.
};

struct SalesDocument {
    OrderKey key;
    std::string reference;  // The order's name.
    core::SystemTime ordered_at{};
    core::Money expected_total;
    Decimal allowance;  // Largest difference of totals that is rounding.
    TargetId company;
    TargetId pricelist;
    std::optional<TargetId> warehouse;
    std::string language;
    std::vector<DocumentLine> lines;
    std::string contacts_hash;  // Whom it is for, see contacts.h.
    std::string header_hash;    // Of everything but the lines.
    std::string hash;           // Of all.
    SnapshotVersion version;

    // What the target shows as the document's source: who wrote it, from which version, with which content.
    [[nodiscard]] std::string stamp() const;
};

// The version in a stamp; nullopt when it is not one of ours.
[[nodiscard]] std::optional<SnapshotVersion> version_in_stamp(std::string_view stamp);

// Errors: mapping_missing (tax, pricelist, product line), rejected ("no_lines", "figure_out_of_range"), needs_decision
// ("quantity_precision", "price_precision").
[[nodiscard]] core::Result<SalesDocument> plan_order(const Order& order, const Rules& rules, const std::string& contacts_hash);

// The SKU or variant key under which a product without mapping is held: "product:AB-1", "product:variant:77".
[[nodiscard]] core::Error product_missing(const DocumentLine& line);

// What the line of a document was, kept in the ledger: enough to tell what changed and to credit it.
struct KnownLine {
    std::string key;
    TargetId product;
    std::string name;
    std::vector<TargetId> taxes;
    std::string hash;
};

enum class TotalsVerdict : std::uint8_t { equal, within_allowance, differs };
[[nodiscard]] TotalsVerdict compare_totals(const core::Money& expected, const Decimal& found, const Decimal& allowance);

// needs_decision, code `code`, with both figures.
[[nodiscard]] core::Error totals_differ(std::string code, const core::Money& expected, const Decimal& found);

enum class Confirmation : std::uint8_t { now, not_by_rule, wait_for_payment, wait_for_risk, hold_for_risk };

// Whether the document is confirmed, by payment and risk. `silent` : the wait for a risk assessment is over.
[[nodiscard]] Confirmation confirmation(const ConfirmRule& rule, FinancialStatus status, RiskLevel risk, bool silent);

// Text without control characters, never empty: an empty name is refused by the target with a misleading error.
[[nodiscard]] std::string line_name(std::string_view text, std::string_view otherwise);

}  // namespace order_export
