#include "src/amount.h"

#include <catch2/catch_test_macros.hpp>
#include <numeric>

#include "src/random.h"

using loadgen::share_of;
using loadgen::spread;

TEST_CASE("amount: halves go away from zero", "[loadgen][unit]") {
    CHECK(share_of(5, 1, 10) == 1);
    CHECK(share_of(4, 1, 10) == 0);
    CHECK(share_of(-5, 1, 10) == -1);
    CHECK(share_of(297, 20'000, 100'000) == 59);  // 3 × 0.99 at 20 %: 0.594
    CHECK(share_of(9'999'999'999'999, 99'999, 100'000) == 9'999'899'999'999);
}

TEST_CASE("amount: parts of a spread add up and go to the largest remainders", "[loadgen][unit]") {
    CHECK(spread(1'000, {1, 1, 1}) == std::vector<loadgen::Minor>{334, 333, 333});
    CHECK(spread(7, {0, 0}) == std::vector<loadgen::Minor>{7, 0});
    CHECK(spread(2'000, {9'900, 10'000, 10'000, 10'000}) == std::vector<loadgen::Minor>{496, 502, 501, 501});
    loadgen::Random random(1, 1);
    for (int i = 0; i < 2'000; ++i) {
        std::vector<loadgen::Minor> weights;
        for (auto n = 1 + random.below(30); n > 0; --n) {
            weights.push_back(random.between(0, 100'000));
        }
        const auto total = random.between(0, 1'000'000);
        const auto parts = spread(total, weights);
        REQUIRE(std::accumulate(parts.begin(), parts.end(), loadgen::Minor{0}) == total);
    }
}

TEST_CASE("amount: texts have the currency's decimals", "[loadgen][unit]") {
    CHECK(loadgen::amount_text(1'230, 2) == "12.30");
    CHECK(loadgen::amount_text(-5, 2) == "-0.05");
    CHECK(loadgen::amount_text(0, 2) == "0.00");
    CHECK(loadgen::amount_text(1'230, 0) == "1230");
    CHECK(loadgen::rate_text(8'875) == "0.08875");
    CHECK(loadgen::rate_text(20'000) == "0.2");
    CHECK(loadgen::percent_text(20'000) == "20.0");
    CHECK(loadgen::percent_text(8'875) == "8.875");
}
