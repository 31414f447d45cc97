#include "domain/order_book.h"

#include <algorithm>
#include <catch2/catch_test_macros.hpp>
#include <random>

using namespace inventory_sync;

namespace {

constexpr std::int64_t kFirst = 1;
constexpr std::int64_t kOther = 2;

OrderSnapshot snapshot(int version, std::int64_t open, std::vector<Fulfillment> fulfillments = {}) {
    return {.key = {.shop = "eu", .order = 5},
            .version = {.updated_ns = version},
            .placed = core::SystemTime{std::chrono::seconds{100}},
            .lines = {{.line = 11, .sku = "SHIRT", .open = open, .ordered = 3}},
            .fulfillments = std::move(fulfillments)};
}

Fulfillment left(std::int64_t id, std::int64_t quantity, std::int64_t location = kFirst, int version = 1) {
    return {.id = id,
            .location = location,
            .at = core::SystemTime{std::chrono::seconds{200}},
            .lines = {{.line = 11, .sku = "SHIRT", .quantity = quantity}},
            .version = {.updated_ns = version}};
}

std::int64_t reserved_at(const OrderState& state, std::int64_t location) {
    for (const auto& reservation : reservations(state, kFirst)) {
        if (reservation.location == location) {
            return reservation.quantity;
        }
    }
    return 0;
}

}  // namespace

TEST_CASE("order book: open units count at the first location until their place is known", "[inventory-sync][unit]") {
    OrderState state;
    REQUIRE(apply(state, snapshot(1, 3)));
    CHECK(reservations(state, kFirst) ==
          std::vector<Reservation>{{.sku = "SHIRT", .location = kFirst, .quantity = 3, .provisional = true}});
    CHECK(reservations(state, 0).empty());
    state.places = {{.line = 11, .location = kOther, .quantity = 2}};
    CHECK(reserved_at(state, kOther) == 2);
    CHECK(reserved_at(state, kFirst) == 1);
    state.places.push_back({.line = 11, .location = 3, .quantity = 9});
    CHECK(reserved_at(state, 3) == 1);
    CHECK(reserved_at(state, kFirst) == 0);
}

TEST_CASE("order book: an older snapshot changes nothing", "[inventory-sync][unit]") {
    OrderState state;
    apply(state, snapshot(2, 1));
    CHECK(!apply(state, snapshot(1, 3)));
    CHECK(reserved_at(state, kFirst) == 1);
}

TEST_CASE("order book: a fulfillment before the snapshot that knows it counts once", "[inventory-sync][unit]") {
    OrderState state;
    apply(state, snapshot(1, 3));
    REQUIRE(apply(state, left(900, 2, kOther)));
    CHECK(reserved_at(state, kFirst) == 1);
    REQUIRE(shipments(state, kFirst).size() == 1);
    CHECK(shipments(state, kFirst)[0].location == kOther);
    apply(state, snapshot(2, 1, {left(900, 2, kOther)}));
    CHECK(reserved_at(state, kFirst) == 1);
    CHECK(shipments(state, kFirst).size() == 1);
    CHECK(!apply(state, left(900, 2, kOther, 0)));
}

TEST_CASE("order book: a fulfillment of an order that is not known yet is a shipment", "[inventory-sync][unit]") {
    OrderState state;
    auto alone = left(900, 2, 0);
    apply(state, alone);
    CHECK(!state.version);
    REQUIRE(shipments(state, kFirst).size() == 1);
    CHECK(shipments(state, kFirst)[0].location == kFirst);
    CHECK(reservations(state, kFirst).empty());
}

TEST_CASE("order book: a cancelled fulfillment gives its units back", "[inventory-sync][unit]") {
    OrderState state;
    apply(state, snapshot(1, 3));
    apply(state, left(900, 2));
    auto cancelled = left(900, 2, kFirst, 5);
    cancelled.cancelled = true;
    apply(state, cancelled);
    CHECK(reserved_at(state, kFirst) == 3);
    CHECK(shipments(state, kFirst).empty());
}

TEST_CASE("order book: the difference of two states is what was taken from each pair", "[inventory-sync][unit]") {
    OrderState before;
    OrderState after;
    apply(after, snapshot(1, 3));
    auto taken = difference(before, after, kFirst);
    CHECK(taken.at({"SHIRT", kFirst}) == Taken{.reserved = 3, .shipped = 0});
    before = after;
    apply(after, left(900, 2));
    taken = difference(before, after, kFirst);
    CHECK(taken.at({"SHIRT", kFirst}) == Taken{.reserved = -2, .shipped = 2});
    CHECK(difference(after, after, kFirst).empty());
    CHECK(newly_sold(OrderState{}, after) == std::map<std::string, std::int64_t>{{"SHIRT", 3}});
    CHECK(newly_sold(after, after).empty());
}

// An order lives: fulfilled in parts, cancelled, edited. All of its events arrive shuffled and repeated; in the end the state is
// that of Shopify.
TEST_CASE("order book: after any order of arrival the open and left units are those of the order", "[inventory-sync][unit]") {
    std::mt19937 random(7);
    const auto roll = [&](int below) {
        return static_cast<std::int64_t>(random() % static_cast<unsigned>(below));
    };
    for (int round = 0; round < 500; ++round) {
        std::vector<OrderSnapshot> snapshots;
        std::vector<Fulfillment> events;
        std::map<std::int64_t, Fulfillment> told;
        std::int64_t open = 10;
        std::int64_t shipped = 0;
        int version = 0;
        const auto snap = [&] {
            std::vector<Fulfillment> list;
            for (const auto& [id, fulfillment] : told) {
                list.push_back(fulfillment);
            }
            snapshots.push_back(snapshot(version, open, list));
        };
        ++version;
        snap();
        for (int step = 0; step < 8; ++step) {
            ++version;
            const auto what = roll(4);
            if (what == 0 && open > 0) {
                open -= 1 + roll(static_cast<int>(open));
            } else if (what == 1 && !told.empty()) {
                auto& first = told.begin()->second;
                if (!first.cancelled) {
                    first.cancelled = true;
                    first.version.updated_ns = version;
                    events.push_back(first);
                    open += first.lines[0].quantity;
                    shipped -= first.lines[0].quantity;
                }
            } else if (open > 0) {
                const auto quantity = 1 + roll(static_cast<int>(open));
                auto fulfillment = left(1000 + step, quantity, kFirst, version);
                told.emplace(fulfillment.id, fulfillment);
                events.push_back(fulfillment);
                open -= quantity;
                shipped += quantity;
            }
            snap();
        }
        std::vector<int> arrivals;
        const auto all = static_cast<int>(snapshots.size() + events.size());
        for (int i = 0; i < all; ++i) {
            for (auto n = roll(3); n >= 0; --n) {
                arrivals.push_back(i);
            }
        }
        std::ranges::shuffle(arrivals, random);
        OrderState state;
        for (const auto i : arrivals) {
            const auto index = static_cast<std::size_t>(i);
            if (index < snapshots.size()) {
                apply(state, snapshots[index]);
            } else {
                apply(state, events[index - snapshots.size()]);
            }
        }
        std::int64_t left_units = 0;
        for (const auto& shipment : shipments(state, kFirst)) {
            left_units += shipment.quantity;
        }
        REQUIRE(reserved_at(state, kFirst) == open);
        REQUIRE(left_units == shipped);
    }
}
