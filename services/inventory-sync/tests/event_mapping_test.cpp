#include "adapters/event_mapping.h"

#include <catch2/catch_test_macros.hpp>

#include <syncline/core/time.h>

#include "adapters/order_text.h"

using namespace inventory_sync;

namespace {

inventory_v1::StockReported report() {
    inventory_v1::StockReported event;
    auto& position = *event.mutable_position();
    position.set_source("wms");
    position.set_location("N");
    position.set_sku("SHIRT");
    position.set_basis(inventory_v1::STOCK_BASIS_NET_OF_ALL);
    event.mutable_quantity()->set_value("12.5");
    event.mutable_observed_at()->set_seconds(100);
    event.mutable_observed_at()->set_nanos(7);
    event.set_sequence(18'446'744'073'709'551'615U);
    return event;
}

}  // namespace

TEST_CASE("stock events: a report is read exactly", "[inventory-sync][unit]") {
    const auto level = to_level(report());
    REQUIRE(level);
    CHECK(level->basis == Basis::net_of_all);
    CHECK(level->level.quantity.to_string() == "12.5");
    CHECK(level->level.observed.time_since_epoch().count() == 100'000'000'007);
    CHECK(level->level.sequence == 18'446'744'073'709'551'615U);
}

TEST_CASE("stock events: what cannot be read is refused with its reason", "[inventory-sync][unit]") {
    const auto code = [](auto change) {
        auto event = report();
        change(event);
        const auto level = to_level(event);
        return level ? std::string("accepted") : level.error().code;
    };
    CHECK(code([](auto& e) { e.mutable_position()->clear_sku(); }) == "position_incomplete");
    CHECK(code([](auto& e) { e.clear_position(); }) == "position_incomplete");
    CHECK(code([](auto& e) { e.mutable_position()->set_basis(inventory_v1::STOCK_BASIS_UNSPECIFIED); }) == "basis_unknown");
    CHECK(code([](auto& e) { e.mutable_quantity()->set_value("1,5"); }) == "decimal_malformed");
    CHECK(code([](auto& e) { e.clear_quantity(); }) == "decimal_malformed");
    CHECK(code([](auto& e) { e.mutable_quantity()->set_value("1e30"); }) == "quantity_out_of_range");
    CHECK(code([](auto& e) { e.clear_observed_at(); }) == "observed_at_missing");
    CHECK(code([](auto& e) { e.mutable_observed_at()->set_seconds(1LL << 60); }) == "observed_at_missing");
    inventory_v1::StockAdjusted adjusted;
    *adjusted.mutable_position() = report().position();
    adjusted.mutable_delta()->set_value("-1");
    adjusted.mutable_observed_at()->set_seconds(5);
    CHECK(to_change(adjusted).error().code == "adjustment_id_missing");
    adjusted.set_adjustment_id("x");
    CHECK(to_change(adjusted)->change.delta == Decimal(-1));
}

TEST_CASE("stock events: of an order counts what has stock and can still be shipped", "[inventory-sync][unit]") {
    orders_v1::OrderChanged event;
    auto& order = *event.mutable_order();
    order.set_shop("eu");
    order.set_order_id(820982911946154508);
    order.mutable_created_at()->set_seconds(50);
    order.mutable_source_updated_at()->set_seconds(60);
    const auto add = [&](std::int64_t id, const char* sku, std::int64_t variant, const char* open) {
        auto& line = *order.add_lines();
        line.set_line_item_id(id);
        line.set_sku(sku);
        line.set_variant_id(variant);
        line.mutable_quantity()->set_value("3");
        line.mutable_fulfillable_quantity()->set_value(open);
    };
    add(1, "SHIRT", 9, "2");
    add(2, "", 9, "2");
    add(3, "CUSTOM", 0, "2");
    auto& left = *order.add_fulfillments();
    left.set_fulfillment_id(77);
    left.set_status("success");
    left.mutable_created_at()->set_seconds(55);
    left.add_lines()->set_line_item_id(1);
    left.mutable_lines(0)->mutable_quantity()->set_value("1");
    auto snapshot = to_order(event);
    REQUIRE(snapshot);
    REQUIRE(snapshot->lines.size() == 1);
    CHECK(snapshot->lines[0].open == 2);
    CHECK(snapshot->lines[0].ordered == 3);
    REQUIRE(snapshot->fulfillments.size() == 1);
    // Times to the second mean its end.
    CHECK(core::nanos_since_epoch(snapshot->placed) == 50'999'999'999);
    CHECK(core::nanos_since_epoch(snapshot->fulfillments[0].at) == 55'999'999'999);
    OrderState state;
    apply(state, *snapshot);
    REQUIRE(shipments(state, 1).size() == 1);
    CHECK(shipments(state, 1)[0].sku == "SHIRT");
    state.places = {{.line = 1, .location = 4, .quantity = 2}};
    const auto again = order_from(state.key, text_of(state));
    REQUIRE(again);
    CHECK(*again == state);
    CHECK(order_from(state.key, "{}").error().code == "order_text_malformed");
    order.mutable_cancelled_at()->set_seconds(70);
    CHECK(to_order(event)->lines[0].open == 0);
    order.mutable_lines(0)->mutable_fulfillable_quantity()->set_value("1.5");
    CHECK(to_order(event).error().code == "quantity_not_whole");
}
