// Not part of a normal run: inventory_sync_tests "[bench]". A million distinct positions, each reported twice.
#include <algorithm>
#include <chrono>
#include <iostream>
#include <random>

#include "tests/rig.h"

using namespace inventory_sync;
using namespace inventory_sync::testing;
using syncline::postgres::testing::Database;

TEST_CASE("bench: reports into durable state", "[.][bench]") {
    if (!Database::available()) {
        SKIP(Database::kWhyNot);
    }
    Rig rig;
    for (const auto* setting : {"fsync", "synchronous_commit", "full_page_writes"}) {
        REQUIRE(rig.database.value(std::string("SHOW ") + setting) == "on");
    }
    constexpr int kPositions = 1'000'000;
    constexpr std::size_t kBatch = 5'000;
    const Place north{"wms", "N"};
    std::vector<int> order(kPositions);
    for (int i = 0; i < kPositions; ++i) {
        order[static_cast<std::size_t>(i)] = i;
    }
    std::mt19937 random(1);
    for (int pass = 1; pass <= 2; ++pass) {
        std::ranges::shuffle(order, random);
        const auto start = std::chrono::steady_clock::now();
        for (std::size_t at = 0; at < order.size(); at += kBatch) {
            std::vector<ArrivedLevel> levels;
            levels.reserve(kBatch);
            for (std::size_t i = at; i < std::min(order.size(), at + kBatch); ++i) {
                levels.push_back(level_of(north, "SKU-" + std::to_string(order[i]), pass,
                                          core::SystemTime{std::chrono::seconds{1'760'000'000 + pass}}, Basis::physical));
            }
            REQUIRE(rig.stock(levels).levels_taken == levels.size());
        }
        const auto seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
        std::cout << "pass " << pass << ": " << static_cast<int>(kPositions / seconds) << " reports/s on one connection\n";
        if (pass == 1) {
            rig.database.exec("DELETE FROM dirty");
        }
    }
}
