// An order as order-export sees it: what an ERP document needs, amounts in shop currency, nothing of the wire.
//
// Value types; made by adapters/event_mapping from the events. Personal data lives in `Buyer` alone.
#pragma once

#include <syncline/core/clock.h>
#include <syncline/core/decimal.h>
#include <syncline/core/ids.h>
#include <syncline/core/money.h>
#include <chrono>
#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace order_export {

namespace core = syncline::core;
using core::Decimal;
using LineId = core::StrongId<struct LineIdTag, std::uint64_t>;

// Version of a snapshot: Shopify's updated_at, then when it was observed; a fetched one wins a tie.
struct SnapshotVersion {
    std::int64_t updated_ns = 0;
    std::int64_t observed_ns = 0;
    bool fetched = false;
    friend auto operator<=>(const SnapshotVersion&, const SnapshotVersion&) = default;
};

struct OrderKey {
    core::ShopAlias shop;
    core::OrderId id;
    friend auto operator<=>(const OrderKey&, const OrderKey&) = default;
    // "eu/5001": the key of the topic.
    [[nodiscard]] std::string text() const { return shop.value() + "/" + id.text(); }
    // "eu_order_5001": the external id's name; the module is the adapter's.
    [[nodiscard]] std::string external_name() const { return shop.value() + "_order_" + id.text(); }
};

struct TaxLine {
    std::string title;
    Decimal rate;  // 0.2 for 20 %.
    Decimal amount;
    bool included = false;
    bool channel_liable = false;  // A marketplace remits it.
};

struct Duty {
    std::uint64_t id = 0;
    Decimal amount;
    std::vector<TaxLine> taxes;
};

enum class LineKind : std::uint8_t { product, custom, gift_card, tip, fee };

struct OrderLine {
    LineId id;
    std::uint64_t variant_id = 0;
    core::Sku sku;
    std::string name;
    LineKind kind = LineKind::product;
    Decimal quantity;          // As ordered.
    Decimal current_quantity;  // After edits, removals and refunds.
    Decimal unit_price;        // Before discounts.
    Decimal discount;          // Σ allocations, on the whole line.
    std::vector<TaxLine> taxes;
    std::vector<Duty> duties;
    std::uint64_t group_id = 0;
};

struct LineGroup {
    std::uint64_t id = 0;
    std::string title;
    Decimal quantity;
};

struct ShippingLine {
    std::uint64_t id = 0;
    std::string title;
    Decimal price;     // Before discounts.
    Decimal discount;  // Σ allocations.
    std::vector<TaxLine> taxes;
    bool removed = false;
};

enum class MoneyState : std::uint8_t { success, pending, failed };

struct RefundTransaction {
    std::uint64_t id = 0;
    MoneyState state = MoneyState::pending;
    std::optional<Decimal> shop_amount;  // Absent when it ran in another currency and Shopify did not convert it.
};

struct RefundLine {
    std::uint64_t id = 0;
    LineId line;
    Decimal quantity;
    Decimal subtotal;  // After discounts; contains tax when the order's prices do.
    Decimal tax;
    bool restocked = false;
};

struct RefundShipping {
    std::uint64_t id = 0;
    std::uint64_t shipping_line_id = 0;  // 0: not said.
    Decimal amount;                      // Given back, positive; contains tax when the order's prices do, unless `tax_added`.
    Decimal tax;
    bool tax_added = false;  // Adjustments state the tax beside the amount, also where prices contain tax.

    // In the terms of the order's prices.
    [[nodiscard]] core::Result<Decimal> price(bool taxes_included) const {
        return taxes_included && tax_added ? amount + tax : core::Result<Decimal>(amount);
    }
};

struct Refund {
    core::RefundId id;
    core::SystemTime processed_at{};
    std::vector<RefundLine> lines;
    std::vector<RefundShipping> shipping;
    std::vector<Duty> duties;
    Decimal discrepancy;  // Σ differences between goods and money, Shopify's sign: positive is not given back.
    std::vector<RefundTransaction> transactions;
};

enum class FinancialStatus : std::uint8_t {
    unknown,
    pending,
    authorized,
    partially_paid,
    paid,
    partially_refunded,
    refunded,
    voided,
    expired
};
enum class RiskLevel : std::uint8_t { unknown, none, low, medium, high };

[[nodiscard]] std::string_view to_string(FinancialStatus status);
[[nodiscard]] std::string_view to_string(RiskLevel level);
[[nodiscard]] std::optional<FinancialStatus> financial_status_from(std::string_view name);
[[nodiscard]] std::optional<RiskLevel> risk_level_from(std::string_view name);

struct Address {
    std::string first_name, last_name, company, address1, address2, city, zip, province_code, country_code, phone;
    [[nodiscard]] bool empty() const {
        return address1.empty() && city.empty() && zip.empty() && country_code.empty() && last_name.empty() &&
               first_name.empty() && company.empty();
    }
};

// Who bought: the only personal data here. Absent members mean that it was not sent or was redacted.
struct Buyer {
    std::uint64_t customer_id = 0;  // 0: a guest.
    std::uint64_t company_id = 0;   // 0: not B2B.
    std::string first_name, last_name, email, phone, locale;
    std::optional<Address> billing;
    std::optional<Address> shipping;
};

struct Order {
    OrderKey key;
    std::string name;  // "#1001"
    SnapshotVersion version;
    core::SystemTime placed_at{};
    bool cancelled = false;
    bool test = false;
    std::string source;  // web, pos, shopify_draft_order or an app id
    std::uint64_t location_id = 0;
    FinancialStatus financial_status = FinancialStatus::unknown;
    std::string currency;
    bool taxes_included = false;
    bool duties_included = false;
    std::string country;  // Of destination, for taxes.
    std::string province;
    std::vector<OrderLine> lines;
    std::vector<LineGroup> groups;
    std::vector<ShippingLine> shipping;
    Decimal total;                              // As ordered.
    Decimal current_total;                      // After edits, removals and refunds.
    Decimal tips, duties, fees, cash_rounding;  // Order level totals.
    std::vector<Refund> refunds;
    Buyer buyer;
};

}  // namespace order_export
