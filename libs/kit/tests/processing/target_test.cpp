// The target in trouble: the circuit, lost answers, leases and their verification.
#include <catch2/catch_test_macros.hpp>

#include <algorithm>
#include <set>

#include "src/processing/fate.h"
#include "tests/processing/fixtures.h"

using namespace syncline;
using namespace syncline::kit;
using namespace syncline::kit::testing;
using namespace std::chrono_literals;
using core::ErrorKind;

#define NEEDS_POSTGRES()                     \
    if (!Harness::available()) {             \
        SKIP(std::string(Harness::kWhyNot)); \
    }                                        \
    static_assert(true)

TEST_CASE("processing: a target that is down opens the circuit, pauses partitions and dead-letters nothing", "[kit]") {
    NEEDS_POSTGRES();
    FakeTarget target;
    target.down = true;
    std::mutex mutex;
    std::set<std::string> keys;
    std::atomic<int> calls = 0;
    Harness h({.handlers = {on_order([&](const auto& event, Delivery& delivery) {
                   ++calls;
                   {
                       const std::lock_guard lock(mutex);
                       keys.insert(delivery.headers().key);
                   }
                   return exporting(target)(event, delivery);
               })},
               .target = target_of(target)});
    for (int id = 1; id <= 100; ++id) {
        h.publish(kOrders, key_of(id), order(id, 1));
    }
    h.start();
    REQUIRE(h.eventually([&] { return h.member().processor->figures().circuit_open; }));
    REQUIRE(h.eventually([&] { return h.broker().all_paused(h.group()) && h.member().processor->figures().running == 0; }));
    const int calls_when_open = calls;
    h.advance(60s);
    CHECK(calls == calls_when_open);  // With a probe nothing is tried while it fails.
    CHECK(h.inbox("dead") + h.inbox("parked") + h.inbox("held") == 0);
    target.down = false;
    REQUIRE(h.advance_until([&] { return h.inbox("done") == 100; }, 1s));
    CHECK_FALSE(h.member().processor->figures().circuit_open);
    CHECK_FALSE(h.broker().all_paused(h.group()));
    CHECK(target.documents() == 100);
    CHECK(h.dead_letters().empty());
}

TEST_CASE("processing: without a probe the open circuit tries a different key each time", "[kit]") {
    NEEDS_POSTGRES();
    FakeTarget target;
    target.down = true;
    std::mutex mutex;
    std::vector<std::string> order_of_calls;
    auto spec = target_of(target);
    spec.probe = nullptr;
    Harness h({.handlers = {on_order([&](const auto& event, Delivery& delivery) {
                   {
                       const std::lock_guard lock(mutex);
                       order_of_calls.push_back(delivery.headers().key);
                   }
                   return exporting(target)(event, delivery);
               })},
               .target = spec});
    for (int id = 1; id <= 20; ++id) {
        h.publish(kOrders, key_of(id), order(id, 1));
    }
    h.start();
    REQUIRE(h.eventually(
        [&] { return h.member().processor->figures().circuit_open && h.member().processor->figures().running == 0; }));
    std::size_t before = 0;
    {
        const std::lock_guard lock(mutex);
        before = order_of_calls.size();
    }
    REQUIRE(h.advance_until([&] {
        const std::lock_guard lock(mutex);
        return order_of_calls.size() >= before + 3;
    }));
    {
        const std::lock_guard lock(mutex);
        for (auto i = before + 1; i < order_of_calls.size(); ++i) {
            CHECK(order_of_calls[i] != order_of_calls[i - 1]);
        }
    }
    target.down = false;
    REQUIRE(h.advance_until([&] { return h.inbox("done") == 20; }, 1s));
}

TEST_CASE("processing: a lost answer of an effect that creates once is sent again at once", "[kit]") {
    NEEDS_POSTGRES();
    FakeTarget target;
    std::atomic<int> calls = 0;
    Harness h({.handlers = {on_order([&](const auto& event, Delivery& delivery) {
                   auto done = delivery.effect({.external_key = "order", .version = {1, 1, false}, .creates_once = true},
                                               [&](const Lease&) -> core::Result<EffectRecord> {
                                                   target.write("order", event.order().order_id());
                                                   if (++calls == 1) {
                                                       return core::fail(ErrorKind::unknown_outcome, "timeout", "no answer");
                                                   }
                                                   return EffectRecord{.target_id = "7"};
                                               });
                   return done ? Outcome::done() : Outcome::failed(done.error());
               })},
               .target = target_of(target)});
    h.start();
    h.publish(kOrders, key_of(1), order(1, 1));
    REQUIRE(h.settle());
    CHECK(calls == 2);
    CHECK(h.inbox("done") == 1);
    CHECK(h.database().value("SELECT target_id FROM intents") == "7");
}

TEST_CASE("processing: a lost answer of any other effect waits for the target's longest request", "[kit]") {
    NEEDS_POSTGRES();
    FakeTarget target;
    std::atomic<int> calls = 0;
    Harness h({.handlers = {on_order([&](const auto&, Delivery& delivery) {
                   auto done = delivery.effect({.external_key = "order", .version = {1, 1, false}},
                                               [&](const Lease&) -> core::Result<EffectRecord> {
                                                   if (++calls == 1) {
                                                       return core::fail(ErrorKind::unknown_outcome, "timeout", "no answer");
                                                   }
                                                   return EffectRecord{};
                                               });
                   return done ? Outcome::done() : Outcome::failed(done.error());
               })},
               .target = target_of(target)});
    h.start();
    h.publish(kOrders, key_of(1), order(1, 1));
    REQUIRE(h.eventually([&] { return h.inbox("parked") == 1; }));
    h.advance(110s, 10s);
    CHECK(calls == 1);
    REQUIRE(h.advance_until([&] { return h.inbox("done") == 1; }, 5s));
    CHECK(calls == 2);
}

TEST_CASE("processing: what waits for an unknown outcome keeps its time, whatever else comes for its key", "[kit]") {
    NEEDS_POSTGRES();
    FakeTarget target;
    std::mutex mutex;
    std::vector<std::string> calls;
    const auto called = [&](const std::string& what) {
        const std::lock_guard lock(mutex);
        calls.push_back(what);
        return std::ranges::count(calls, what);
    };
    const auto count = [&](const std::string& what) {
        const std::lock_guard lock(mutex);
        return std::ranges::count(calls, what);
    };
    Harness h({.handlers = {on_order(exporting(target)), on_refund([&](const auto& event, Delivery& delivery) {
                                const auto name = "refund_" + std::to_string(event.refund().refund_id());
                                auto done = delivery.effect(
                                    {.external_key = name, .any_version = true}, [&](const Lease&) -> core::Result<EffectRecord> {
                                        if (called(name) == 1 && name == "refund_11") {
                                            return core::fail(ErrorKind::unknown_outcome, "timeout", "no answer");
                                        }
                                        return EffectRecord{};
                                    });
                                return done ? Outcome::done() : Outcome::failed(done.error());
                            })},
               .target = target_of(target)});
    h.start();
    h.publish(kOrders, key_of(1), refund(1, 11));
    REQUIRE(h.eventually([&] { return h.inbox("parked") == 1; }));
    h.advance(30s, 5s);
    // The order and another refund go on at once; one that says something of the same refund comes after it.
    h.publish(kOrders, key_of(1), refund(1, 12));
    h.publish(kOrders, key_of(1), order(1, 1));
    h.publish(kOrders, key_of(1), refund(1, 11));
    REQUIRE(h.eventually([&] { return h.inbox("done") == 2; }));
    h.advance(85s, 5s);
    h.publish(kOrders, key_of(1), order(1, 2));
    REQUIRE(h.eventually([&] { return h.inbox("done") == 3; }));
    CHECK(count("refund_12") == 1);
    CHECK(count("refund_11") == 1);
    CHECK(h.inbox("parked") == 2);
    REQUIRE(h.advance_until([&] { return h.inbox("done") == 5; }, 1s));
    CHECK(h.count("SELECT count(*) FROM parked_keys") == 0);
    CHECK(h.dead_letters().empty());
}

TEST_CASE("processing: a newer snapshot waits as long as the one whose outcome is unknown would have", "[kit]") {
    NEEDS_POSTGRES();
    FakeTarget target;
    std::mutex mutex;
    std::vector<std::int64_t> calls;
    const auto so_far = [&] {
        const std::lock_guard lock(mutex);
        return calls;
    };
    Harness h({.handlers = {on_order([&](const auto& event, Delivery& delivery) {
                   const auto version = event.order().source_updated_at().seconds();
                   auto done = delivery.effect({.external_key = "order", .version = {version, version, false}},
                                               [&](const Lease&) -> core::Result<EffectRecord> {
                                                   const std::lock_guard lock(mutex);
                                                   calls.push_back(version);
                                                   if (calls.size() == 1) {
                                                       return core::fail(ErrorKind::unknown_outcome, "timeout", "no answer");
                                                   }
                                                   return EffectRecord{};
                                               });
                   return done ? Outcome::done() : Outcome::failed(done.error());
               })},
               .target = target_of(target)});
    h.start();
    h.publish(kOrders, key_of(1), order(1, 1));
    REQUIRE(h.eventually([&] { return h.inbox("parked") == 1; }));
    h.advance(40s, 5s);
    h.publish(kOrders, key_of(1), order(1, 2));
    REQUIRE(h.eventually([&] { return h.inbox("skipped") == 1; }));
    h.advance(40s, 5s);
    h.publish(kOrders, key_of(1), order(1, 3));
    REQUIRE(h.eventually([&] { return h.inbox("skipped") == 2; }));
    h.advance(35s, 5s);
    CHECK(so_far() == std::vector<std::int64_t>{1});
    REQUIRE(h.advance_until([&] { return h.inbox("done") == 1; }, 1s));
    CHECK(so_far() == std::vector<std::int64_t>{1, 3});
    CHECK(h.count("SELECT count(*) FROM parked_keys") == 0);
}

TEST_CASE("processing: what creates once and only waits before it is sent again goes with a newer event", "[kit]") {
    NEEDS_POSTGRES();
    FakeTarget target;
    std::atomic<int> calls = 0;
    Harness h({.handlers = {on_order([&](const auto& event, Delivery& delivery) {
                   const auto version = event.order().source_updated_at().seconds();
                   auto done =
                       delivery.effect({.external_key = "order", .version = {version, version, false}, .creates_once = true},
                                       [&](const Lease&) -> core::Result<EffectRecord> {
                                           if (++calls <= kResendsMax) {
                                               return core::fail(ErrorKind::unknown_outcome, "timeout", "no answer");
                                           }
                                           return EffectRecord{};
                                       });
                   return done ? Outcome::done() : Outcome::failed(done.error());
               })},
               .target = target_of(target)});
    h.start();
    h.publish(kOrders, key_of(1), order(1, 1));
    REQUIRE(h.eventually([&] { return h.inbox("parked") == 1; }));
    CHECK(calls == kResendsMax);
    h.publish(kOrders, key_of(1), order(1, 2));
    REQUIRE(h.eventually([&] { return h.inbox("done") == 1; }));
    CHECK(calls == kResendsMax + 1);
}

TEST_CASE("processing: a hundred keys that need one shared record make it once", "[kit]") {
    NEEDS_POSTGRES();
    FakeTarget target;
    std::atomic<int> customers = 0;
    Harness h({.handlers = {on_order([&](const auto& event, Delivery& delivery) {
                   auto customer = delivery.effect(
                       {.external_key = "customer_1", .scope = EffectScope::shared, .creates_once = true, .any_version = true},
                       [&](const Lease&) -> core::Result<EffectRecord> {
                           ++customers;
                           return EffectRecord{.target_id = "42"};
                       });
                   if (!customer) {
                       return Outcome::failed(customer.error());
                   }
                   if (customer->target_id != "42") {
                       return Outcome::failed(failure(ErrorKind::bug, "wrong_record"));
                   }
                   return exporting(target)(event, delivery);
               })},
               .target = target_of(target)});
    for (int id = 1; id <= 100; ++id) {
        h.publish(kOrders, key_of(id), order(id, 1));
    }
    h.start();
    REQUIRE(h.advance_until([&] { return h.inbox("done") == 100; }, 50ms));
    CHECK(customers == 1);
    CHECK(target.documents() == 100);
}

TEST_CASE("processing: a process stopped inside a call loses its lease; the newer version stands and is verified", "[kit]") {
    NEEDS_POSTGRES();
    FakeTarget target;
    Gate gate;
    gate.close();
    std::atomic<int> verified = 0;
    const auto slow = on_order([&](const auto& event, Delivery& delivery) {
        const auto version = event.order().source_updated_at().seconds();
        auto done = delivery.effect({.external_key = "order_1", .version = {version, version, false}, .creates_once = true},
                                    [&](const Lease&) -> core::Result<EffectRecord> {
                                        gate.pass();
                                        target.write("order_1", version);  // Seconds later, over whatever stands there.
                                        return EffectRecord{};
                                    });
        return done ? Outcome::done() : Outcome::failed(done.error());
    });
    const auto quick = on_order([&](const auto& event, Delivery& delivery) {
        const auto version = event.order().source_updated_at().seconds();
        verified += delivery.verify() ? 1 : 0;
        auto done = delivery.effect({.external_key = "order_1", .version = {version, version, false}, .creates_once = true},
                                    [&](const Lease&) -> core::Result<EffectRecord> {
                                        target.write("order_1", version);
                                        return EffectRecord{};
                                    });
        return !done ? Outcome::failed(done.error()) : done->already_done ? Outcome::skip("superseded") : Outcome::done();
    });
    Harness h({.handlers = {quick}, .target = target_of(target), .partitions = 1});
    auto zombie = h.join(std::vector{slow});
    h.publish(kOrders, key_of(1), order(1, 1));
    REQUIRE(h.eventually([&] { return gate.waiting() == 1; }));
    zombie->source->freeze();
    h.start();
    h.publish(kOrders, key_of(1), order(1, 2));
    REQUIRE(h.eventually([&] { return h.member().processor->figures().partitions == 1; }));
    // The new owner waits for the lease of the old one, then goes on.
    h.advance(10s);
    CHECK(target.document("order_1").writes == 0);
    REQUIRE(h.advance_until([&] { return h.inbox("done") == 2; }, 1s));
    CHECK(target.document("order_1").version == 2);
    gate.open();
    zombie->source->thaw();
    REQUIRE(h.eventually([&] { return target.document("order_1").version == 1; }));  // The late write.
    zombie->drain();
    REQUIRE(h.advance_until([&] { return verified >= 1 && h.count("SELECT count(*) FROM parked_keys") == 0; }, 1s));
    CHECK(target.document("order_1").version == 2);
    CHECK(h.inbox("done") == 2);
    CHECK(h.dead_letters().empty());
    zombie.reset();
}

TEST_CASE("processing: an operator's pause stops handling everywhere until it is taken back", "[kit]") {
    NEEDS_POSTGRES();
    FakeTarget target;
    Harness h({.handlers = {on_order(exporting(target))}, .target = target_of(target)});
    h.start();
    REQUIRE(h.eventually([&] { return h.member().processor->figures().partitions == 4; }));
    CHECK(h.admin("POST", "/admin/connection/pause", "{}").status == 400);
    CHECK(h.admin("POST", "/admin/connection/pause", R"({"reason":"ERP upgrade"})").status == 200);
    h.publish(kOrders, key_of(1), order(1, 1));
    h.advance(10s);
    CHECK(target.documents() == 0);
    CHECK(h.broker().all_paused(h.group()));
    CHECK(h.admin("POST", "/admin/connection/resume", R"({"reason":"done"})").status == 200);
    REQUIRE(h.settle());
    CHECK(target.documents() == 1);
    CHECK(h.count("SELECT count(*) FROM admin_actions") == 2);
}
