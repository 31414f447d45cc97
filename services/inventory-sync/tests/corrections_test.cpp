#include "adapters/corrections.h"

#include <syncline/json/document.h>

#include "adapters/pg_locations.h"
#include "adapters/pg_own_state.h"
#include "tests/sending_rig.h"

using namespace inventory_sync;
using namespace inventory_sync::testing;
using syncline::postgres::testing::Database;
namespace json = syncline::json;

namespace {

CorrectionIntake correct(Rig& rig, const std::vector<Correction>& corrections) {
    CorrectionIntake intake;
    rig.in_transaction([&](Transaction& tx) -> core::Result<void> {
        const auto taken = take_corrections(tx, corrections, rig.clock.now());
        if (!taken) {
            return std::unexpected(taken.error());
        }
        intake = *taken;
        return {};
    });
    return intake;
}

void tell(Rig& rig, const ArrivedLocation& location) {
    rig.in_transaction([&](Transaction& tx) { return take_locations(tx, {location}, rig.clock.now()); });
}

json::Document page_of(Rig& rig, const StatePage& wanted) {
    PgOwnState state(rig.database.pool(), rig.clock);
    auto text = state.page(wanted, *rig.rules);
    REQUIRE(text);
    auto document = json::Document::parse(*text);
    REQUIRE(document);
    return std::move(*document);
}

}  // namespace

TEST_CASE("correction: a named pair is read again and written from what is true, the rest is left alone",
          "[inventory-sync][postgres]") {
    if (!Database::available()) {
        SKIP(Database::kWhyNot);
    }
    ShownRig rig(3);
    const auto reads = rig.shops.reads;
    // Somebody raised one behind everybody's back; no webhook came.
    rig.level(1001).available = 90;
    rig.settle({"eu"});
    CHECK(rig.shops.reads == reads);
    const std::vector<Correction> asked{{.shop = "eu", .sku = "SKU-1001", .item = 1001, .location = 1},
                                        {.shop = "eu", .sku = "SKU-1001", .item = 1001, .location = 1},
                                        {.shop = "eu", .sku = "SKU-9999", .item = 9999, .location = 1},
                                        {.shop = "us", .sku = "SKU-1001", .item = 1001, .location = 1},
                                        {.shop = "eu", .sku = "SKU-1001", .item = 1001, .location = 2}};
    auto intake = correct(rig, asked);
    CHECK(intake.taken == 2);
    CHECK(intake.unknown == 3);
    rig.settle({"eu"});
    CHECK(rig.level(1001).available == 10);
    CHECK(rig.level(1000).available == 10);
    CHECK(rig.shops.written == 1);
    // The same event again reads once more and writes nothing.
    intake = correct(rig, asked);
    rig.settle({"eu"});
    CHECK(rig.shops.written == 1);
    CHECK(correct(rig, {{.shop = "eu", .sku = "SKU-1002", .item = 0, .location = 1}}).taken == 1);
    CHECK(correct(rig, {}).taken == 0);
}

TEST_CASE("correction: a pair that Shopify refused is free again, and a fall stays pending until the gap check cleared it",
          "[inventory-sync][postgres]") {
    if (!Database::available()) {
        SKIP(Database::kWhyNot);
    }
    ShownRig rig(1);
    rig.database.exec("UPDATE pairs SET held = 'refused', held_until = '2099-01-01'");
    rig.level(1000).available = 4;
    CHECK(correct(rig, {{.shop = "eu", .sku = "SKU-1000", .item = 1000, .location = 1}}).taken == 1);
    rig.settle({"eu"});
    CHECK(rig.column("held", 1000).empty());
    CHECK(rig.column("pending", 1000) == "6");
    CHECK(rig.level(1000).available == 4);
    REQUIRE(rig.chores.clear_pending("eu", rig.clock.now(), "gap-check", "read everything"));
    rig.settle({"eu"});
    CHECK(rig.level(1000).available == 10);
}

TEST_CASE("own state: pages show every pair once with target, belief, policy and what the sources say",
          "[inventory-sync][postgres]") {
    if (!Database::available()) {
        SKIP(Database::kWhyNot);
    }
    ShownRig rig(5);
    rig.rules->shops["eu"].by_sku["SKU-1001"] = {.buffer = 3};
    rig.rules->shops["eu"].by_sku["SKU-1002"] = {.hide_below = 11};
    rig.report("SKU-1001", 10);
    rig.report("SKU-1002", 10);
    rig.settle({"eu"});
    rig.report("SKU-1003", 8);
    rig.orders({rig.order(7, "SKU-1000", 2, 2)});
    rig.compute();
    std::vector<std::string> seen;
    StatePage wanted{.shop = "eu", .limit = 2};
    for (int pages = 1;; ++pages) {
        const auto page = page_of(rig, wanted);
        for (const auto item : page.root().get("items")->elements()) {
            const std::string sku(*item.string_of("sku"));
            seen.push_back(sku);
            CHECK(*item.string_of("written_as") == "available");
            CHECK(*item.int64_of("location_id") == 1);
            REQUIRE(item.get("levels")->size() == 1);
            const auto level = *item.get("levels")->elements().begin();
            CHECK(*level.string_of("source") == "wms");
            if (sku == "SKU-1000") {
                CHECK(*item.int64_of("target") == 8);
                CHECK(*item.string_of("youngest_input_at") >= *level.string_of("observed_at"));
            } else if (sku == "SKU-1001") {
                CHECK(*item.int64_of("target") == 7);
                CHECK(*item.int64_of("sellable") == 10);
                CHECK(*item.string_of("policy") == "buffer");
                CHECK(*item.int64_of("shown") == 7);
                CHECK(!*item.boolean_of("in_flight"));
            } else if (sku == "SKU-1002") {
                CHECK(*item.int64_of("target") == 0);
                CHECK(*item.string_of("policy") == "hidden");
            } else if (sku == "SKU-1003") {
                CHECK(*level.int64_of("pieces") == 8);
                CHECK(*item.boolean_of("in_flight"));
                CHECK(*item.int64_of("shown") == 10);
            }
        }
        const auto next = page.root().get("next");
        if (!next) {
            CHECK(pages == 3);
            break;
        }
        const std::string cursor(*next->string());
        wanted.after = {.item = std::stoll(cursor), .location = 1};
    }
    CHECK(seen == rig.skus);
    CHECK(page_of(rig, {.shop = "eu", .location = 2}).root().get("items")->size() == 0);
    PgOwnState state(rig.database.pool(), rig.clock);
    CHECK(state.page({.shop = "nowhere"}, *rig.rules).error().code == "shop_unknown");
}

TEST_CASE("locations: nothing is written at one that is not active, and everything once it is again",
          "[inventory-sync][postgres]") {
    if (!Database::available()) {
        SKIP(Database::kWhyNot);
    }
    ShownRig rig(2);
    rig.shops.shop_locations["eu"] = {{.location = 1, .name = "Berlin", .active = false}};
    tell(rig, {.shop = "eu", .location = 1, .name = "Berlin", .active = false, .version_ns = 5});
    rig.report("SKU-1000", 4);
    rig.compute();
    CHECK(rig.column("unsent", 1000) == "true");
    CHECK(!rig.send.send("eu").did);
    CHECK(rig.level(1000).available == 10);
    const auto holds = rig.chores.holds();
    REQUIRE(holds);
    CHECK(holds->find(R"("location_id":1,"name":"Berlin","code":"location_inactive")") != std::string::npos);
    const auto figures = rig.chores.figures();
    REQUIRE(figures);
    CHECK(figures->inactive_locations == 1);
    CHECK(figures->oldest_unsent == core::SystemTime{});
    const auto page = page_of(rig, {.shop = "eu"});
    const auto item = *page.root().get("items")->elements().begin();
    CHECK(*item.string_of("held") == "location_inactive");
    // Late and older: still closed.
    tell(rig, {.shop = "eu", .location = 1, .name = "Berlin", .active = true, .version_ns = 4});
    CHECK(!rig.send.send("eu").did);
    // In Shopify it went down while it was closed; reading comes first.
    rig.level(1001).available = 9;
    tell(rig, {.shop = "eu", .location = 1, .name = "Berlin", .active = true, .version_ns = 6});
    rig.shops.shop_locations["eu"][0].active = true;
    rig.settle({"eu"});
    CHECK(rig.level(1000).available == 4);
    CHECK(rig.column("pending", 1001) == "1");
}

TEST_CASE("locations: one that is said to be gone is held only once Shopify does not name it any more",
          "[inventory-sync][postgres]") {
    if (!Database::available()) {
        SKIP(Database::kWhyNot);
    }
    ShownRig rig(1);
    rig.shops.shop_locations["eu"] = {{.location = 1, .name = "Berlin", .active = true}};
    REQUIRE(rig.chores.check_locations("eu"));
    const auto reads = rig.shops.location_reads;
    CHECK(!*rig.chores.check_locations("eu"));
    // A body that proves nothing but an id.
    tell(rig, {.shop = "eu", .location = 1, .name = {}, .active = false, .deleted = true});
    rig.report("SKU-1000", 5);
    CHECK(*rig.chores.check_locations("eu"));
    CHECK(rig.shops.location_reads == reads + 1);
    rig.settle({"eu"});
    CHECK(rig.level(1000).available == 5);
    rig.shops.shop_locations["eu"] = {{.location = 2, .name = "Hamburg", .active = true}};
    tell(rig, {.shop = "eu", .location = 1, .name = {}, .active = false, .deleted = true});
    CHECK(*rig.chores.check_locations("eu"));
    rig.report("SKU-1000", 3);
    rig.compute();
    CHECK(!rig.send.send("eu").did);
    // A shop that names no location at all is not believed.
    rig.shops.shop_locations["eu"] = {};
    rig.clock.advance(2h);
    CHECK(rig.chores.check_locations("eu").error().code == "locations_missing");
    // Read once an hour all the same: a webhook may be lost.
    rig.shops.shop_locations["eu"] = {{.location = 1, .name = "Berlin", .active = true}};
    rig.clock.advance(2h);
    REQUIRE(rig.chores.check_locations("eu"));
    rig.settle({"eu"});
    CHECK(rig.level(1000).available == 3);
}
