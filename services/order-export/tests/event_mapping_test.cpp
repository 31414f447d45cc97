#include "adapters/event_mapping.h"

#include <catch2/catch_test_macros.hpp>

#include "tests/fakes.h"

using namespace order_export;
using namespace order_export::testing;

namespace {

namespace common_v1 = syncline::common::v1;

void set(common_v1::MoneyPair& pair, std::int64_t units, std::int32_t nanos = 0) {
    pair.mutable_shop()->set_currency_code("EUR");
    pair.mutable_shop()->set_units(units);
    pair.mutable_shop()->set_nanos(nanos);
}

orders_v1::OrderChanged an_event() {
    orders_v1::OrderChanged event;
    auto& order = *event.mutable_order();
    order.set_shop("eu");
    order.set_order_id(5001);
    order.set_name("#1001");
    order.set_currency_code("EUR");
    order.mutable_source_updated_at()->set_seconds(1'760'000'000);
    order.mutable_observed_at()->set_seconds(1'760'000'001);
    order.mutable_observed_at()->set_nanos(5);
    order.set_financial_status(orders_v1::FINANCIAL_STATUS_PAID);
    auto& line = *order.add_lines();
    line.set_line_item_id(91);
    line.set_sku("SKU-1");
    line.mutable_quantity()->set_value("2");
    set(*line.mutable_unit_price(), 19, 990'000'000);
    set(*line.add_discount_allocations()->mutable_amount(), 1);
    set(*line.add_discount_allocations()->mutable_amount(), 0, 500'000'000);
    set(*order.mutable_total_price(), 38, 480'000'000);
    return event;
}

}  // namespace

TEST_CASE("event mapping: a snapshot without an order is malformed", "[order-export][unit]") {
    CHECK(to_order({}).error().kind == ErrorKind::malformed);
    auto event = an_event();
    event.mutable_order()->mutable_total_price()->mutable_shop()->set_nanos(2'000'000'000);
    CHECK(to_order(event).error().kind == ErrorKind::malformed);
    event = an_event();
    event.mutable_order()->mutable_lines(0)->mutable_quantity()->set_value("two");
    CHECK(to_order(event).error().kind == ErrorKind::malformed);
}

TEST_CASE("event mapping: a snapshot keeps its amounts, version and status", "[order-export][unit]") {
    const auto order = to_order(an_event());
    REQUIRE(order);
    CHECK(order->key.text() == "eu/5001");
    CHECK(order->version ==
          SnapshotVersion{.updated_ns = 1'760'000'000'000'000'000, .observed_ns = 1'760'000'001'000'000'005, .fetched = false});
    REQUIRE(order->lines.size() == 1);
    CHECK(order->lines[0].unit_price == dec("19.99"));
    CHECK(order->lines[0].discount == dec("1.5"));
    CHECK(order->lines[0].current_quantity == dec("2"));
    CHECK(order->total == dec("38.48"));
    CHECK(order->current_total == dec("38.48"));
    CHECK(order->financial_status == FinancialStatus::paid);
}

TEST_CASE("event mapping: a shipping refund is read once, from whichever member has it", "[order-export][unit]") {
    orders_v1::RefundRecorded event;
    event.set_shop("eu");
    event.mutable_refund()->set_refund_id(77);
    event.mutable_refund()->set_order_id(5001);
    auto& adjustment = *event.mutable_refund()->add_adjustments();
    adjustment.set_kind("shipping_refund");
    set(*adjustment.mutable_amount(), -5);
    set(*adjustment.mutable_tax_amount(), -1);
    auto& difference = *event.mutable_refund()->add_adjustments();
    difference.set_kind("refund_discrepancy");
    set(*difference.mutable_amount(), 2);
    auto fact = to_refund(event);
    REQUIRE(fact);
    REQUIRE(fact->refund.shipping.size() == 1);
    CHECK(fact->refund.shipping[0].amount == dec("5"));
    CHECK(fact->refund.shipping[0].tax == dec("1"));
    CHECK(fact->refund.discrepancy == dec("2"));
    auto& line = *event.mutable_refund()->add_shipping_lines();
    line.set_shipping_line_id(5);
    set(*line.mutable_subtotal(), 5);
    fact = to_refund(event);
    REQUIRE(fact->refund.shipping.size() == 1);
    CHECK(fact->refund.shipping[0].shipping_line_id == 5);
}

TEST_CASE("event mapping: only refund transactions are a refund's money", "[order-export][unit]") {
    orders_v1::RefundRecorded event;
    event.set_shop("eu");
    event.mutable_refund()->set_refund_id(77);
    event.mutable_refund()->set_order_id(5001);
    auto& refund = *event.mutable_refund()->add_transactions();
    refund.set_transaction_id(1);
    refund.set_kind("refund");
    refund.set_status(orders_v1::TRANSACTION_STATUS_ERROR);
    auto& sale = *event.mutable_refund()->add_transactions();
    sale.set_kind("sale");
    const auto fact = to_refund(event);
    REQUIRE(fact->refund.transactions.size() == 1);
    CHECK(fact->refund.transactions[0].state == MoneyState::failed);
    CHECK(!fact->refund.transactions[0].shop_amount);
}

TEST_CASE("event mapping: results carry no personal data", "[order-export][unit]") {
    World world;
    static_cast<void>(world.deliver(an_order()));
    auto delivery = world.delivery();
    const auto& entry = world.ledger.entries.at(an_order().key);
    const auto event = exported_event({.connection = "odoo-main", .now = world.clock.now()}, delivery, entry,
                                      ExportAction::created, entry.expected_total);
    const auto bytes = event.SerializeAsString();
    for (const auto* word : {"Ann", "Example", "example.com", "Road", "Paris"}) {
        CHECK(bytes.find(word) == std::string::npos);
    }
    CHECK(event.document().external_key() == "syncline.eu_order_5001");
    CHECK(event.document().state() == "sale");
    CHECK(event.context().connection() == "odoo-main");
    CHECK(event.context().time_since_placed().seconds() == 10);
}
