#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>

#include <algorithm>
#include <map>
#include <numeric>
#include <random>
#include <set>

#include "domain/healing.h"
#include "snapshot/compare_snapshots.h"
#include "tests/rows.h"

namespace {

using namespace reconciliation;
using namespace reconciliation::testing;
using enum DivergenceClass;

constexpr std::int64_t kSecond = 1'000'000'000;
constexpr std::int64_t kNow = 1'760'000'000 * kSecond;
constexpr std::int64_t kHour = 3600 * kSecond;
constexpr std::int64_t kOld = kNow - kHour;

struct Compared {
    CompareTotals totals;
    std::vector<Difference> differences;
    [[nodiscard]] const Difference* of(const std::string& sku, const std::string& location = "1") const {
        for (const auto& difference : differences) {
            if (difference.sku == sku && difference.location == location) {
                return &difference;
            }
        }
        return nullptr;
    }
};

core::Result<Compared> compare(std::vector<OwnedRow> shopify, std::vector<OwnedRow> other, StockPolicy policy = {}) {
    ListRows left(std::move(shopify));
    ListRows right(std::move(other));
    Compared compared;
    const auto totals =
        compare_stock(left, right, {.rules = {.now_ns = kNow, .policy = policy}}, [&](const Difference& difference) {
            compared.differences.push_back(difference);
            return core::Result<void>{};
        });
    if (!totals) {
        return std::unexpected(totals.error());
    }
    compared.totals = *totals;
    return compared;
}

DivergenceClass class_of(OwnedRow shopify, OwnedRow other, StockPolicy policy = {}) {
    shopify.sku = other.sku = "A";
    shopify.location = other.location = "1";
    const auto compared = compare({shopify}, {other}, policy);
    REQUIRE(compared);
    REQUIRE(compared->differences.size() == 1);
    return compared->differences[0].kind;
}

std::string_view cause_of(OwnedRow shopify, OwnedRow other) {
    shopify.sku = other.sku = "A";
    shopify.location = other.location = "1";
    return compare({shopify}, {other})->differences.at(0).cause;
}

}  // namespace

TEST_CASE("comparison: pairs that agree are counted and nothing else", "[reconciliation][unit]") {
    const auto compared = compare({{"A", "", "0", 0, 5}, {"A", "1", "4", kOld, 5}, {"A", "2", "0", kOld, 5}},
                                  {{"A", "1", "4.00", kOld}, {"A", "2", "0", kOld}});
    REQUIRE(compared);
    CHECK(compared->differences.empty());
    CHECK(compared->totals.pairs == 2);
    CHECK(compared->totals.shopify_rows == 2);
    CHECK(compared->totals.other_rows == 2);
}

TEST_CASE("comparison: an old difference is drift, a young one is in flight", "[reconciliation][unit]") {
    CHECK(class_of({.quantity = "3", .observed_at_ns = kOld}, {.quantity = "4", .observed_at_ns = kOld}) == drift);
    CHECK(class_of({.quantity = "3", .observed_at_ns = kOld}, {.quantity = "4", .observed_at_ns = kNow - 60 * kSecond}) ==
          in_flight);
    CHECK(class_of({.quantity = "3", .observed_at_ns = kNow - 60 * kSecond}, {.quantity = "4", .observed_at_ns = kOld}) ==
          in_flight);
    // Without any time nothing can be young.
    CHECK(class_of({.quantity = "3"}, {.quantity = "4"}) == drift);
}

TEST_CASE("comparison: clocks two minutes apart change nothing, a clock far ahead hides no drift", "[reconciliation][unit]") {
    // Seen a minute ago by a clock that is two minutes behind, or ahead.
    CHECK(class_of({.quantity = "3", .observed_at_ns = kOld}, {.quantity = "4", .observed_at_ns = kNow - 180 * kSecond}) ==
          in_flight);
    CHECK(class_of({.quantity = "3", .observed_at_ns = kOld}, {.quantity = "4", .observed_at_ns = kNow + 60 * kSecond}) ==
          in_flight);
    const OwnedRow ahead{.quantity = "4", .observed_at_ns = kNow + kHour};
    CHECK(class_of({.quantity = "3", .observed_at_ns = kOld}, ahead) == drift);
    CHECK(cause_of({.quantity = "3", .observed_at_ns = kOld}, ahead) == "source_clock_ahead");
}

TEST_CASE("comparison: the likely cause follows from who heard last", "[reconciliation][unit]") {
    CHECK(cause_of({.quantity = "3", .observed_at_ns = kOld}, {.quantity = "4", .observed_at_ns = kOld + kHour / 2}) ==
          "update_lost");
    CHECK(cause_of({.quantity = "3", .observed_at_ns = kOld + kHour / 2}, {.quantity = "4", .observed_at_ns = kOld}) ==
          "changed_in_shopify");
    CHECK(cause_of({.quantity = "3", .observed_at_ns = kOld}, {.quantity = "4", .observed_at_ns = kNow - 48 * kHour}) ==
          "source_stale");
    CHECK(cause_of({.quantity = "3", .observed_at_ns = kOld}, {.quantity = "4", .observed_at_ns = kOld}).empty());
}

TEST_CASE("comparison: what rounding or a policy explains is no drift", "[reconciliation][unit]") {
    CHECK(class_of({.quantity = "12", .observed_at_ns = kOld}, {.quantity = "12.7", .observed_at_ns = kOld}) == policy);
    CHECK(class_of({.quantity = "13", .observed_at_ns = kOld}, {.quantity = "12.7", .observed_at_ns = kOld}) == drift);
    const StockPolicy buffered{.buffer = core::Decimal(2), .hide_below = core::Decimal(3)};
    CHECK(class_of({.quantity = "8", .observed_at_ns = kOld}, {.quantity = "10", .observed_at_ns = kOld}, buffered) == policy);
    CHECK(class_of({.quantity = "0", .observed_at_ns = kOld}, {.quantity = "4", .observed_at_ns = kOld}, buffered) == policy);
    // Shopify shows the raw value although a buffer should be kept back.
    CHECK(class_of({.quantity = "10", .observed_at_ns = kOld}, {.quantity = "10", .observed_at_ns = kOld}, buffered) == drift);
    CHECK(class_of({.quantity = "2", .observed_at_ns = kOld}, {.quantity = "2", .observed_at_ns = kOld}, buffered) == drift);
}

TEST_CASE("comparison: missing here, missing there, and unknown are told apart", "[reconciliation][unit]") {
    const auto compared =
        compare({{"A", "2", "4", kOld, 5}, {"B", "1", "6", kOld, 6}, {"C", "1", "0", kOld, 7}, {"F", "", "0", 0, 8}},
                {{"A", "1", "3", kOld},
                 {"A", "2", "4", kOld},
                 {"D", "1", "9", kOld},
                 {"E", "1", "0", kOld},
                 {"F", "1", "2", kOld},
                 {"G", "1", "2", kNow}});
    REQUIRE(compared);
    // The level at location 2 comes behind, and still tells that A exists.
    CHECK(compared->of("A")->kind == missing_in_shopify);
    CHECK(compared->of("A")->item_id == 5);
    CHECK(compared->of("A")->cause == "not_stocked_at_location");
    CHECK(compared->of("B")->kind == missing_in_source);
    CHECK(compared->of("C")->kind == policy);
    CHECK(compared->of("D")->kind == unknown_sku);
    CHECK(compared->of("E")->kind == policy);
    CHECK(compared->of("F")->kind == missing_in_shopify);
    CHECK(compared->of("G")->kind == in_flight);
    CHECK(compared->totals.pairs == 8);
}

TEST_CASE("comparison: less than nothing is its own class on either side", "[reconciliation][unit]") {
    CHECK(class_of({.quantity = "-1", .observed_at_ns = kOld}, {.quantity = "-1", .observed_at_ns = kOld}) == negative);
    CHECK(class_of({.quantity = "0", .observed_at_ns = kOld}, {.quantity = "-3", .observed_at_ns = kOld}) == negative);
    CHECK(class_of({.quantity = "-2", .observed_at_ns = kNow}, {.quantity = "3", .observed_at_ns = kOld}) == negative);
    CHECK(cause_of({.quantity = "-2", .observed_at_ns = kOld}, {.quantity = "3", .observed_at_ns = kOld}) == "oversold");
}

TEST_CASE("comparison: items that share a SKU are found wherever they are stocked", "[reconciliation][unit]") {
    const auto one_place = compare({{"A", "1", "4", kOld, 5}, {"A", "1", "4", kOld, 6}}, {{"A", "1", "4", kOld}});
    CHECK(one_place->of("A")->kind == duplicate_sku);
    const auto two_places =
        compare({{"A", "", "0", 0, 5}, {"A", "", "0", 0, 6}, {"A", "1", "4", kOld, 5}, {"A", "2", "4", kOld, 6}},
                {{"A", "1", "4", kOld}, {"A", "2", "4", kOld}});
    CHECK(two_places->of("A", "1")->kind == duplicate_sku);
    CHECK(two_places->of("A", "2")->kind == duplicate_sku);
}

TEST_CASE("comparison: warehouses that feed one location are added, repeated rows are not", "[reconciliation][unit]") {
    const auto compared = compare({{"A", "1", "7", kOld, 5}, {"B", "1", "4", kOld, 6}}, {{"A", "1", "3", kOld, 1},
                                                                                         {"A", "1", "4", kOld, 2},
                                                                                         {"A", "1", "3", kOld, 1},
                                                                                         {"B", "1", "4", kOld, 1},
                                                                                         {"B", "1", "5", kOld, 1}});
    CHECK(compared->of("A") == nullptr);
    CHECK(compared->totals.repeated == 1);
    CHECK(compared->of("B")->kind == duplicate_sku);
    CHECK(compared->of("B")->cause == "rows_contradict");
    CHECK_FALSE(compared->of("B")->wanted);
}

TEST_CASE("comparison: rows out of order end it, and name the side", "[reconciliation][unit]") {
    CHECK(compare({{"B", "1", "4"}, {"A", "1", "4"}}, {{"A", "1", "4"}}).error().code == kShopifyNotSorted);
    CHECK(compare({{"A", "1", "4"}}, {{"A", "2", "4"}, {"A", "1", "4"}}).error().code == kOtherNotSorted);
}

TEST_CASE("comparison: random snapshots, shuffled, against a comparison in memory", "[reconciliation][unit]") {
    const auto seed = GENERATE(1U, 2U, 3U, 4U);
    std::mt19937 random(seed);
    std::map<std::pair<std::string, std::string>, std::pair<int, int>> model;  // -1: not there.
    std::string shopify = "sku,location,quantity\n";
    std::string other = "quantity,sku,location\n";
    for (int sku = 0; sku < 4000; ++sku) {
        for (int location = 0; location < 3; ++location) {
            const int left = static_cast<int>(random() % 6) - 1;
            const int right = random() % 4 == 0 ? static_cast<int>(random() % 6) - 1 : left;
            model[{"S" + std::to_string(sku), std::to_string(location)}] = {left, right};
        }
    }
    std::vector<std::pair<std::pair<std::string, std::string>, std::pair<int, int>>> rows(model.begin(), model.end());
    if (seed % 2 == 0) {
        std::ranges::shuffle(rows, random);
    }
    std::set<std::pair<std::string, std::string>> expected;
    for (const auto& [key, values] : rows) {
        if (values.first >= 0) {
            shopify += key.first + "," + key.second + "," + std::to_string(values.first) + "\n";
        }
        if (values.second >= 0) {
            other += std::to_string(values.second) + "," + key.first + "," + key.second + "\n";
        }
        if (values.first != values.second) {
            expected.insert(key);
        }
    }
    const auto open = [](const std::string& text) {
        return [&text]() -> core::Result<std::unique_ptr<StockRows>> {
            return std::make_unique<CsvRows>(memory_source(text), CsvOptions{});
        };
    };
    std::set<std::pair<std::string, std::string>> found;
    const auto totals = compare_snapshots(
        open(shopify), open(other), {.folder = folder(), .memory_bytes = 256UL * 1024}, {.rules = {.now_ns = kNow}},
        [&](const Difference& difference) {
            CHECK(found.emplace(difference.sku, difference.location).second);
            return core::Result<void>{};
        },
        [&] { found.clear(); });
    REQUIRE(totals);
    CHECK(found == expected);
}

TEST_CASE("comparison: one SKU at more places than fit into memory is sorted on disk", "[reconciliation][unit]") {
    std::string shopify = "sku,location,quantity\n";
    std::string other = shopify;
    std::mt19937 random(5);
    std::vector<int> places(30'000);
    std::iota(places.begin(), places.end(), 0);
    std::ranges::shuffle(places, random);
    for (const int place : places) {
        shopify += "ONE,p" + std::to_string(place) + ",5\n";
    }
    std::ranges::shuffle(places, random);
    for (const int place : places) {
        other += "ONE,p" + std::to_string(place) + (place % 1000 == 0 ? ",6\n" : ",5\n");
    }
    const auto open = [](const std::string& text) {
        return [&text]() -> core::Result<std::unique_ptr<StockRows>> {
            return std::make_unique<CsvRows>(memory_source(text), CsvOptions{});
        };
    };
    std::vector<std::string> found;
    const auto totals = compare_snapshots(
        open(shopify), open(other), {.folder = folder(), .memory_bytes = 256UL * 1024}, {.rules = {.now_ns = kNow}},
        [&](const Difference& difference) {
            found.push_back(difference.location);
            return core::Result<void>{};
        },
        [&] { found.clear(); });
    REQUIRE(totals);
    CHECK(totals->pairs == 30'000);
    CHECK(totals->shopify_rows == 30'000);
    CHECK(totals->of(drift) == 30);
    CHECK(found.size() == 30);
}

TEST_CASE("comparison: a snapshot cut off at its end gives no result at all", "[reconciliation][unit]") {
    const std::string whole = "sku,location,quantity\nA,1,4\nB,1,4\n";
    const std::string cut = "sku,location,quantity\nA,1,4\nB,1,";
    const auto open = [](const std::string& text) {
        return [&text]() -> core::Result<std::unique_ptr<StockRows>> {
            return std::make_unique<CsvRows>(memory_source(text), CsvOptions{});
        };
    };
    const auto totals = compare_snapshots(
        open(whole), open(cut), {.folder = folder()}, {.rules = {.now_ns = kNow}},
        [](const Difference&) { return core::Result<void>{}; }, [] {});
    REQUIRE_FALSE(totals);
    CHECK(totals.error().code == "snapshot_truncated");
}

TEST_CASE("healing: only a value the source states is written, and only by policy", "[reconciliation][unit]") {
    const auto compared =
        compare({{"A", "1", "3", kOld, 5}, {"B", "1", "6", kOld, 6}, {"C", "1", "-2", kOld, 7}, {"D", "1", "5", kOld, 8}},
                {{"A", "1", "9", kOld}, {"C", "1", "1", kOld}, {"D", "1", "5.5", kOld}, {"U", "1", "5", kOld}});
    const auto healed = [&](const std::string& sku, HealingMode mode, bool braked) {
        return healing_of(*compared->of(sku), mode, braked);
    };
    CHECK(healed("A", HealingMode::correct, false) == Healing::corrected);
    CHECK(healed("A", HealingMode::correct, true) == Healing::braked);
    CHECK(healed("A", HealingMode::propose, false) == Healing::proposed);
    CHECK(healed("A", HealingMode::off, false) == Healing::none);
    // Missing in the source: never a zero of our own making.
    CHECK(healed("B", HealingMode::correct, false) == Healing::proposed);
    CHECK(healed("C", HealingMode::correct, false) == Healing::corrected);
    CHECK(healed("D", HealingMode::correct, false) == Healing::none);
    CHECK(healed("U", HealingMode::correct, false) == Healing::proposed);
}

TEST_CASE("healing: a run that wants too much is braked at the limits, not one before", "[reconciliation][unit]") {
    const Brake brake{.percent_max = 5, .zero_max = 3};
    CHECK_FALSE(brake_reason({.changes = 5, .zeroings = 3}, 100, brake));
    CHECK(brake_reason({.changes = 6, .zeroings = 0}, 100, brake));
    CHECK(brake_reason({.changes = 4, .zeroings = 4}, 100, brake));
    CHECK_FALSE(brake_reason({.changes = 0, .zeroings = 0}, 0, brake));
    CHECK(brake_reason({.changes = 1, .zeroings = 0}, 0, brake));
    HealingWish wish;
    const auto compared = compare({{"A", "1", "3", kOld, 5}, {"B", "1", "6", kOld, 6}, {"C", "1", "2", kOld, 7}},
                                  {{"A", "1", "0", kOld}, {"B", "1", "2", kOld}});
    for (const auto& difference : compared->differences) {
        wish.add(difference);
    }
    CHECK(wish.changes == 2);
    CHECK(wish.zeroings == 1);
}

TEST_CASE("healing: a snapshot that shrank too far needs a person", "[reconciliation][unit]") {
    CHECK(check_size(80, 100, 20));
    CHECK(check_size(79, 100, 20).error().code == "snapshot_shrunken");
    CHECK(check_size(79, 100, 20).error().kind == core::ErrorKind::needs_decision);
    CHECK(check_size(1, 0, 20));
    CHECK(check_size(500, 100, 20));
}
