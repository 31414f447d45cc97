// The way of an event through the kit: once, in order, whatever comes twice or late.
#include <catch2/catch_test_macros.hpp>

#include <algorithm>
#include <random>

#include "tests/processing/fixtures.h"

using namespace syncline;
using namespace syncline::kit;
using namespace syncline::kit::testing;
using namespace std::chrono_literals;

#define NEEDS_POSTGRES()                     \
    if (!Harness::available()) {             \
        SKIP(std::string(Harness::kWhyNot)); \
    }                                        \
    static_assert(true)

TEST_CASE("processing: an event is handled once and its rows and events exist", "[kit]") {
    NEEDS_POSTGRES();
    FakeTarget target;
    Harness h({.handlers = {on_order([&](const auto& event, Delivery& delivery) {
                   delivery.write(
                       {.sql = "INSERT INTO ledger (key) SELECT * FROM unnest($1::text[])", .values = {delivery.headers().key}});
                   delivery.publish({.topic = "exports.v1", .key = delivery.headers().key, .subject = "s"}, refund(1, 2));
                   return exporting(target)(event, delivery);
               })},
               .target = target_of(target),
               .migrations = {"CREATE TABLE ledger (key text NOT NULL)"}});
    h.start();
    const auto at = h.publish(kOrders, key_of(1), order(1, 10));
    REQUIRE(h.settle());
    CHECK(target.document("order_1").writes == 1);
    CHECK(h.inbox("done") == 1);
    CHECK(h.count("SELECT count(*) FROM ledger") == 1);
    REQUIRE(h.published("exports.v1").size() == 1);
    CHECK(header_value(h.published("exports.v1").front().headers, "ce_correlationid") == "correlation");
    h.stop();
    CHECK(h.broker().committed(h.group(), {kOrders, at.partition}) == at.offset + 1);
}

TEST_CASE("processing: an event that comes fifty times at once is handled once", "[kit]") {
    NEEDS_POSTGRES();
    FakeTarget target;
    std::atomic<int> calls = 0;
    Harness h({.handlers = {on_order([&](const auto& event, Delivery& delivery) {
                   ++calls;
                   return exporting(target)(event, delivery);
               })},
               .target = target_of(target)});
    for (int i = 0; i < 50; ++i) {
        h.publish(kOrders, key_of(1), order(1, 10), {.id = "0f8fad5b-d9cb-469f-a165-70867728950e"});
    }
    h.start();
    REQUIRE(h.settle());
    CHECK(calls == 1);
    CHECK(h.inbox("done") == 1);
    h.publish(kOrders, key_of(1), order(1, 10), {.id = "0f8fad5b-d9cb-469f-a165-70867728950e"});
    REQUIRE(h.settle());
    CHECK(calls == 1);
}

TEST_CASE("processing: snapshots in any order leave the newest one in the target", "[kit]") {
    NEEDS_POSTGRES();
    FakeTarget target;
    Harness h({.handlers = {on_order(exporting(target))}, .target = target_of(target)});
    std::vector<std::pair<int, int>> events;
    for (int id = 1; id <= 40; ++id) {
        for (int version = 1; version <= 5; ++version) {
            events.emplace_back(id, version);
        }
    }
    std::ranges::shuffle(events, std::mt19937(7));
    for (const auto& [id, version] : events) {
        h.publish(kOrders, key_of(id), order(id, version));
    }
    h.start();
    REQUIRE(h.settle());
    CHECK(target.documents() == 40);
    for (int id = 1; id <= 40; ++id) {
        CHECK(target.document("order_" + std::to_string(id)).version == 5);
        CHECK(target.document("order_" + std::to_string(id)).creations == 1);
    }
    CHECK(h.inbox("done") + h.inbox("skipped") == 200);
}

TEST_CASE("processing: a type nobody wants is passed over without a row, a value that is no message is a dead letter", "[kit]") {
    NEEDS_POSTGRES();
    FakeTarget target;
    Harness h({.handlers = {on_order(exporting(target))}, .target = target_of(target)});
    h.start();
    h.publish(kOrders, key_of(1), refund(1, 1));
    h.broker().publish(kOrders, key_of(2), "\xff\xff not protobuf",
                       {{"ce_type", "syncline.orders.v1.OrderChanged"}, {"ce_id", "x"}});
    h.broker().publish(kOrders, std::nullopt, "\xff\xff", {{"ce_type", "syncline.orders.v1.OrderChanged"}});
    REQUIRE(h.settle());
    CHECK(h.count("SELECT count(*) FROM inbox") == 2);
    CHECK(h.inbox("dead") == 2);
    REQUIRE(h.dead_letters().size() == 2);
    const auto letters = h.dead_letters();
    const auto keyed = std::ranges::find_if(letters, [](const auto& l) { return l.key.has_value(); });
    REQUIRE(keyed != letters.end());
    CHECK(keyed->value == "\xff\xff not protobuf");
    CHECK(*keyed->key == key_of(2));
    CHECK(header_value(keyed->headers, "syncline-error-class") == "malformed");
    CHECK(header_value(keyed->headers, "ce_id") == "x");
}

TEST_CASE("processing: an exception is a bug: three tries, then a dead letter, and other keys go on", "[kit]") {
    NEEDS_POSTGRES();
    std::atomic<int> calls = 0;
    FakeTarget target;
    Harness h({.handlers = {on_order([&](const auto& event, Delivery& delivery) {
                   if (event.order().order_id() == 666) {
                       ++calls;
                       throw std::runtime_error("Jane Doe");
                   }
                   return exporting(target)(event, delivery);
               })},
               .target = target_of(target)});
    h.start();
    h.publish(kOrders, key_of(666), order(666, 1));
    h.publish(kOrders, key_of(1), order(1, 1));
    REQUIRE(h.eventually([&] { return h.inbox("done") == 1; }));
    REQUIRE(h.advance_until([&] { return h.inbox("dead") == 1; }));
    REQUIRE(h.settle());
    CHECK(calls == 3);
    REQUIRE(h.dead_letters().size() == 1);
    CHECK(header_value(h.dead_letters().front().headers, "syncline-error-class") == "bug");
    CHECK(header_value(h.dead_letters().front().headers, "syncline-attempts") == "3");
    const auto letters = h.dead_letters();
    for (const auto& [name, value] : letters.front().headers) {
        CHECK(value.find("Jane") == std::string::npos);
    }
}
