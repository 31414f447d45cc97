#include <algorithm>
#include <catch2/catch_test_macros.hpp>

#include "tests/fakes.h"

using namespace order_export;
using namespace order_export::testing;

namespace {

const DocumentLine* line(const SalesDocument& document, std::string_view key) {
    const auto found = std::ranges::find_if(document.lines, [&](const DocumentLine& l) { return l.key == key; });
    return found == document.lines.end() ? nullptr : &*found;
}

SalesDocument planned(const Order& order, const Rules& rules = some_rules()) {
    auto plan = plan_order(order, rules, "c");
    REQUIRE(plan.has_value());
    return *plan;
}

}  // namespace

TEST_CASE("export plan: an order without lines is refused", "[order-export][unit]") {
    auto order = an_order();
    order.lines.clear();
    order.shipping.clear();
    CHECK(plan_order(order, some_rules(), "c").error().code == "no_lines");
}

TEST_CASE("export plan: a tax without a rule is a hold that names country, rate and inclusion", "[order-export][unit]") {
    auto rules = some_rules();
    rules.taxes.clear();
    const auto error = plan_order(an_order(), rules, "c").error();
    CHECK(error.kind == ErrorKind::mapping_missing);
    CHECK(error.waits_for == "tax:FR/20.0/excl");
    CHECK(resolves(some_rules(), error.waits_for));
    CHECK(!resolves(rules, error.waits_for));
}

TEST_CASE("export plan: a currency without a pricelist is a hold", "[order-export][unit]") {
    auto order = an_order();
    order.currency = "CHF";
    CHECK(plan_order(order, some_rules(), "c").error().waits_for == "pricelist:CHF");
}

TEST_CASE("export plan: figures that the target would change are refused before they are sent", "[order-export][unit]") {
    auto order = an_order();
    order.lines[0].unit_price = dec("1000000000000");
    CHECK(plan_order(order, some_rules(), "c").error().code == "figure_out_of_range");
    order = an_order();
    order.lines[0].unit_price = dec("0.0000001");
    CHECK(plan_order(order, some_rules(), "c").error().code == "price_precision");
    order = an_order();
    order.lines[0].quantity = order.lines[0].current_quantity = dec("1.125");
    CHECK(plan_order(order, some_rules(), "c").error().code == "quantity_precision");
}

TEST_CASE("export plan: an order becomes product and shipping lines with their taxes and the expected total",
          "[order-export][unit]") {
    const auto document = planned(an_order());
    REQUIRE(document.lines.size() == 2);
    const auto* goods = line(document, "line_91");
    REQUIRE(goods != nullptr);
    CHECK(goods->product == "501");
    CHECK(goods->quantity == dec("2"));
    CHECK(goods->unit_price == dec("10"));
    CHECK(goods->taxes == std::vector<TargetId>{"120"});
    const auto* shipping = line(document, "shipping_5");
    REQUIRE(shipping != nullptr);
    CHECK(shipping->unit_price == dec("5"));
    CHECK(shipping->taxes == std::vector<TargetId>{"120"});
    CHECK(document.expected_total == core::Money{.amount = dec("30"), .currency = "EUR"});
    CHECK(document.allowance == dec("0.02"));
    CHECK(document.key.external_name() == "eu_order_5001");
}

TEST_CASE("export plan: a discount is one exact negative line with the taxes of its line", "[order-export][unit]") {
    auto order = an_order();
    order.lines[0].discount = dec("3.33");
    const auto document = planned(order);
    const auto* discount = line(document, "line_91_discount");
    REQUIRE(discount != nullptr);
    CHECK(discount->quantity == dec("1"));
    CHECK(discount->unit_price == dec("-3.33"));
    CHECK(discount->taxes == std::vector<TargetId>{"120"});
    CHECK(line(document, "line_91")->unit_price == dec("10"));
}

TEST_CASE("export plan: tips, fees, duties and cash rounding each have a line, once", "[order-export][unit]") {
    auto order = an_order();
    order.tips = dec("2");
    order.fees = dec("0.50");
    order.duties = dec("4");
    order.cash_rounding = dec("-0.02");
    const auto document = planned(order);
    CHECK(line(document, "tip")->unit_price == dec("2"));
    CHECK(line(document, "fee")->unit_price == dec("0.5"));
    CHECK(line(document, "duty")->unit_price == dec("4"));
    CHECK(line(document, "cash_rounding")->unit_price == dec("-0.02"));
    CHECK(document.expected_total.amount == dec("29.98"));

    // A tip that is a line of its own is not added again from the total.
    auto with_line = order;
    auto tip = with_line.lines[0];
    tip.id = LineId(92);
    tip.kind = LineKind::tip;
    tip.taxes.clear();
    tip.unit_price = dec("2");
    tip.quantity = tip.current_quantity = dec("1");
    with_line.lines.push_back(tip);
    const auto again = planned(with_line);
    CHECK(line(again, "tip") == nullptr);
    CHECK(line(again, "line_92")->product == extra_of(some_rules(), Extra::tip).value());
}

TEST_CASE("export plan: gift cards and custom lines are sold as what the mapping says", "[order-export][unit]") {
    auto order = an_order();
    order.lines[0].kind = LineKind::gift_card;
    CHECK(line(planned(order), "line_91")->product == extra_of(some_rules(), Extra::gift_card).value());
    order.lines[0].kind = LineKind::custom;
    order.lines[0].sku = core::Sku("");
    CHECK(line(planned(order), "line_91")->product == extra_of(some_rules(), Extra::custom).value());
}

TEST_CASE("export plan: a product without a SKU is found by its variant or held", "[order-export][unit]") {
    auto order = an_order();
    order.lines[0].sku = core::Sku("");
    CHECK(plan_order(order, some_rules(), "c").error().waits_for == "product:variant:7");
    auto rules = some_rules();
    rules.products["variant:7"] = "599";
    CHECK(line(planned(order, rules), "line_91")->product == "599");
    CHECK(resolves(rules, "product:variant:7"));
}

TEST_CASE("export plan: units that were refunded stay on the document, units that an edit removed do not",
          "[order-export][unit]") {
    auto refunded = an_order();
    refunded.lines[0].current_quantity = dec("1");
    refunded.current_total = dec("18");
    refunded.refunds.push_back(
        {.id = core::RefundId(1),
         .lines = {{.id = 1, .line = LineId(91), .quantity = dec("1"), .subtotal = dec("10"), .tax = dec("2")}}});
    CHECK(line(planned(refunded), "line_91")->quantity == dec("2"));
    CHECK(planned(refunded).expected_total.amount == dec("30"));
    CHECK(planned(refunded).hash == planned(an_order()).hash);

    auto edited = an_order();
    edited.lines[0].current_quantity = dec("1");
    edited.current_total = dec("18");
    CHECK(line(planned(edited), "line_91")->quantity == dec("1"));
    CHECK(planned(edited).expected_total.amount == dec("18"));
}

TEST_CASE("export plan: a tax that a marketplace remits may be left out on purpose", "[order-export][unit]") {
    auto order = an_order();
    order.lines[0].taxes[0].channel_liable = true;
    CHECK(plan_order(order, some_rules(), "c").error().waits_for == "tax:FR/20.0/excl/channel");
    auto rules = some_rules();
    rules.taxes.push_back({.country = {},
                           .province = {},
                           .rate = dec("0.2"),
                           .included = false,
                           .channel_liable = true,
                           .title = {},
                           .target = {}});
    const auto document = planned(order, rules);
    CHECK(line(document, "line_91")->taxes.empty());
    CHECK(document.expected_total.amount == dec("26"));
    CHECK(resolves(rules, "tax:FR/20.0/excl/channel"));
}

TEST_CASE("export plan: the hash changes with the content and not with the version", "[order-export][unit]") {
    auto later = an_order();
    later.version.updated_ns = 999;
    CHECK(planned(later).hash == planned(an_order()).hash);
    CHECK(planned(later).stamp() != planned(an_order()).stamp());
    auto other = an_order();
    other.lines[0].unit_price = dec("10.01");
    CHECK(planned(other).hash != planned(an_order()).hash);
}

TEST_CASE("export plan: a stamp gives its version back, and nothing else does", "[order-export][unit]") {
    auto order = an_order();
    order.version = {.updated_ns = 1'760'000'000'123'456'789, .observed_ns = 42, .fetched = true};
    CHECK(version_in_stamp(planned(order).stamp()) == order.version);
    for (const auto* text :
         {"", "#1001", "[syncline", "[syncline ", "[syncline 1.", "[syncline 1.2x/", "[syncline 99999999999999999999.1p/"}) {
        CHECK(!version_in_stamp(text));
    }
}

TEST_CASE("export plan: totals are compared with the allowance", "[order-export][unit]") {
    const core::Money ten{.amount = dec("10"), .currency = "EUR"};
    CHECK(compare_totals(ten, dec("10.00"), dec("0")) == TotalsVerdict::equal);
    CHECK(compare_totals(ten, dec("10.01"), dec("0.01")) == TotalsVerdict::within_allowance);
    CHECK(compare_totals(ten, dec("9.99"), dec("0.01")) == TotalsVerdict::within_allowance);
    CHECK(compare_totals(ten, dec("10.011"), dec("0.01")) == TotalsVerdict::differs);
    CHECK(compare_totals(ten, dec("10.01"), dec("0")) == TotalsVerdict::differs);
}

TEST_CASE("export plan: confirmation follows payment, then risk, then silence", "[order-export][unit]") {
    ConfirmRule rule;
    rule.levels = {{RiskLevel::high, RiskAnswer::hold}, {RiskLevel::medium, RiskAnswer::leave}};
    using enum Confirmation;
    CHECK(confirmation(rule, FinancialStatus::pending, RiskLevel::none, false) == wait_for_payment);
    CHECK(confirmation(rule, FinancialStatus::paid, RiskLevel::unknown, false) == now);
    CHECK(confirmation(rule, FinancialStatus::paid, RiskLevel::low, false) == now);
    CHECK(confirmation(rule, FinancialStatus::paid, RiskLevel::medium, false) == not_by_rule);
    CHECK(confirmation(rule, FinancialStatus::paid, RiskLevel::high, true) == hold_for_risk);
    rule.risk_wait = 60s;
    CHECK(confirmation(rule, FinancialStatus::paid, RiskLevel::unknown, false) == wait_for_risk);
    CHECK(confirmation(rule, FinancialStatus::paid, RiskLevel::unknown, true) == now);
    rule.on_silence = RiskAnswer::leave;
    CHECK(confirmation(rule, FinancialStatus::paid, RiskLevel::unknown, true) == not_by_rule);
    rule.enabled = false;
    CHECK(confirmation(rule, FinancialStatus::paid, RiskLevel::none, true) == not_by_rule);
}

TEST_CASE("export plan: names are never empty and hold no control characters", "[order-export][unit]") {
    CHECK(line_name("", "") == "-");
    CHECK(line_name(" \t ", "SKU") == "SKU");
    CHECK(line_name(std::string("a\0b\nc", 5), "") == "a b c");
    const std::string long_name(600, 'x');
    CHECK(line_name(long_name, "").size() == 500);
    std::string umlauts(499, 'x');
    umlauts += "ü";
    CHECK(line_name(umlauts, "") == std::string(499, 'x'));
}
