#include "domain/stock.h"

#include <algorithm>
#include <catch2/catch_test_macros.hpp>
#include <random>
#include <vector>

using namespace inventory_sync;
using namespace std::chrono_literals;

namespace {

core::SystemTime at(int second) {
    return core::SystemTime{std::chrono::seconds{1'760'000'000 + second}};
}

Level level(int quantity, int second, std::string epoch = {}, std::uint64_t sequence = 0, std::string snapshot = {}) {
    return {.quantity = Decimal(quantity),
            .observed = at(second),
            .epoch = std::move(epoch),
            .sequence = sequence,
            .snapshot = std::move(snapshot)};
}

Change change(int delta, int second, std::string id, std::string epoch = {}) {
    return {.delta = Decimal(delta), .observed = at(second), .id = std::move(id), .epoch = std::move(epoch)};
}

}  // namespace

TEST_CASE("stock: an older level changes nothing, a newer one replaces", "[inventory-sync][unit]") {
    PositionState state;
    CHECK(!state.quantity());
    CHECK(state.accept(level(10, 5)) == Arrival::replaces);
    CHECK(state.accept(level(99, 4)) == Arrival::superseded);
    CHECK(state.accept(level(10, 5)) == Arrival::repeated);
    CHECK(state.quantity() == Decimal(10));
    CHECK(state.accept(level(7, 6)) == Arrival::replaces);
    CHECK(state.quantity() == Decimal(7));
}

TEST_CASE("stock: of two levels of one moment without sequences the lower holds, whichever comes first",
          "[inventory-sync][unit]") {
    PositionState one;
    PositionState two;
    one.accept(level(5, 1));
    one.accept(level(7, 1));
    two.accept(level(7, 1));
    two.accept(level(5, 1));
    CHECK(one.quantity() == Decimal(5));
    CHECK(two.quantity() == Decimal(5));
}

TEST_CASE("stock: within one moment the sequence decides", "[inventory-sync][unit]") {
    PositionState state;
    state.accept(level(5, 1, "a", 2));
    CHECK(state.accept(level(9, 1, "a", 1)) == Arrival::superseded);
    CHECK(state.accept(level(9, 1, "a", 2)) == Arrival::repeated);
    CHECK(state.accept(level(9, 1, "a", 3)) == Arrival::replaces);
}

TEST_CASE("stock: a sequence that began anew is refused until an epoch or a snapshot says so", "[inventory-sync][unit]") {
    PositionState state;
    state.accept(level(5, 1, "a", 900));
    CHECK(state.accept(level(6, 2, "a", 1)) == Arrival::sequence_back);
    CHECK(state.quantity() == Decimal(5));
    SECTION("a new epoch") {
        CHECK(state.accept(level(6, 2, "b", 1)) == Arrival::replaces);
        CHECK(state.accept(level(7, 2, "a", 901)) == Arrival::superseded);
        CHECK(state.accept(level(7, 3, "b", 2)) == Arrival::replaces);
    }
    SECTION("a full snapshot") {
        CHECK(state.accept(level(6, 2, "a", 1, "nightly-7")) == Arrival::replaces);
        CHECK(state.accept(level(8, 3, "a", 2)) == Arrival::replaces);
    }
}

TEST_CASE("stock: changes count once, on the level before them, and not when the level has them already",
          "[inventory-sync][unit]") {
    PositionState state;
    CHECK(state.accept(change(-1, 3, "x")));
    CHECK(!state.quantity());
    state.accept(level(10, 2));
    CHECK(state.quantity() == Decimal(9));
    CHECK(!state.accept(change(-1, 3, "x")));
    CHECK(!state.accept(change(-4, 2, "in the level")));
    CHECK(state.accept(change(-1, 3, "x", "another epoch")));
    CHECK(state.quantity() == Decimal(8));
    CHECK(state.known_until() == at(3));
    state.accept(level(20, 3));
    CHECK(state.quantity() == Decimal(20));
    CHECK(!state.accept(change(-1, 3, "x")));
}

TEST_CASE("stock: fractions are exact and huge quantities are refused", "[inventory-sync][unit]") {
    PositionState state;
    state.accept(Level{.quantity = *Decimal::parse("0.1"), .observed = at(1)});
    state.accept(Change{.delta = *Decimal::parse("0.2"), .observed = at(2), .id = "x", .epoch = {}});
    CHECK(state.quantity()->to_string() == "0.3");
    CHECK(acceptable(*Decimal::parse("1e13")).error().code == "quantity_out_of_range");
    CHECK(acceptable(*Decimal::parse("0.0000000001")).error().code == "quantity_out_of_range");
    CHECK(acceptable(*Decimal::parse("-999999999999.999999999")));
}

// The model: what a source did, in order. Reports about it are shuffled, repeated and partly lost; the state must be that of the
// newest level that arrived and every change after it that arrived.
TEST_CASE("stock: after any order of arrival with repetitions the state is that of the model", "[inventory-sync][unit]") {
    std::mt19937 random(20261121);
    const auto roll = [&](int below) {
        return static_cast<int>(random() % static_cast<unsigned>(below));
    };
    for (int round = 0; round < 400; ++round) {
        const bool sequences = roll(2) == 0;
        std::vector<Level> levels;
        std::vector<Change> changes;
        int stock = 50;
        int epoch = 0;
        std::uint64_t sequence = 0;
        for (int step = 1; step <= 40; ++step) {
            stock += roll(11) - 5;
            if (roll(12) == 0) {
                ++epoch;
                sequence = 0;
            }
            if (roll(3) == 0) {
                levels.push_back(level(stock, step, sequences ? std::to_string(epoch) : "", sequences ? ++sequence : 0));
            } else {
                const int delta = roll(7) - 3;
                stock += delta;
                changes.push_back(change(delta, step, "c" + std::to_string(step)));
            }
        }
        struct Arrives {
            bool is_level = false;
            std::size_t index = 0;
        };
        std::vector<Arrives> arrivals;
        for (std::size_t i = 0; i < levels.size(); ++i) {
            for (int n = roll(3); n >= 0; --n) {
                arrivals.push_back({true, i});
            }
        }
        for (std::size_t i = 0; i < changes.size(); ++i) {
            for (int n = roll(3); n >= 0; --n) {
                arrivals.push_back({false, i});
            }
        }
        std::ranges::shuffle(arrivals, random);
        arrivals.resize(arrivals.size() - static_cast<std::size_t>(roll(10)));
        PositionState state;
        const Level* newest = nullptr;
        std::vector<bool> arrived(changes.size());
        for (const auto& arrival : arrivals) {
            if (arrival.is_level) {
                const auto& one = levels[arrival.index];
                state.accept(one);
                newest = newest == nullptr || newest->observed < one.observed ? &one : newest;
            } else {
                arrived[arrival.index] = true;
                state.accept(changes[arrival.index]);
            }
        }
        if (newest == nullptr) {
            CHECK(!state.quantity());
            continue;
        }
        Decimal wanted = newest->quantity;
        for (std::size_t i = 0; i < changes.size(); ++i) {
            if (arrived[i] && changes[i].observed > newest->observed) {
                wanted = *(wanted + changes[i].delta);
            }
        }
        REQUIRE(state.quantity() == wanted);
    }
}
