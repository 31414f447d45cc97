#include "domain/targets.h"

#include <catch2/catch_test_macros.hpp>
#include <limits>

using namespace inventory_sync;
using namespace std::chrono_literals;

namespace {

core::SystemTime at(int second) {
    return core::SystemTime{std::chrono::seconds{1'760'000'000 + second}};
}

const Place kNorth{"wms", "N"};
const Place kSouth{"wms", "S"};

Rules rules_of(Basis basis) {
    Rules rules;
    rules.sources["wms"].basis = basis;
    rules.shops["eu"].locations = {{.location = 1, .from = {kNorth}}};
    return rules;
}

SkuState state_of(Basis basis, std::int64_t pieces, int second = 10) {
    SkuState state;
    state.sku = "SHIRT";
    state.levels = {{.place = kNorth, .basis = basis, .pieces = pieces, .known_until = at(second)}};
    state.items = {{.shop = "eu", .item = 71}};
    return state;
}

Target only(const Targets& targets) {
    REQUIRE(targets.pairs.size() == 1);
    return targets.pairs.front();
}

}  // namespace

TEST_CASE("targets: a physical level is written as it is, Shopify subtracts its own orders", "[inventory-sync][unit]") {
    auto state = state_of(Basis::physical, 10);
    state.reserved = {{.shop = "eu", .location = 1, .quantity = 3, .placed = at(5)}};
    const auto target = only(targets_of(state, rules_of(Basis::physical)));
    CHECK(written_as(target.basis) == QuantityName::on_hand);
    CHECK(target.quantity == 10);
    CHECK(target.sellable == 7);
}

TEST_CASE("targets: a level net of the source's own orders is less every order of the shops", "[inventory-sync][unit]") {
    auto state = state_of(Basis::net_of_own, 10);
    state.reserved = {{.shop = "eu", .location = 1, .quantity = 3, .placed = at(5)},
                      {.shop = "eu", .location = 1, .quantity = 1, .placed = at(50)}};
    const auto target = only(targets_of(state, rules_of(Basis::net_of_own)));
    CHECK(written_as(target.basis) == QuantityName::available);
    CHECK(target.quantity == 6);
}

TEST_CASE("targets: a level net of all orders is less only those it cannot know", "[inventory-sync][unit]") {
    auto state = state_of(Basis::net_of_all, 10);
    state.reserved = {{.shop = "eu", .location = 1, .quantity = 3, .placed = at(5)},
                      {.shop = "eu", .location = 1, .quantity = 1, .placed = at(11)}};
    auto rules = rules_of(Basis::net_of_all);
    CHECK(only(targets_of(state, rules)).quantity == 9);
    SECTION("the source hears of orders late") {
        rules.sources["wms"].order_lag = 6s;
        CHECK(only(targets_of(state, rules)).quantity == 6);
    }
    SECTION("what left after the level was looked at and was placed before it is in the level already") {
        state.reserved.clear();
        state.shipped = {{.shop = "eu", .location = 1, .quantity = 3, .at = at(12), .placed = at(5)}};
        CHECK(only(targets_of(state, rules)).quantity == 10);
        state.shipped[0].placed = at(11);
        CHECK(only(targets_of(state, rules)).quantity == 7);
        state.shipped[0].placed.reset();
        CHECK(only(targets_of(state, rules)).quantity == 7);
    }
}

TEST_CASE("targets: a shipment is subtracted until a level observed after it", "[inventory-sync][unit]") {
    for (const auto basis : {Basis::physical, Basis::net_of_own}) {
        auto rules = rules_of(basis);
        auto state = state_of(basis, 10, 10);
        state.shipped = {{.shop = "eu", .location = 1, .quantity = 4, .at = at(11), .placed = {}}};
        CHECK(only(targets_of(state, rules)).quantity == 6);
        state.levels[0].known_until = at(11);
        CHECK(only(targets_of(state, rules)).quantity == 10);
        rules.sources["wms"].shipment_lag = 120s;
        CHECK(only(targets_of(state, rules)).quantity == 6);
        state.levels[0].known_until = at(131);
        CHECK(only(targets_of(state, rules)).quantity == 10);
        rules.sources["wms"].shipment_lag = -300s;
        state.levels[0].known_until = at(-200);
        CHECK(only(targets_of(state, rules)).quantity == 10);
    }
}

TEST_CASE("targets: what another shop has reserved or shipped from the same place is subtracted here", "[inventory-sync][unit]") {
    auto rules = rules_of(Basis::physical);
    rules.shops["us"].locations = {{.location = 9, .from = {kNorth}}};
    auto state = state_of(Basis::physical, 10);
    state.items.push_back({.shop = "us", .item = 71});
    state.reserved = {{.shop = "us", .location = 9, .quantity = 3, .placed = at(5)}};
    state.shipped = {{.shop = "us", .location = 9, .quantity = 2, .at = at(20), .placed = at(5)}};
    const auto targets = targets_of(state, rules);
    REQUIRE(targets.pairs.size() == 2);
    CHECK(targets.pairs[0].shop == "eu");
    CHECK(targets.pairs[0].quantity == 5);
    CHECK(targets.pairs[0].sellable == 5);
    CHECK(targets.pairs[1].quantity == 8);
    CHECK(targets.pairs[1].sellable == 5);
}

TEST_CASE("targets: several places feed one location, and one shop's locations may share a place", "[inventory-sync][unit]") {
    auto rules = rules_of(Basis::physical);
    rules.shops["eu"].locations = {{.location = 1, .from = {kNorth, kSouth}}, {.location = 2, .from = {kSouth}}};
    auto state = state_of(Basis::physical, 10);
    state.levels.push_back({.place = kSouth, .basis = Basis::physical, .pieces = 5, .known_until = at(10)});
    state.reserved = {{.shop = "eu", .location = 2, .quantity = 2, .placed = at(5)}};
    const auto targets = targets_of(state, rules);
    REQUIRE(targets.pairs.size() == 2);
    CHECK(targets.pairs[0].quantity == 13);
    CHECK(targets.pairs[1].quantity == 5);
    SECTION("the first place that keeps the item gives it") {
        state.levels.erase(state.levels.begin());
        CHECK(targets_of(state, rules).pairs[0].quantity == 3);
    }
}

TEST_CASE("targets: open units without a known place count where the shop keeps the item", "[inventory-sync][unit]") {
    auto rules = rules_of(Basis::net_of_own);
    rules.shops["eu"].locations = {{.location = 1, .from = {kSouth}}, {.location = 2, .from = {kNorth}}};
    auto state = state_of(Basis::net_of_own, 10);
    state.reserved = {{.shop = "eu", .location = 1, .quantity = 3, .placed = at(5), .provisional = true}};
    CHECK(only(targets_of(state, rules)).quantity == 7);
    state.reserved[0].provisional = false;
    CHECK(only(targets_of(state, rules)).quantity == 10);
}

TEST_CASE("targets: an unmapped place holds nothing but itself, an ignored one not even that", "[inventory-sync][unit]") {
    auto rules = rules_of(Basis::physical);
    auto state = state_of(Basis::physical, 10);
    state.levels.push_back({.place = kSouth, .basis = Basis::physical, .pieces = 5, .known_until = at(10)});
    auto targets = targets_of(state, rules);
    CHECK(only(targets).quantity == 10);
    CHECK(targets.unmapped == std::vector{kSouth});
    rules.ignored.insert(kSouth);
    targets = targets_of(state, rules);
    CHECK(only(targets).quantity == 10);
    CHECK(targets.unmapped.empty());
}

TEST_CASE("targets: a basis other than the mapping states is not counted", "[inventory-sync][unit]") {
    const auto targets = targets_of(state_of(Basis::net_of_all, 10), rules_of(Basis::physical));
    CHECK(targets.pairs.empty());
    CHECK(targets.basis_differs == std::vector<std::string>{"wms"});
}

TEST_CASE("targets: a SKU that a shop lacks or has twice is named and not written", "[inventory-sync][unit]") {
    auto state = state_of(Basis::physical, 10);
    state.items.push_back({.shop = "eu", .item = 72});
    auto targets = targets_of(state, rules_of(Basis::physical));
    CHECK(targets.pairs.empty());
    CHECK(targets.duplicate_in == std::vector<std::string>{"eu"});
    state.items.clear();
    targets = targets_of(state, rules_of(Basis::physical));
    CHECK(targets.shops_without == std::vector<std::string>{"eu"});
}

TEST_CASE("targets: policies from narrow to wide, never negative", "[inventory-sync][unit]") {
    auto rules = rules_of(Basis::net_of_own);
    auto& shop = rules.shops["eu"];
    shop.all = {.buffer = 2, .minimum = {}, .hide_below = 3};
    const auto quantity = [&](std::int64_t pieces, std::int64_t reserved) {
        auto state = state_of(rules.sources["wms"].basis, pieces);
        state.reserved = {{.shop = "eu", .location = 1, .quantity = reserved, .placed = at(5)}};
        return only(targets_of(state, rules)).quantity;
    };
    CHECK(quantity(10, 0) == 8);
    CHECK(quantity(5, 0) == 3);
    CHECK(quantity(4, 0) == 0);
    CHECK(quantity(4, 9) == 0);
    shop.by_location[1] = {.buffer = 0, .minimum = {}, .hide_below = {}};
    CHECK(quantity(4, 0) == 4);
    CHECK(quantity(2, 0) == 0);
    shop.by_sku["SHIRT"] = {.buffer = {}, .minimum = {}, .hide_below = 0};
    CHECK(quantity(2, 0) == 2);
    shop.by_sku_and_location[{"SHIRT", 1}] = {.buffer = {}, .minimum = 5, .hide_below = {}};
    CHECK(quantity(2, 0) == 5);
    CHECK(quantity(-7, 3) == 5);
    SECTION("of a physical level the same is left after Shopify has subtracted its orders") {
        rules.sources["wms"].basis = Basis::physical;
        shop.by_location.clear();
        shop.by_sku.clear();
        shop.by_sku_and_location.clear();
        CHECK(quantity(10, 4) == 8);  // 8 on hand, 4 of them committed: 4 shown, 2 kept back.
        CHECK(quantity(8, 4) == 4);   // 4 left, 2 after the buffer: hidden.
        CHECK(quantity(3, 4) == 3);   // Sold too often: not made up for.
        CHECK(quantity(-1, 0) == 0);
        shop.all = {.buffer = {}, .minimum = 5, .hide_below = {}};
        CHECK(quantity(3, 4) == 9);
    }
}

TEST_CASE("targets: an unexplained fall is subtracted from its own pair alone", "[inventory-sync][unit]") {
    auto state = state_of(Basis::net_of_own, 12);
    state.pending = {{.shop = "eu", .item = 71, .location = 1, .quantity = 2},
                     {.shop = "eu", .item = 71, .location = 2, .quantity = 5}};
    CHECK(only(targets_of(state, rules_of(Basis::net_of_own))).quantity == 10);
}

TEST_CASE("targets: what sells out soonest is most urgent", "[inventory-sync][unit]") {
    CHECK(urgency(0, 0) == 0);
    CHECK(urgency(-3, 100) == 0);
    CHECK(urgency(10, 20) < urgency(10, 2));
    CHECK(urgency(1, 0) < urgency(2, 0));
    CHECK(urgency(1'000'000'000, 0) < std::numeric_limits<double>::infinity());
}

TEST_CASE("targets: pieces are whole and rounded down, units are those of the mapping", "[inventory-sync][unit]") {
    SourceRule rule;
    rule.units["box"] = Decimal(12);
    const auto dec = [](const char* text) {
        return *Decimal::parse(text);
    };
    CHECK(pieces_of(dec("2.999"), "", "wms", rule) == 2);
    CHECK(pieces_of(dec("-0.5"), "piece", "wms", rule) == -1);
    CHECK(pieces_of(dec("1.5"), "box", "wms", rule) == 18);
    CHECK(pieces_of(dec("999999999999"), "box", "wms", rule) == 1'000'000'000);
    const auto unknown = pieces_of(dec("1"), "pallet", "wms", rule);
    CHECK(unknown.error().kind == core::ErrorKind::mapping_missing);
    CHECK(unknown.error().waits_for == "unit:wms/pallet");
}
