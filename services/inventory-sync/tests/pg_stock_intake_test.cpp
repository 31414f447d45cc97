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
    CHECK(rig.database.value("SELECT count(*) FROM dirty") == "5");
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
