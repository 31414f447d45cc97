// An order as Shopify would hold it, and what follows from its parts by Shopify's arithmetic: net and tax rounded half up on each
// line, everything else sums.
#pragma once

#include <syncline/core/clock.h>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "src/amount.h"
#include "src/catalogue.h"
#include "src/kinds.h"

namespace loadgen {

using syncline::core::SystemTime;

struct TaxLine {
    TaxRate tax;
    Amount amount;
};

struct Application {
    std::string type;        // discount_code, automatic
    std::string value_type;  // percentage, fixed_amount
    std::string value;       // "10.0"
    std::string method;      // across, each
    std::string target;      // line_item, shipping_line
    std::string selection;   // all, entitled
    std::string title;       // Of automatic ones.
    std::string code;        // Of discount_code.
};

struct Allocation {
    std::size_t application = 0;
    Amount amount;
};

struct Duty {
    std::uint64_t id = 0;
    std::string hs_code, origin;
    Amount amount;
};

struct Line {
    enum class What : std::uint8_t { product, custom, gift_card };
    std::uint64_t id = 0;
    What what = What::product;
    Product product;
    Amount price;
    std::int64_t quantity = 1;
    std::int64_t removed = 0;   // By an edit.
    std::int64_t refunded = 0;  // By refunds.
    std::int64_t shipped = 0;
    std::vector<Allocation> allocations;
    std::vector<TaxRate> rates;
    std::vector<TaxLine> taxes;  // Of the quantity as ordered.
    std::optional<Duty> duty;
    std::uint64_t group = 0;

    [[nodiscard]] Amount gross() const { return price * quantity; }
    [[nodiscard]] Amount discount() const;
    [[nodiscard]] Amount net() const { return gross() - discount(); }
    [[nodiscard]] Amount tax() const;
    [[nodiscard]] std::int64_t current_quantity() const { return quantity - removed - refunded; }
};

struct ShippingLine {
    std::uint64_t id = 0;
    std::string title, code;
    Amount price;
    std::vector<Allocation> allocations;
    std::vector<TaxRate> rates;
    std::vector<TaxLine> taxes;
    [[nodiscard]] Amount discount() const;
    [[nodiscard]] Amount net() const { return price - discount(); }
    [[nodiscard]] Amount tax() const;
};

struct Group {
    std::uint64_t id = 0;
    std::string title;
    std::int64_t quantity = 1;
    Product bundle;
};

struct Transaction {
    std::uint64_t id = 0;
    std::uint64_t parent = 0;
    std::string kind;    // sale, authorization, void, refund
    std::string status;  // success, pending, failure
    Amount amount;
    SystemTime at;
};

struct RefundLine {
    std::uint64_t id = 0;
    std::size_t line = 0;  // Index into Order::lines.
    std::int64_t quantity = 0;
    std::string restock;  // return, cancel, no_restock
    Amount subtotal;
    Amount tax;
};

struct Refund {
    std::uint64_t id = 0;
    SystemTime at;
    std::string note;
    std::vector<RefundLine> lines;
    Amount shipping;  // Given back; contains tax when prices do.
    Amount shipping_tax;
    Amount discrepancy;          // Goods given back whose money was not: positive.
    bool as_adjustment = false;  // Shipping as order_adjustments (older versions) instead of refund_shipping_lines.
    std::vector<Transaction> transactions;
};

struct Fulfillment {
    std::uint64_t id = 0;
    std::string name;
    std::string tracking_number;
    SystemTime at;
    std::vector<std::pair<std::size_t, std::int64_t>> lines;  // Index, units.
};

struct Order {
    Shop shop;
    Kind kind = Kind::plain;
    std::uint64_t id = 0;
    std::uint64_t number = 0;
    std::string presentment_currency;
    int presentment_decimals = 2;
    bool taxes_included = true;
    bool test = false;
    std::string source = "web";
    std::uint64_t location_id = 0;
    std::string financial_status = "pending";
    std::string tags;
    std::string note;
    std::optional<Person> customer;  // An account.
    std::string email, phone;        // Also of guests; empty: none.
    std::optional<Person> buyer;     // Whose addresses these are.
    Place place;
    std::uint64_t company_id = 0, company_location_id = 0;
    std::string company_name, po_number;
    bool payment_terms = false;
    std::string merchant_of_record;
    std::vector<Line> lines;
    std::vector<Group> groups;
    std::vector<ShippingLine> shipping;
    std::vector<Application> applications;
    Amount tip, fee, cash_rounding;
    std::vector<Transaction> transactions;
    std::vector<Refund> refunds;
    std::vector<Fulfillment> fulfillments;
    SystemTime created, updated;
    std::optional<SystemTime> cancelled, closed;
    std::string cancel_reason;

    [[nodiscard]] std::string name() const { return "#" + std::to_string(number); }
    [[nodiscard]] std::string key() const { return shop.alias + "/" + std::to_string(id); }
};

// Sets the tax lines of every line and shipping line from prices, discounts and rates.
void compute_taxes(Order& order);

struct Totals {
    Amount line_items, discounts, subtotal, shipping, tax, duties, total;
    Amount current_discounts, current_subtotal, current_shipping, current_tax, current_total;
};
[[nodiscard]] Totals totals_of(const Order& order);
// What edits took away from a line: its value and tax less those of what is left.
struct Removed {
    Amount discount, net, tax;
};
[[nodiscard]] Removed removed_of(const Order& order, const Line& line);

// A refund of these units, with the value and tax that Shopify would suggest; counts them as refunded.
RefundLine refund_line(Order& order, std::uint64_t id, std::size_t line, std::int64_t quantity, std::string restock);
// The money that goes back with it.
[[nodiscard]] Amount amount_of(const Order& order, const Refund& refund);

}  // namespace loadgen
