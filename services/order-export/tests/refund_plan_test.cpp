#include <catch2/catch_test_macros.hpp>

#include "tests/fakes.h"

using namespace order_export;
using namespace order_export::testing;

namespace {

CreditedOrder credited() {
    return {.key = an_order().key,
            .reference = "#1001",
            .currency = "EUR",
            .taxes_included = false,
            .company = {},
            .lines = {{.key = "line_91", .product = "501", .name = "Shirt", .taxes = {"120"}, .hash = {}},
                      {.key = "shipping_5", .product = "900", .name = "Standard", .taxes = {"120"}, .hash = {}}}};
}

Refund a_refund() {
    Refund refund;
    refund.id = core::RefundId(77);
    refund.processed_at = core::SystemTime{1'760'000'500s};
    refund.lines.push_back(
        {.id = 1, .line = LineId(91), .quantity = dec("1"), .subtotal = dec("10"), .tax = dec("2"), .restocked = true});
    refund.transactions.push_back({.id = 1, .state = MoneyState::success, .shop_amount = dec("12")});
    return refund;
}

core::Result<CreditNote> planned(const Refund& refund, const CreditedOrder& order = credited()) {
    auto plan = plan_refund(refund, order, some_rules());
    if (!plan) {
        return std::unexpected(plan.error());
    }
    REQUIRE(std::holds_alternative<CreditNote>(*plan));
    return std::get<CreditNote>(*plan);
}

}  // namespace

TEST_CASE("refund plan: money that is pending or failed is a hold", "[order-export][unit]") {
    auto refund = a_refund();
    refund.transactions[0].state = MoneyState::pending;
    CHECK(planned(refund).error().code == "refund_money_pending");
    CHECK(planned(refund).error().waits_for == "money:eu/5001/1");
    CHECK(awaited_money("money:eu/5001/1")->order == credited().key);
    for (const auto* other : {"", "money:", "money:eu", "money:eu/1", "money:eu/x/1", "tax:FR/20.0/incl"}) {
        CHECK(!awaited_money(other));
    }
    refund.transactions[0].state = MoneyState::failed;
    CHECK(planned(refund).error().code == "refund_money_failed");
    // A second attempt paid it.
    refund.transactions.push_back({.id = 2, .state = MoneyState::success, .shop_amount = dec("12")});
    CHECK(planned(refund).has_value());
}

TEST_CASE("refund plan: money that differs from the goods is a hold with both figures", "[order-export][unit]") {
    auto refund = a_refund();
    refund.transactions[0].shop_amount = dec("11");
    const auto error = planned(refund).error();
    CHECK(error.code == "refund_amount_differs");
    CHECK(error.figures == core::Figures{.expected = "12", .found = "11", .currency = "EUR"});
}

TEST_CASE("refund plan: a taxed line that is on no document is a hold", "[order-export][unit]") {
    auto refund = a_refund();
    refund.lines[0].line = LineId(404);
    CHECK(planned(refund).error().code == "refund_line_unknown");
}

TEST_CASE("refund plan: goods, tax, shipping, duties and differences add up", "[order-export][unit]") {
    auto refund = a_refund();
    refund.shipping.push_back({.id = 3, .shipping_line_id = 5, .amount = dec("5"), .tax = dec("1")});
    refund.duties.push_back({.id = 4, .amount = dec("2"), .taxes = {}});
    refund.discrepancy = dec("1.5");
    refund.transactions[0].shop_amount = dec("18.5");
    const auto note = planned(refund);
    REQUIRE(note.has_value());
    CHECK(note->expected_total == core::Money{.amount = dec("18.5"), .currency = "EUR"});
    CHECK(note->external_name() == "eu_refund_77");
    REQUIRE(note->lines.size() == 4);
    CHECK(note->lines[0].product == "501");
    CHECK(note->lines[0].taxes == std::vector<TargetId>{"120"});
    CHECK(note->lines[1].taxes == std::vector<TargetId>{"120"});
    CHECK(note->lines[3].unit_price == dec("-1.5"));
}

TEST_CASE("refund plan: with tax in the prices the subtotal is the amount", "[order-export][unit]") {
    auto order = credited();
    order.taxes_included = true;
    auto refund = a_refund();
    refund.lines[0].subtotal = dec("12");
    CHECK(planned(refund, order).value().expected_total.amount == dec("12"));
    // Adjustments state their tax beside the amount, whatever the prices contain.
    refund.shipping.push_back({.id = 3, .shipping_line_id = 0, .amount = dec("5"), .tax = dec("1"), .tax_added = true});
    refund.transactions[0].shop_amount = dec("18");
    CHECK(planned(refund, order).value().expected_total.amount == dec("18"));
    CHECK(planned(refund, order).value().lines[1].unit_price == dec("6"));
}

TEST_CASE("refund plan: where prices contain tax, the money that moved tells whether an adjustment contains it",
          "[order-export][unit]") {
    auto order = credited();
    order.taxes_included = true;
    auto refund = a_refund();
    refund.lines[0].subtotal = dec("12");
    refund.shipping.push_back({.id = 3, .shipping_line_id = 0, .amount = dec("6"), .tax = dec("1"), .tax_added = true});
    refund.transactions[0].shop_amount = dec("18");
    CHECK(planned(refund, order).value().expected_total.amount == dec("18"));
    CHECK(planned(refund, order).value().lines[1].unit_price == dec("6"));

    refund.transactions[0].shop_amount = dec("18.5");  // Neither reading: a person decides.
    const auto neither = planned(refund, order);
    REQUIRE_FALSE(neither.has_value());
    CHECK(neither.error().code == "refund_amount_differs");

    refund.transactions.clear();  // Nothing to tell it by: as documented.
    CHECK(planned(refund, order).value().expected_total.amount == dec("19"));
}

TEST_CASE("refund plan: a price that does not divide exactly is one line of the whole", "[order-export][unit]") {
    auto refund = a_refund();
    refund.lines[0].quantity = dec("3");
    refund.lines[0].subtotal = dec("10");
    refund.transactions.clear();
    const auto note = planned(refund).value();
    CHECK(note.lines[0].quantity == dec("1"));
    CHECK(note.lines[0].unit_price == dec("10"));
    CHECK(note.lines[0].name == "3 × Shirt");
}

TEST_CASE("refund plan: a restock without money needs no credit note", "[order-export][unit]") {
    auto refund = a_refund();
    refund.lines[0].subtotal = refund.lines[0].tax = Decimal{};
    refund.transactions.clear();
    const auto plan = plan_refund(refund, credited(), some_rules());
    REQUIRE(plan.has_value());
    CHECK(std::get<NoCreditNote>(*plan).reason == "refund_without_amount");
}
