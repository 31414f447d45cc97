// The rules of one connection: its mapping tables and what is exported, confirmed and compared how.
//
// Made from mappings/<connection>.yaml (adapters/mapping_file). Immutable once made; any thread. Ids of the target are text: what
// they mean is the connector's.
#pragma once

#include <syncline/core/decimal.h>
#include <syncline/core/error.h>
#include <chrono>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "domain/order.h"

namespace order_export {

using TargetId = std::string;

// A tax of the target for a tax of Shopify. Empty country, or title: any.
struct TaxRule {
    std::string country;
    std::string province;
    Decimal rate;  // 0.2 for 20 %.
    bool included = false;
    bool channel_liable = false;
    std::string title;
    std::optional<TargetId> target;  // nullopt: on purpose no tax on the document.
};

// The first one whose conditions all hold; empty conditions hold always.
struct WarehouseRule {
    std::string shop, country, source;
    std::uint64_t location_id = 0;
    TargetId target;
};

// What a line that is no product of the catalog is sold as.
enum class Extra : std::uint8_t { shipping, discount, tip, fee, gift_card, custom, duty, rounding, adjustment };
[[nodiscard]] std::string_view to_string(Extra extra);
[[nodiscard]] std::optional<Extra> extra_from(std::string_view name);

enum class RiskAnswer : std::uint8_t { confirm, leave, hold };

struct ConfirmRule {
    bool enabled = true;
    std::set<FinancialStatus> statuses{FinancialStatus::paid, FinancialStatus::partially_refunded, FinancialStatus::refunded};
    std::chrono::seconds risk_wait{0};  // Zero: an unknown risk does not matter.
    RiskAnswer on_silence = RiskAnswer::confirm;
    std::map<RiskLevel, RiskAnswer> levels{{RiskLevel::high, RiskAnswer::hold}};
};

enum class Difference : std::uint8_t { accept, rounding_line };

struct TotalsRule {
    Decimal allowance_per_tax_line = Decimal::from_scaled(1, 2).value_or(Decimal{});  // In units of the currency.
    Difference within_allowance = Difference::accept;
};

struct ShopRule {
    TargetId company;     // Empty: the target user's own.
    std::string country;  // For taxes of orders without any address (POS).
    std::string language;
};

struct Rules {
    std::vector<TaxRule> taxes;
    std::optional<TargetId> fallback_included;  // Used where no tax rule fits; absent: a hold.
    std::optional<TargetId> fallback_excluded;
    std::map<std::string, TargetId> pricelists;  // By currency.
    std::vector<WarehouseRule> warehouses;
    std::map<std::string, TargetId> products;  // By SKU, or "variant:<id>".
    bool look_up_sku = true;                   // In the target, when the table has no entry.
    std::map<Extra, TargetId> extras;
    std::map<std::string, ShopRule> shops;
    bool match_email = true;
    std::set<std::string> excluded_sources;
    bool export_pos = false;
    bool export_drafts = true;
    bool export_zero_total = true;
    bool create_cancelled = false;
    ConfirmRule confirm;
    TotalsRule totals;
    TargetId refund_journal;  // Empty: the target's own choice.
};

// Percent with at least one decimal: 0.2 → "20.0", 0.055 → "5.5".
[[nodiscard]] std::string percent_text(const Decimal& rate);

// "tax:FR/20.0/incl", "tax:US/8.875/excl/channel": what a hold waits for.
[[nodiscard]] std::string tax_key(const std::string& country, const TaxLine& tax);

// The target's tax; nullopt inside: none on purpose. Error mapping_missing, waits_for tax_key().
[[nodiscard]] core::Result<std::optional<TargetId>> tax_of(const Rules& rules, const std::string& country,
                                                           const std::string& province, const TaxLine& tax);
// Error mapping_missing, waits_for "line:shipping" …
[[nodiscard]] core::Result<TargetId> extra_of(const Rules& rules, Extra extra);
// Error mapping_missing, waits_for "pricelist:USD".
[[nodiscard]] core::Result<TargetId> pricelist_of(const Rules& rules, const std::string& currency);
[[nodiscard]] std::optional<TargetId> warehouse_of(const Rules& rules, const Order& order);
[[nodiscard]] ShopRule shop_of(const Rules& rules, const core::ShopAlias& shop);

// Whether a hold that waits for this entry can go on now.
[[nodiscard]] bool resolves(const Rules& rules, std::string_view waits_for);

// Why an order is not exported at all ("test_order", "pos_order", …); nullopt: it is.
[[nodiscard]] std::optional<std::string> exclusion(const Rules& rules, const Order& order);

}  // namespace order_export
