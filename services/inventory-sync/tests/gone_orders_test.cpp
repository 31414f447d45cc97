// Orders that were deleted, and orders that came and went before they were heard of.
#include "tests/sending_rig.h"

using namespace inventory_sync;
using namespace inventory_sync::testing;
using syncline::postgres::testing::Database;

namespace {

void tell_deleted(Rig& rig, std::int64_t order, bool confirmed = false) {
    rig.in_transaction([&](Transaction& tx) {
        return delete_orders(tx, {{.order = {.shop = "eu", .order = order}, .confirmed = confirmed}}, rig.rules.get(),
                             rig.clock.now());
    });
}

}  // namespace

TEST_CASE("gone orders: one that is said to be deleted ends once Shopify does not know it", "[inventory-sync][postgres]") {
    if (!Database::available()) {
        SKIP(Database::kWhyNot);
    }
    ShownRig rig(1);
    rig.level(1000).available = 7;
    rig.shops.order_places[{.shop = "eu", .order = 5}] = {{.line = 50, .location = 1, .quantity = 3}};
    rig.orders({rig.order(5, "SKU-1000", 3, 3)});
    rig.settle({"eu"});
    CHECK(rig.column("target", 1000) == "7");
    // It is still there: the webhook proves nothing.
    tell_deleted(rig, 5);
    rig.settle({"eu"});
    CHECK(rig.column("target", 1000) == "7");
    CHECK(rig.database.value("SELECT sum(quantity) FROM reservations") == "3");
    rig.shops.order_places.clear();
    tell_deleted(rig, 5);
    rig.settle({"eu"});
    CHECK(rig.database.value("SELECT count(*) FROM reservations") == "0");
    CHECK(rig.level(1000).available == 10);
    // A snapshot from before the deletion comes late.
    rig.orders({rig.order(5, "SKU-1000", 3, 3, 2)});
    rig.settle({"eu"});
    CHECK(rig.database.value("SELECT count(*) FROM reservations") == "0");
}

TEST_CASE("gone orders: a deletion that is heard before the order is remembered", "[inventory-sync][postgres]") {
    if (!Database::available()) {
        SKIP(Database::kWhyNot);
    }
    ShownRig rig(1);
    tell_deleted(rig, 5);
    tell_deleted(rig, 6, true);
    rig.orders({rig.order(5, "SKU-1000", 3, 3), rig.order(6, "SKU-1000", 2, 2)});
    CHECK(rig.database.value("SELECT sum(quantity) FROM reservations") == "3");
    rig.settle({"eu"});
    CHECK(rig.database.value("SELECT count(*) FROM reservations") == "0");
    CHECK(rig.level(1000).available == 10);
}

TEST_CASE("gone orders: an order too old for the app to read keeps its units without a deletion", "[inventory-sync][postgres]") {
    if (!Database::available()) {
        SKIP(Database::kWhyNot);
    }
    ShownRig rig(1);
    rig.level(1000).available = 7;
    rig.orders({rig.order(5, "SKU-1000", 3, 3)});
    rig.settle({"eu"});
    CHECK(rig.database.value("SELECT sum(quantity) FROM reservations") == "3");
    CHECK(rig.level(1000).available == 7);
}

TEST_CASE("gone orders: placed and cancelled before either was heard of leaves nothing pending", "[inventory-sync][postgres]") {
    if (!Database::available()) {
        SKIP(Database::kWhyNot);
    }
    ShownRig rig(2);
    // Placed: Shopify takes 3; a report is refused as stale and the fall is seen.
    rig.level(1000).available = 7;
    rig.report("SKU-1000", 12);
    rig.settle({"eu"});
    CHECK(rig.column("pending", 1000) == "3");
    CHECK(rig.level(1000).available == 9);
    SECTION("the rise is seen before the order is heard of") {
        rig.level(1000).available = 12;
        rig.report("SKU-1000", 13);
        rig.settle({"eu"});
        CHECK(rig.column("pending", 1000) == "3");
        CHECK(rig.level(1000).available == 10);
        rig.orders({rig.order(5, "SKU-1000", 0, 3)});
        rig.settle({"eu"});
        CHECK(rig.level(1000).available == 13);
    }
    SECTION("the order is heard of before the rise is seen") {
        rig.level(1000).available = 12;
        rig.orders({rig.order(5, "SKU-1000", 0, 3)});
        rig.settle({"eu"});
        CHECK(rig.level(1000).available == 12);
    }
    SECTION("it was cancelled without being put back: nothing rose, so nothing is raised") {
        rig.orders({rig.order(5, "SKU-1000", 0, 3)});
        rig.settle({"eu"});
        CHECK(rig.column("pending", 1000) == "3");
        CHECK(rig.level(1000).available == 9);
        return;
    }
    SECTION("another order took units at the same time: its units stay") {
        rig.level(1000).available = 9 - 2 + 3;
        rig.orders({rig.order(5, "SKU-1000", 0, 3)});
        rig.settle({"eu"});
        // Of the rise of one nothing tells which of the two it hides.
        CHECK(rig.column("pending", 1000) == "2");
        rig.orders({rig.order(6, "SKU-1000", 2, 2)});
        rig.settle({"eu"});
        CHECK(rig.column("pending", 1000) == "0");
        CHECK(rig.level(1000).available == 10);
        return;
    }
    CHECK(rig.column("pending", 1000) == "0");
    CHECK(rig.column("risen", 1000) == "0");
    CHECK(rig.column("returned", 1000) == "0");
}

TEST_CASE("gone orders: an order heard of in time and then cancelled explains nothing twice", "[inventory-sync][postgres]") {
    if (!Database::available()) {
        SKIP(Database::kWhyNot);
    }
    ShownRig rig(1);
    rig.level(1000).available = 6;
    rig.orders({rig.order(5, "SKU-1000", 3, 3)});
    rig.report("SKU-1000", 11);
    rig.settle({"eu"});
    CHECK(rig.column("pending", 1000) == "1");
    // What it gives back is its own, not what the unknown order took.
    rig.level(1000).available += 3;
    rig.orders({rig.order(5, "SKU-1000", 0, 3, 2)});
    rig.settle({"eu"});
    CHECK(rig.column("pending", 1000) == "1");
    CHECK(rig.level(1000).available == 10);
}

TEST_CASE("gone orders: shipments without a location follow the first location of a changed mapping",
          "[inventory-sync][postgres]") {
    if (!Database::available()) {
        SKIP(Database::kWhyNot);
    }
    ShownRig rig(1, Basis::physical);
    auto rules = *rig.rules;
    rig.rules->shops.clear();
    auto order = rig.order(5, "SKU-1000", 0, 2);
    order.fulfillments = {
        {.id = 50, .at = rig.clock.now() + 1h, .lines = {{.line = 50, .sku = "SKU-1000", .quantity = 2}}, .in_order = true}};
    rig.orders({order});
    // No mapping names the shop: it counts nowhere yet.
    CHECK(rig.database.value("SELECT count(*) FROM shipments") == "0");
    *rig.rules = rules;
    REQUIRE(rig.targets.apply_mapping(*rig.rules, "v2"));
    CHECK(rig.database.value("SELECT location_id FROM shipments") == "1");
    rig.rules->shops["eu"].locations.insert(rig.rules->shops["eu"].locations.begin(), {.location = 9, .from = {{"wms", "S"}}});
    REQUIRE(rig.targets.apply_mapping(*rig.rules, "v3"));
    CHECK(rig.database.value("SELECT location_id || ' ' || quantity FROM shipments") == "9 2");
}
