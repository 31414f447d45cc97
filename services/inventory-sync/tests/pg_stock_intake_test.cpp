#include "adapters/pg_stock_intake.h"

#include <algorithm>
#include <random>

#include "tests/rig.h"

using namespace inventory_sync;
using namespace inventory_sync::testing;
using syncline::postgres::testing::Database;

TEST_CASE("stock intake: any batches of shuffled and repeated reports end as the model", "[inventory-sync][postgres]") {
    if (!Database::available()) {
        SKIP(Database::kWhyNot);
    }
    Rig rig;
    std::mt19937 random(4711);
    const auto roll = [&](int below) {
        return static_cast<int>(random() % static_cast<unsigned>(below));
    };
    std::map<Position, PositionState> model;
    for (int round = 0; round < 60; ++round) {
        std::vector<ArrivedLevel> levels;
        std::vector<ArrivedChange> changes;
        for (int n = roll(60); n > 0; --n) {
            // The quote and the backslash are what SQL arrays stumble over.
            const Position position{.sku = "S \"" + std::to_string(roll(5)) + "\\",
                                    .place = {.source = "wms", .location = "ü,{}"}};
            const auto observed = core::SystemTime{std::chrono::seconds{1'760'000'000 + round + roll(20)}};
            if (roll(2) == 0) {
                const bool sequences = position.sku[3] != '0';
                levels.push_back({.position = position,
                                  .basis = Basis::physical,
                                  .unit = "piece",
                                  .level = {.quantity = *Decimal::from_scaled(roll(1000) - 100, roll(3)),
                                            .observed = observed,
                                            .epoch = sequences ? std::to_string((round + roll(4)) / 15) : "",
                                            .sequence = sequences ? static_cast<std::uint64_t>(1 + roll(40)) : 0,
                                            .snapshot = roll(8) == 0 ? "night" : ""}});
            } else {
                changes.push_back({.position = position,
                                   .basis = Basis::physical,
                                   .unit = "piece",
                                   .change = {.delta = Decimal(roll(9) - 4),
                                              .observed = observed,
                                              .id = std::to_string(observed.time_since_epoch().count()) + "/" + position.sku,
                                              .epoch = ""}});
                // An id belongs to one change.
                changes.back().change.delta =
                    Decimal(static_cast<int>(observed.time_since_epoch().count() / 1'000'000'000 % 7) - 3);
            }
        }
        // One level of a position a batch: how a batch is folded is the next case's matter.
        std::set<Position> once;
        std::erase_if(levels, [&](const auto& level) { return !once.insert(level.position).second; });
        for (int again = 0; again < 2; ++again) {
            rig.stock(levels, changes);
        }
        for (const auto& arrived : levels) {
            model[arrived.position].accept(arrived.level);
        }
        for (const auto& arrived : changes) {
            model[arrived.position].accept(arrived.change);
        }
        for (const auto& [position, state] : model) {
            const auto rows = rig.database.exec(
                R"sql(
SELECT (p.level + (SELECT coalesce(sum(delta), 0) FROM adjustments a
                   WHERE a.sku = p.sku AND a.source = p.source AND a.location = p.location))::text
FROM positions p WHERE sku = $1 AND source = $2 AND location = $3)sql",
                syncline::postgres::Params{}.add(position.sku).add(position.place.source).add(position.place.location));
            REQUIRE(rows.size() == 1);
            REQUIRE(rows[0].is_null(0) == !state.quantity());
            if (state.quantity()) {
                REQUIRE(*Decimal::parse(rows[0].text(0)) == *state.quantity());
            }
        }
    }
    CHECK(rig.database.value("SELECT count(DISTINCT sku) FROM dirty, unnest(skus) AS s (sku)") == "5");
}

TEST_CASE("stock intake: of a batch the newest level of each position is kept, all others are counted",
          "[inventory-sync][postgres]") {
    if (!Database::available()) {
        SKIP(Database::kWhyNot);
    }
    Rig rig;
    const Place north{"wms", "N"};
    std::vector<ArrivedLevel> levels;
    for (const int second : {3, 9, 1, 9, 5}) {
        levels.push_back(level_of(north, "A", 100 + second, core::SystemTime{std::chrono::seconds{second}}, Basis::physical));
    }
    auto intake = rig.stock(levels);
    CHECK(intake.levels_taken == 1);
    CHECK(intake.levels_passed == 4);
    CHECK(rig.database.value("SELECT level FROM positions") == "109");
    intake = rig.stock(levels);
    CHECK(intake.levels_taken == 0);
    levels = {levels[1]};
    levels[0].level.sequence = 9;
    levels[0].level.observed += 1s;
    rig.stock(levels);
    levels[0].level.sequence = 1;
    levels[0].level.observed += 1s;
    CHECK(rig.stock(levels).sequences_back == 1);
    CHECK(rig.stock({}).levels_taken == 0);
}

TEST_CASE("stock intake: large batches of mostly known positions end as the model", "[inventory-sync][postgres]") {
    if (!Database::available()) {
        SKIP(Database::kWhyNot);
    }
    Rig rig;
    std::mt19937 random(1147);
    const auto roll = [&](int below) {
        return static_cast<int>(random() % static_cast<unsigned>(below));
    };
    constexpr int kPositions = 600;
    std::map<Position, PositionState> model;
    StockIntake told;
    std::uint64_t taken = 0;
    std::uint64_t back = 0;
    std::uint64_t sent = 0;
    for (int round = 0; round < 8; ++round) {
        std::vector<ArrivedLevel> levels;
        std::vector<ArrivedChange> changes;
        // New ones join in every round.
        for (int n = 0; n < kPositions - 350 + 50 * std::min(round, 7); ++n) {
            const Position position{.sku = "S" + std::to_string(n), .place = {.source = "wms", .location = "N"}};
            const auto second = 1'760'000'000 + 10 * round + roll(14);
            levels.push_back({.position = position,
                              .basis = Basis::physical,
                              .unit = {},
                              .level = {.quantity = Decimal(roll(50)),
                                        .observed = core::SystemTime{std::chrono::seconds{second}},
                                        .epoch = n % 3 == 0 ? std::to_string(roll(2) + round / 4) : "",
                                        .sequence = n % 2 == 0 ? static_cast<std::uint64_t>(1 + round * 3 + roll(7)) : 0,
                                        // More kinds than one statement takes.
                                        .snapshot = n % 5 == 0 ? "file-" + std::to_string(n) : ""}});
            if (n % 4 == 0) {
                changes.push_back({.position = position,
                                   .basis = Basis::physical,
                                   .unit = {},
                                   .change = {.delta = Decimal(roll(9) - 4),
                                              .observed = core::SystemTime{std::chrono::seconds{second + roll(9) - 3}},
                                              .id = std::to_string(round),
                                              .epoch = ""}});
            }
        }
        std::ranges::shuffle(levels, random);
        told = rig.stock(levels, changes);
        sent += levels.size();
        CHECK(told.levels_taken + told.levels_passed == levels.size());
        back += told.sequences_back;
        for (const auto& arrived : levels) {
            const auto arrival = model[arrived.position].accept(arrived.level);
            taken += arrival == Arrival::replaces ? 1 : 0;
            back -= arrival == Arrival::sequence_back ? 1 : 0;
            told.levels_taken -= arrival == Arrival::replaces ? 1 : 0;
        }
        CHECK(told.levels_taken == 0);
        for (const auto& arrived : changes) {
            model[arrived.position].accept(arrived.change);
        }
        CHECK(rig.stock(levels, changes).levels_taken == 0);
    }
    CHECK(back == 0);
    // The random reports hit every branch: some were new, some replaced, some passed over.
    CHECK(taken > kPositions);
    CHECK(taken < sent);
    for (const auto& [position, state] : model) {
        const auto rows = rig.database.exec(R"sql(
SELECT (p.level + (SELECT coalesce(sum(delta), 0) FROM adjustments a
                   WHERE a.sku = p.sku AND a.source = p.source AND a.location = p.location))::text
FROM positions p WHERE sku = $1)sql",
                                            syncline::postgres::Params{}.add(position.sku));
        REQUIRE(rows.size() == 1);
        REQUIRE(*Decimal::parse(rows[0].text(0)) == *state.quantity());
    }
}

namespace {

// One shop with one item at location 1, fed by one place.
struct OneItem : Rig {
    const Place place{"wms", "N"};
    const PairId pair{.item = 100, .location = 1};
    int second = 0;

    explicit OneItem(Basis basis) {
        rules->sources["wms"].basis = basis;
        rules->shops["eu"].locations = {{.location = 1, .from = {place}}};
        shops.items[{"eu", "A"}] = {{.item = 100, .sku = "A", .tracked = true}};
        shops.levels[{"eu", pair}] = {.available = 0, .on_hand = 0};
    }
    void told(std::int64_t quantity) {
        stock({level_of(place, "A", quantity, clock.now() + std::chrono::seconds(++second), rules->sources["wms"].basis)});
    }
    auto& shown() { return shops.levels.at({"eu", pair}); }
};

}  // namespace

TEST_CASE("sending: a pair whose level fell since its target was computed waits for the new one", "[inventory-sync][postgres]") {
    if (!Database::available()) {
        SKIP(Database::kWhyNot);
    }
    OneItem rig(Basis::physical);
    rig.told(10);
    rig.settle({"eu"});
    REQUIRE(rig.shown().on_hand == 10);
    rig.told(30);
    rig.compute();
    rig.told(4);
    CHECK_FALSE(rig.send.send("eu").did);
    CHECK(rig.shown().on_hand == 10);
    rig.compute();
    CHECK(rig.send.send("eu").did);
    CHECK(rig.shown().on_hand == 4);
    // More than before holds nothing up.
    rig.told(50);
    rig.compute();
    rig.told(60);
    CHECK(rig.send.send("eu").did);
    CHECK(rig.shown().on_hand == 50);
    rig.told(4);
    rig.compute();
    CHECK(rig.send.send("eu").did);
    // A change that takes something away counts as well.
    const auto change = [&](int delta, const std::string& id) {
        rig.stock({}, {{.position = {.sku = "A", .place = rig.place},
                        .basis = Basis::physical,
                        .unit = {},
                        .change = {.delta = Decimal(delta),
                                   .observed = rig.clock.now() + std::chrono::seconds(++rig.second),
                                   .id = id,
                                   .epoch = ""}}});
    };
    change(20, "in");
    rig.compute();
    change(-22, "out");
    CHECK_FALSE(rig.send.send("eu").did);
    rig.compute();
    CHECK(rig.send.send("eu").did);
    CHECK(rig.shown().on_hand == 2);
}

TEST_CASE("belief: what a look already had in it and what is heard of only then does not count twice",
          "[inventory-sync][postgres]") {
    if (!Database::available()) {
        SKIP(Database::kWhyNot);
    }
    OneItem rig(Basis::net_of_own);
    rig.told(20);
    rig.settle({"eu"});
    const OrderKey key{.shop = "eu", .order = 7};
    const auto order = [&](std::int64_t version, std::int64_t open) {
        return OrderSnapshot{.key = key,
                             .version = {.updated_ns = version},
                             .placed = rig.clock.now(),
                             .lines = {{.line = 70, .sku = "A", .open = open, .ordered = 4}},
                             .fulfillments = {}};
    };
    rig.shops.order_places[key] = {{.line = 70, .location = 1, .quantity = 4}};
    rig.shown().available -= 4;
    rig.shown().committed += 4;
    rig.orders({order(1, 4)});
    rig.settle({"eu"});
    REQUIRE(rig.shown().available == 16);
    // Cancelled and restocked; a look finds that before the webhook comes, and 16 is written once more.
    rig.shown().available += 4;
    rig.shown().committed -= 4;
    rig.shops.order_places[key].clear();
    rig.database.exec("UPDATE pairs SET look = true");
    rig.settle({"eu"});
    REQUIRE(rig.shown().available == 16);
    rig.orders({order(2, 0)});
    rig.settle({"eu"});
    CHECK(rig.shown().available == 20);
}

TEST_CASE("marks: a transaction marks many SKUs with few rows, and a guard ends with the computation of its mark",
          "[inventory-sync][postgres]") {
    if (!Database::available()) {
        SKIP(Database::kWhyNot);
    }
    OneItem rig(Basis::physical);
    std::vector<std::string> skus;
    for (int i = 0; i < 20'000; ++i) {
        skus.push_back("S" + std::to_string(i));
    }
    rig.in_transaction([&](Transaction& tx) { return mark_dirty(tx, skus, false, rig.clock.now()); });
    CHECK(rig.database.value("SELECT count(*) <= 64 FROM dirty") == "t");
    CHECK(rig.database.value("SELECT count(DISTINCT sku) FROM dirty, unnest(skus) AS s (sku)") == "20000");
    CHECK(rig.database.value("SELECT max(size) FROM dirty") == std::to_string(kSkusPerMark));
    rig.in_transaction([&](Transaction& tx) { return mark_dirty(tx, {"S1", "S2", "S1"}, true, rig.clock.now()); });
    CHECK(rig.database.value("SELECT count(*) FROM guards") == "2");
    // What guards comes first, and alone if so asked.
    for (int bucket = 0; bucket < kBuckets; ++bucket) {
        REQUIRE(rig.targets.compute(bucket, 10, *rig.rules, true));
    }
    CHECK(rig.database.value("SELECT count(*) FROM guards") == "0");
    CHECK(rig.database.value("SELECT sum(size) FROM dirty") == "20000");
    while (rig.database.value("SELECT count(*) FROM dirty") != "0") {
        rig.compute();
    }
}
