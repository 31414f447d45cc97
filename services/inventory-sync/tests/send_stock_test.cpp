#include "app/send_stock.h"

#include "tests/rig.h"

using namespace inventory_sync;
using namespace inventory_sync::testing;
using syncline::postgres::testing::Database;

namespace {

const Place kNorth{"wms", "N"};

// `items` SKUs of shop eu at location 1, all shown as 10.
struct Sending : Rig {
    int second = 0;
    std::vector<std::string> skus;

    explicit Sending(int items, Basis basis = Basis::net_of_own) {
        rules->sources["wms"].basis = basis;
        rules->shops["eu"].locations = {{.location = 1, .from = {kNorth}}};
        for (int i = 0; i < items; ++i) {
            skus.push_back("SKU-" + std::to_string(1000 + i));
            shops.items[{"eu", skus.back()}] = {{.item = 1000 + i, .sku = skus.back(), .tracked = true}};
            shops.levels[{"eu", {.item = 1000 + i, .location = 1}}] = {.available = 10, .on_hand = 10};
        }
        report_all(10);
        settle({"eu"});
        REQUIRE(shops.bodies.empty());
    }
    void report(const std::string& sku, std::int64_t quantity) {
        ++second;
        stock({level_of(kNorth, sku, quantity, clock.now() + std::chrono::seconds(second), rules->sources["wms"].basis)});
    }
    void report_all(std::int64_t quantity) {
        ++second;
        std::vector<ArrivedLevel> levels;
        for (const auto& sku : skus) {
            levels.push_back(
                level_of(kNorth, sku, quantity, clock.now() + std::chrono::seconds(second), rules->sources["wms"].basis));
        }
        stock(levels);
    }
    FakeLevel& level(int item) { return shops.levels.at({"eu", {.item = item, .location = 1}}); }
    std::string column(const std::string& name, int item) {
        return database.value("SELECT " + name + "::text FROM pairs WHERE item_id = " + std::to_string(item));
    }
    void order(std::int64_t id, const std::string& sku, std::int64_t open) {
        orders({{.key = {.shop = "eu", .order = id},
                 .version = {.updated_ns = 1},
                 .placed = clock.now(),
                 .lines = {{.line = id * 10, .sku = sku, .open = open, .ordered = open}},
                 .fulfillments = {}}});
    }
};

}  // namespace

TEST_CASE("sending: changed pairs travel 250 a call and nothing travels twice", "[inventory-sync][postgres]") {
    if (!Database::available()) {
        SKIP(Database::kWhyNot);
    }
    Sending rig(601);
    rig.report_all(7);
    rig.report_all(8);
    rig.settle({"eu"});
    CHECK(rig.shops.sizes == std::vector<std::size_t>{250, 250, 101});
    CHECK(rig.level(1600).available == 8);
    rig.report_all(8);
    rig.settle({"eu"});
    CHECK(rig.shops.sizes.size() == 3);
    CHECK(rig.database.value("SELECT count(*) FROM pairs WHERE unsent OR look OR batch IS NOT NULL") == "0");
}

TEST_CASE("sending: a lost answer is the same bytes again, and 5, 3, 5 arrives", "[inventory-sync][postgres]") {
    if (!Database::available()) {
        SKIP(Database::kWhyNot);
    }
    Sending rig(1);
    rig.report("SKU-1000", 5);
    rig.settle({"eu"});
    CHECK(rig.level(1000).available == 5);
    rig.shops.troubles = {Trouble::lost_answer};
    rig.report("SKU-1000", 3);
    rig.compute();
    rig.send.send("eu");
    CHECK(rig.level(1000).available == 3);
    rig.report("SKU-1000", 5);
    rig.settle({"eu"});
    CHECK(rig.level(1000).available == 5);
    REQUIRE(rig.shops.bodies.size() == 4);
    CHECK(rig.shops.bodies[1] == rig.shops.bodies[2]);
    CHECK(rig.shops.bodies[0].substr(0, 36) != rig.shops.bodies[3].substr(0, 36));
}

TEST_CASE("sending: what was certainly not done and a spent key make a new one", "[inventory-sync][postgres]") {
    if (!Database::available()) {
        SKIP(Database::kWhyNot);
    }
    Sending rig(2);
    rig.shops.troubles = {Trouble::throttled, Trouble::previous_failed};
    rig.report_all(4);
    rig.settle({"eu"});
    CHECK(rig.level(1000).available == 4);
    REQUIRE(rig.shops.bodies.size() == 3);
    CHECK(rig.shops.bodies[0].substr(0, 36) != rig.shops.bodies[1].substr(0, 36));
    CHECK(rig.shops.bodies[1].substr(0, 36) != rig.shops.bodies[2].substr(0, 36));
}

TEST_CASE("sending: one bad pair that Shopify does not name is found in log2(250) + 2 further calls",
          "[inventory-sync][postgres]") {
    if (!Database::available()) {
        SKIP(Database::kWhyNot);
    }
    for (const int bad : {1000, 1131, 1249}) {
        Sending rig(250);
        rig.shops.bad = {{.item = bad, .location = 1}};
        rig.report_all(4);
        rig.settle({"eu"});
        CHECK(rig.shops.sizes.size() <= 1 + 7 + 2 + 1);
        CHECK(rig.database.value("SELECT count(*) FROM pairs WHERE held = 'refused'") == "1");
        CHECK(rig.column("held", bad) == "refused");
        CHECK(rig.column("believed", bad == 1000 ? 1001 : 1000) == "4");
        CHECK(rig.database.value("SELECT count(*) FROM pairs WHERE believed = 4") == "249");
        // After its rest it is tried again.
        rig.shops.bad.clear();
        rig.clock.advance(2h);
        rig.settle({"eu"});
        CHECK(rig.level(bad).available == 4);
    }
}

TEST_CASE("sending: a sale between read and write is never lost, known order or not", "[inventory-sync][postgres]") {
    if (!Database::available()) {
        SKIP(Database::kWhyNot);
    }
    Sending rig(2);
    rig.report("SKU-1000", 12);
    rig.report("SKU-1001", 12);
    // Right before the write lands, a customer takes two.
    rig.shops.before_write = [&] {
        rig.level(1000).available -= 2;
        rig.level(1000).committed += 2;
    };
    rig.settle({"eu"});
    CHECK(rig.level(1000).available == 10);
    CHECK(rig.level(1001).available == 12);
    CHECK(rig.column("pending", 1000) == "2");
    rig.report("SKU-1000", 20);
    rig.settle({"eu"});
    CHECK(rig.level(1000).available == 18);
    // The order arrives ten minutes late: nothing changes, it is no longer unexplained.
    rig.order(1, "SKU-1000", 2);
    rig.settle({"eu"});
    CHECK(rig.level(1000).available == 18);
    CHECK(rig.column("pending", 1000) == "0");
    const auto calls = rig.shops.bodies.size();
    // A sale whose order is known before anything is sent needs no call at all.
    rig.level(1001).available -= 3;
    rig.order(2, "SKU-1001", 3);
    rig.settle({"eu"});
    CHECK(rig.level(1001).available == 9);
    CHECK(rig.shops.bodies.size() == calls);
}

TEST_CASE("sending: what the gap check clears is shown again", "[inventory-sync][postgres]") {
    if (!Database::available()) {
        SKIP(Database::kWhyNot);
    }
    Sending rig(1);
    rig.level(1000).available -= 4;
    rig.report("SKU-1000", 11);
    rig.settle({"eu"});
    CHECK(rig.level(1000).available == 7);
    CHECK(rig.chores.clear_pending("eu", rig.clock.now() - 1h, "ann", "too early") == 0);
    CHECK(rig.chores.clear_pending("eu", rig.clock.now() + 1s, "ann", "all orders were read") == 1);
    rig.settle({"eu"});
    CHECK(rig.level(1000).available == 11);
    CHECK(rig.database.value("SELECT count(*) FROM admin_actions") == "2");
}

TEST_CASE("sending: an order that is known holds back a write that was computed without it", "[inventory-sync][postgres]") {
    if (!Database::available()) {
        SKIP(Database::kWhyNot);
    }
    Sending rig(1);
    rig.report("SKU-1000", 15);
    rig.compute();
    rig.order(1, "SKU-1000", 3);
    rig.send.send("eu");
    CHECK(rig.shops.bodies.empty());
    rig.level(1000).available -= 3;
    rig.settle({"eu"});
    CHECK(rig.level(1000).available == 12);
}

TEST_CASE("sending: a shipment lowers on_hand in Shopify at once, an older report does not raise it",
          "[inventory-sync][postgres]") {
    if (!Database::available()) {
        SKIP(Database::kWhyNot);
    }
    Sending rig(1, Basis::physical);
    const auto start = rig.clock.now() + std::chrono::seconds(rig.second);
    rig.level(1000).on_hand -= 4;
    rig.orders({}, {{.order = {.shop = "eu", .order = 1},
                     .fulfillment = {.id = 9,
                                     .location = 1,
                                     .at = start + 100s,
                                     .lines = {{.line = 10, .sku = "SKU-1000", .quantity = 4}},
                                     .version = {.updated_ns = 1}}}});
    rig.settle({"eu"});
    CHECK(rig.level(1000).on_hand == 6);
    rig.stock({level_of(kNorth, "SKU-1000", 11, start + 50s, Basis::physical)});
    rig.settle({"eu"});
    CHECK(rig.level(1000).on_hand == 7);
    rig.stock({level_of(kNorth, "SKU-1000", 7, start + 150s, Basis::physical)});
    rig.settle({"eu"});
    CHECK(rig.level(1000).on_hand == 7);
}

TEST_CASE("sending: own writes in webhooks are recognised, foreign changes are looked at", "[inventory-sync][postgres]") {
    if (!Database::available()) {
        SKIP(Database::kWhyNot);
    }
    Sending rig(1);
    rig.report("SKU-1000", 6);
    rig.settle({"eu"});
    const auto reads = rig.shops.reads;
    const auto told = [&](std::int64_t available) {
        rig.in_transaction([&](Transaction& tx) -> core::Result<void> {
            const auto taken = take_available(tx, {{.shop = "eu", .item = 1000, .location = 1, .available = available}});
            return taken ? core::Result<void>{} : std::unexpected(taken.error());
        });
        rig.settle({"eu"});
    };
    told(6);
    CHECK(rig.shops.reads == reads);
    rig.level(1000).available = 5;
    told(5);
    CHECK(rig.shops.reads == reads + 1);
    CHECK(rig.column("pending", 1000) == "1");
    CHECK(rig.level(1000).available == 5);
}

TEST_CASE("sending: the most urgent first, one batch in four by age", "[inventory-sync][postgres]") {
    if (!Database::available()) {
        SKIP(Database::kWhyNot);
    }
    Sending rig(600);
    rig.order(1, "SKU-1599", 1);
    rig.level(1599).available -= 1;
    rig.settle({"eu"});
    rig.report("SKU-1300", 2);
    rig.compute();
    rig.clock.advance(1s);
    rig.report_all(9);
    rig.compute();
    rig.send.send("eu");
    REQUIRE(rig.shops.bodies.size() == 1);
    // What sold lately is nearer to selling out than equal stock that did not.
    CHECK(rig.shops.bodies[0].find(" 1599 ") != std::string::npos);
    rig.settle({"eu"});
    CHECK(rig.database.value("SELECT count(*) FROM pairs WHERE unsent") == "0");
}

TEST_CASE("sending: an unmapped place holds only itself, until the mapping names it", "[inventory-sync][postgres]") {
    if (!Database::available()) {
        SKIP(Database::kWhyNot);
    }
    Sending rig(1);
    rig.stock({level_of({"wms", "S"}, "SKU-1000", 5, rig.clock.now(), Basis::net_of_own)});
    rig.report("SKU-1000", 8);
    rig.settle({"eu"});
    CHECK(rig.level(1000).available == 8);
    CHECK(rig.database.value("SELECT reason FROM unmapped") == "location:wms/S");
    CHECK(rig.chores.holds()->find("location:wms/S") != std::string::npos);
    rig.rules = std::make_shared<Rules>(*rig.rules);
    rig.rules->shops["eu"].locations[0].from.push_back({"wms", "S"});
    CHECK(rig.targets.apply_mapping(*rig.rules, "v2") == true);
    CHECK(rig.targets.apply_mapping(*rig.rules, "v2") == false);
    rig.settle({"eu"});
    CHECK(rig.level(1000).available == 13);
    CHECK(rig.database.value("SELECT count(*) FROM unmapped") == "0");
}

TEST_CASE("sending: an item that is not stocked rests, an unknown SKU is asked for again", "[inventory-sync][postgres]") {
    if (!Database::available()) {
        SKIP(Database::kWhyNot);
    }
    Sending rig(1);
    rig.shops.items[{"eu", "NEW"}] = {{.item = 5, .sku = "NEW", .tracked = true}};
    rig.report("NEW", 3);
    rig.report("NOBODY", 3);
    rig.settle({"eu"});
    CHECK(rig.column("held", 5) == "not_stocked");
    CHECK(rig.database.value("SELECT sku FROM lookups WHERE unknown") == "NOBODY");
    rig.shops.levels[{"eu", {.item = 5, .location = 1}}] = {};
    rig.shops.items[{"eu", "NOBODY"}] = {{.item = 6, .sku = "NOBODY", .tracked = true}};
    rig.shops.levels[{"eu", {.item = 6, .location = 1}}] = {};
    rig.clock.advance(2h);
    rig.settle({"eu"});
    CHECK(rig.level(5).available == 3);
    CHECK(rig.level(6).available == 3);
}

TEST_CASE("sending: a backfill reads every pair and mends what differs", "[inventory-sync][postgres]") {
    if (!Database::available()) {
        SKIP(Database::kWhyNot);
    }
    Sending rig(3);
    rig.level(1001).available = 77;
    CHECK(rig.chores.backfill("eu", 2, "ann", "no such location") == 0);
    CHECK(rig.chores.backfill("eu", 0, "ann", "sabotage") == 3);
    rig.settle({"eu"});
    CHECK(rig.level(1001).available == 10);
    CHECK(rig.chores.pair_state("eu", "SKU-1001")->find("\"target\":10") != std::string::npos);
    const auto figures = rig.chores.figures();
    REQUIRE(figures);
    CHECK(figures->unsent == 0);
    CHECK(rig.chores.tidy());
}

TEST_CASE("sending: a key that Shopify may have forgotten is not trusted", "[inventory-sync][postgres]") {
    if (!Database::available()) {
        SKIP(Database::kWhyNot);
    }
    Sending rig(1);
    rig.shops.troubles = {Trouble::lost_answer};
    rig.report("SKU-1000", 3);
    rig.compute();
    rig.send.send("eu");
    rig.clock.advance(21h);
    rig.settle({"eu"});
    CHECK(rig.shops.bodies.size() == 1);
    CHECK(rig.level(1000).available == 3);
    CHECK(rig.column("believed", 1000) == "3");
}
