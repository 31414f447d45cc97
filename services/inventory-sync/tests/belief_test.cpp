#include "domain/belief.h"

#include <algorithm>
#include <array>
#include <catch2/catch_test_macros.hpp>
#include <deque>
#include <random>

using namespace inventory_sync;

TEST_CASE("belief: a fall that a known order explains leaves nothing pending", "[inventory-sync][unit]") {
    Belief belief{.believed = 10};
    belief = heard(belief, 2);
    CHECK(belief.expected() == 8);
    const auto after = looked(belief, 8, 0);
    CHECK(after == Belief{.believed = 8});
}

TEST_CASE("belief: a fall that nothing explains is pending until its order is heard of", "[inventory-sync][unit]") {
    Belief belief = looked({.believed = 10}, 8, 0);
    CHECK(belief.pending == 2);
    CHECK(belief.expected() == 8);
    belief = heard(belief, 1);
    CHECK(belief.pending == 1);
    CHECK(belief.expected() == 8);
    belief = heard(belief, 3);
    CHECK(belief.pending == 0);
    CHECK(belief.expected() == 6);
}

TEST_CASE("belief: a rise makes nothing pending, a cancelled order is expected back", "[inventory-sync][unit]") {
    CHECK(looked({.believed = 10}, 15, 0) == Belief{.believed = 15});
    auto belief = heard(heard({.believed = 10}, 4), -4);
    CHECK(belief.expected() == 10);
    // It was not restocked: the order that was heard of still explains the fall.
    CHECK(looked(belief, 6, 0).pending == 0);
}

TEST_CASE("belief: at the first look what Shopify has committed beyond the known orders is pending", "[inventory-sync][unit]") {
    CHECK(looked({}, 10, 3) == Belief{.believed = 10, .pending = 3});
    CHECK(looked({}, 10, -3).pending == 0);
    CHECK(looked({.believed = 10}, 10, 3).pending == 0);
    CHECK(!Belief{}.expected());
}

TEST_CASE("belief: exactly the value of a write with an unknown outcome is no fall", "[inventory-sync][unit]") {
    CHECK(looked({.believed = 10, .perhaps = 3}, 3, 0) == Belief{.believed = 3});
    CHECK(looked({.believed = 10, .taken = 1, .net = 1, .perhaps = 3}, 2, 0) == Belief{.believed = 2});
    // Anything else may be sales: the write may not have been taken.
    CHECK(looked({.believed = 10, .perhaps = 3}, 2, 0).pending == 8);
    CHECK(looked({.believed = 10, .perhaps = 12}, 10, 0).pending == 0);
}

TEST_CASE("belief: what is heard between forming and taking of a write stays to be expected", "[inventory-sync][unit]") {
    auto belief = heard({.believed = 10}, 1);
    const auto formed = belief;
    belief = heard(belief, 2);
    belief = wrote(belief, 7, formed.taken, formed.net);
    CHECK(belief == Belief{.believed = 7, .taken = 2, .net = 2});
    CHECK(belief.expected() == 5);
}

TEST_CASE("belief: own values are recognised in webhooks, others are not", "[inventory-sync][unit]") {
    const std::array<std::int64_t, 2> recent{5, 3};
    const Belief belief{.believed = 5, .taken = 1, .net = 1};
    CHECK(is_own(belief, recent, 5));
    CHECK(is_own(belief, recent, 4));
    CHECK(is_own(belief, recent, 3));
    CHECK(!is_own(belief, recent, 2));
    CHECK(!is_own({}, {}, 0));
}

// Shopify sells on its own; orders are heard of late; the source reports; we write compare-and-set and look when that fails. At
// no time may a write raise what can be sold above what is there less every order ever placed, and in the end it is exact.
TEST_CASE("belief: with late orders nothing is oversold beyond the report, and all ends exact", "[inventory-sync][unit]") {
    std::mt19937 random(99);
    const auto roll = [&](int below) {
        return static_cast<std::int64_t>(random() % static_cast<unsigned>(below));
    };
    for (int round = 0; round < 300; ++round) {
        std::int64_t level = 100;    // Net of the source's own orders, as reported last.
        std::int64_t known = 0;      // Orders heard of.
        std::int64_t placed = 0;     // Orders placed.
        std::int64_t shopify = 100;  // available
        std::deque<std::int64_t> late;
        Belief belief = looked({}, shopify, 0);
        const auto target = [&] {
            return std::max<std::int64_t>(0, level - known - belief.pending);
        };
        const auto sync = [&] {
            for (int tries = 0; tries < 3 && belief.expected() != target(); ++tries) {
                if (*belief.expected() == shopify) {
                    const auto value = target();
                    REQUIRE(value >= 0);
                    // Never above what the newest report leaves after all that was placed and could be seen.
                    REQUIRE(value <= std::max<std::int64_t>(0, level - known));
                    shopify = value;
                    belief = wrote(belief, value, belief.taken, belief.net);
                } else {
                    belief = looked(belief, shopify, placed - known);
                }
            }
        };
        for (int step = 0; step < 60; ++step) {
            switch (roll(4)) {
                case 0:
                    if (shopify > 0) {
                        const auto sold = 1 + roll(static_cast<int>(std::min<std::int64_t>(shopify, 3)));
                        shopify -= sold;
                        placed += sold;
                        late.push_back(sold);
                    }
                    break;
                case 1:
                    if (!late.empty()) {
                        known += late.front();
                        belief = heard(belief, late.front());
                        late.pop_front();
                    }
                    break;
                case 2:
                    level += roll(9) - 3;
                    break;
                default:
                    sync();
            }
        }
        while (!late.empty()) {
            known += late.front();
            belief = heard(belief, late.front());
            late.pop_front();
        }
        // One more report makes the last compare happen.
        level += 1;
        sync();
        level += 1;
        sync();
        REQUIRE(belief.pending == 0);
        REQUIRE(shopify == std::max<std::int64_t>(0, level - placed));
    }
}

TEST_CASE("belief: units that fell, rose again and were given back unheard are no longer pending", "[inventory-sync][unit]") {
    const auto fallen = looked({.believed = 10}, 7, 0);
    REQUIRE(fallen.pending == 3);
    // Rise, then the order; order, then the rise: the same.
    const auto risen = looked(fallen, 10, 0);
    CHECK(risen.pending == 3);
    CHECK(risen.risen == 3);
    CHECK(looked(came_and_went(risen, 3), 10, 0) == Belief{.believed = 10});
    CHECK(looked(came_and_went(fallen, 3), 10, 0) == Belief{.believed = 10});
    // Neither alone ends it.
    CHECK(looked(came_and_went(fallen, 3), 7, 0).pending == 3);
    CHECK(looked(risen, 12, 0).pending == 3);
    // As much as both say.
    CHECK(looked(came_and_went(risen, 2), 10, 0).pending == 1);
    CHECK(looked(came_and_went(fallen, 9), 8, 0).pending == 2);
    // What a known order gave back is no rise without a cause.
    auto known = heard(heard({.believed = 10}, 2), -2);
    known.pending = 2;
    CHECK(looked(came_and_went(known, 2), 12, 0).pending == 2);
    CHECK(looked(came_and_went(known, 2), 14, 0).pending == 0);
}
