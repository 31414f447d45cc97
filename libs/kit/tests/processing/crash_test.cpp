// Processes that die, databases that go away, partitions that move.
#include <catch2/catch_test_macros.hpp>

#include <algorithm>
#include <thread>

#include "src/store/rows.h"
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

TEST_CASE("processing: after a crash everything is handled again, once in the target", "[kit]") {
    NEEDS_POSTGRES();
    FakeTarget target;
    Harness h({.handlers = {on_order(exporting(target))}, .target = target_of(target)});
    h.start();
    for (int id = 1; id <= 50; ++id) {
        h.publish(kOrders, key_of(id), order(id, 1));
    }
    REQUIRE(h.settle());
    // Nothing was committed: the new process reads all of it again.
    h.crash();
    for (int partition = 0; partition < 4; ++partition) {
        h.broker().set_committed(h.group(), {kOrders, partition, 0});
    }
    h.start();
    h.publish(kOrders, key_of(51), order(51, 1));
    REQUIRE(h.eventually([&] { return h.inbox("done") == 51; }));
    CHECK(target.documents() == 51);
    for (int id = 1; id <= 51; ++id) {
        CHECK(target.document("order_" + std::to_string(id)).writes == 1);
    }
}

TEST_CASE("processing: after an unclean stop suspects run alone, and one that killed the process three times is dead-lettered",
          "[kit]") {
    NEEDS_POSTGRES();
    FakeTarget target;
    std::atomic<int> running = 0;
    std::atomic<int> most = 0;
    std::atomic<int> poison_calls = 0;
    Harness h({.handlers = {on_order([&](const auto& event, Delivery& delivery) {
                   raise_to(most, ++running);
                   poison_calls += event.order().order_id() == 1 ? 1 : 0;
                   std::this_thread::sleep_for(3ms);
                   auto outcome = exporting(target)(event, delivery);
                   --running;
                   return outcome;
               })},
               .target = target_of(target),
               .partitions = 1});
    const auto poison = h.publish(kOrders, key_of(1), order(1, 1));
    for (int id = 2; id <= 20; ++id) {
        h.publish(kOrders, key_of(id), order(id, 1));
    }
    // What a process leaves behind that died three times on the first record, and was at offset 10.
    const auto group = postgres::Params{}.add(store::group_number(h.group()));
    h.database().exec("INSERT INTO partition_markers VALUES ($1, 'orders.v1', 0, 0, 10, false)", group);
    h.database().exec("INSERT INTO poison_tries VALUES ($1, 'orders.v1', 0, 0, 3)", group);
    h.start();
    REQUIRE(h.settle());
    CHECK(poison.offset == 0);
    CHECK(poison_calls == 0);
    CHECK(h.inbox("dead") == 1);
    CHECK(h.inbox("done") == 19);
    REQUIRE(h.dead_letters().size() == 1);
    CHECK(header_value(h.dead_letters().front().headers, "syncline-error-code") == "process_died");
    CHECK(h.count("SELECT count(*) FROM poison_tries") == 0);
    most = 0;
    h.stop();
    h.broker().set_committed(h.group(), {kOrders, 0, 20});
    // After a clean stop nothing is suspect.
    for (int id = 30; id <= 60; ++id) {
        h.publish(kOrders, key_of(id), order(id, 1));
    }
    h.start();
    REQUIRE(h.settle());
    CHECK(most > 1);
}

TEST_CASE("processing: suspects run one at a time", "[kit]") {
    NEEDS_POSTGRES();
    std::atomic<int> running = 0;
    std::atomic<int> most = 0;
    Harness h({.handlers = {on_order([&](const auto&, Delivery&) {
                   raise_to(most, ++running);
                   std::this_thread::sleep_for(2ms);
                   --running;
                   return Outcome::done();
               })},
               .partitions = 1});
    for (int id = 1; id <= 20; ++id) {
        h.publish(kOrders, key_of(id), order(id, 1));
    }
    h.database().exec("INSERT INTO partition_markers VALUES ($1, 'orders.v1', 0, 0, 20, false)",
                      postgres::Params{}.add(store::group_number(h.group())));
    h.start();
    REQUIRE(h.settle());
    CHECK(most == 1);
    CHECK(h.inbox("done") == 20);
    CHECK(h.count("SELECT count(*) FROM poison_tries") == 0);
}

TEST_CASE("processing: deaths stay counted while a suspect waits for the lease of the process it killed", "[kit]") {
    NEEDS_POSTGRES();
    FakeTarget target;
    std::atomic<int> calls = 0;
    Harness h({.handlers = {on_order([&](const auto& event, Delivery& delivery) {
                   ++calls;
                   return exporting(target)(event, delivery);
               })},
               .target = target_of(target),
               .partitions = 1});
    h.publish(kOrders, key_of(1), order(1, 1));
    const auto group = postgres::Params{}.add(store::group_number(h.group()));
    h.database().exec("INSERT INTO partition_markers VALUES ($1, 'orders.v1', 0, 0, 1, false)", group);
    h.database().exec("INSERT INTO poison_tries VALUES ($1, 'orders.v1', 0, 0, 2)", group);
    h.database().exec(
        "INSERT INTO intents VALUES ('target', 'order_1', 1, 1, false, 'dead', 'dead', 0, $1, 'open', '', '', '', 'orders.v1', "
        "0, 0)",
        postgres::Params{}.add(h.clock().now() + 40s));
    h.start();
    // The third start finds the lease and comes back: still two deaths.
    REQUIRE(h.eventually([&] { return calls == 1; }));
    REQUIRE(h.eventually([&] { return h.count("SELECT tries FROM poison_tries") == 2; }));
    CHECK(target.documents() == 0);
    REQUIRE(h.advance_until([&] { return h.inbox("done") == 1; }));
    CHECK(h.count("SELECT count(*) FROM poison_tries") == 0);
}

TEST_CASE("processing: a parked event that kills the process is dead-lettered too", "[kit]") {
    NEEDS_POSTGRES();
    FakeTarget target;
    std::atomic<int> calls = 0;
    Harness h({.handlers = {on_order([&](const auto&, Delivery&) {
                   ++calls;
                   return Outcome::failed(failure(ErrorKind::conflict, "record_locked"));
               })},
               .target = target_of(target)});
    h.start();
    h.publish(kOrders, key_of(1), order(1, 1));
    REQUIRE(h.eventually([&] { return h.inbox("parked") == 1; }));
    h.database().exec("UPDATE parked_events SET crash_tries = 3");
    REQUIRE(h.advance_until([&] { return h.inbox("dead") == 1; }));
    CHECK(calls == 1);
}

TEST_CASE("processing: without PostgreSQL partitions pause, nothing is parked or dead-lettered, and it goes on by itself",
          "[kit][postgres]") {
    NEEDS_POSTGRES();
    FakeTarget target;
    Harness h({.handlers = {on_order(exporting(target))}, .target = target_of(target)});
    const std::string role = "away_" + h.database().schema();
    h.database().exec("CREATE ROLE " + role + " LOGIN SUPERUSER");
    auto url = postgres::testing::Database::url();
    url.replace(url.find("postgres@"), 8, role);
    auto member = h.join(std::nullopt, url);
    h.publish(kOrders, key_of(1), order(1, 1));
    REQUIRE(h.eventually([&] { return h.inbox("done") == 1; }));
    h.database().exec("ALTER ROLE " + role + " NOLOGIN");
    h.database().exec("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = $1", postgres::Params{}.add(role));
    for (int id = 2; id <= 30; ++id) {
        h.publish(kOrders, key_of(id), order(id, 1));
    }
    REQUIRE(h.eventually([&] { return !member->processor->figures().postgres_available; }));
    CHECK_FALSE(member->processor->ready().has_value());
    CHECK(member->processor->alive(1h).has_value());
    CHECK(h.eventually([&] { return h.broker().all_paused(h.group()); }));
    CHECK(h.inbox("done") == 1);
    h.database().exec("ALTER ROLE " + role + " LOGIN");
    REQUIRE(h.eventually([&] { return h.inbox("done") == 30; }, 20s));
    CHECK(h.inbox("parked") + h.inbox("dead") + h.inbox("held") == 0);
    for (int id = 1; id <= 30; ++id) {
        CHECK(target.document("order_" + std::to_string(id)).creations == 1);
    }
    CHECK(member->processor->ready().has_value());
    member->drain();
    member.reset();
    h.database().exec("DROP ROLE " + role);
}

TEST_CASE("processing: partitions move to a new member, parked keys with them", "[kit]") {
    NEEDS_POSTGRES();
    FakeTarget target;
    std::atomic<bool> locked = true;
    const auto handler = on_order([&](const auto& event, Delivery& delivery) {
        if (locked && event.order().order_id() % 2 == 0) {
            return Outcome::failed(failure(ErrorKind::conflict, "record_locked"));
        }
        return exporting(target)(event, delivery);
    });
    Harness h({.handlers = {handler}, .target = target_of(target)});
    h.start();
    for (int id = 1; id <= 20; ++id) {
        h.publish(kOrders, key_of(id), order(id, 1));
    }
    REQUIRE(h.settle());
    CHECK(h.inbox("parked") == 10);
    auto other = h.join();
    REQUIRE(h.eventually(
        [&] { return other->processor->figures().partitions == 2 && h.member().processor->figures().partitions == 2; }));
    locked = false;
    h.member().drain();
    REQUIRE(h.eventually([&] { return other->processor->figures().partitions == 4; }));
    REQUIRE(h.advance_until([&] { return h.inbox("done") == 20; }, 1s));
    CHECK(target.documents() == 20);
    other->drain();
}

TEST_CASE("processing: partitions that go and come back before they could be claimed are claimed once", "[kit]") {
    NEEDS_POSTGRES();
    FakeTarget target;
    Harness h({.handlers = {on_order(exporting(target))}, .target = target_of(target)});
    h.start();
    h.publish(kOrders, key_of(1), order(1, 1));
    REQUIRE(h.settle());
    Gate gate;
    gate.close();
    std::thread locker([&] {
        const core::Deadline deadline(core::system_clock(), 30s);
        (void)h.database().pool().run(deadline, [&](postgres::Transaction& tx) -> core::Result<void> {
            if (auto locked = tx.exec("LOCK TABLE partition_owner IN ACCESS EXCLUSIVE MODE"); !locked) {
                return std::unexpected(locked.error());
            }
            gate.pass();
            return {};
        });
    });
    const bool locked = h.eventually([&] { return gate.waiting() == 1; });
    bool moved = locked;
    // The first claim waits for the lock; those of the second round wait behind it, one of them for partitions that have gone.
    std::vector<std::unique_ptr<Harness::Member>> others;
    for (int round = 0; round < 2 && moved; ++round) {
        auto& other = others.emplace_back(h.join());
        moved = h.eventually([&] { return h.member().processor->figures().partitions == 2; });
        other->drain();
        moved = moved && h.eventually([&] { return h.member().processor->figures().partitions == 4; });
    }
    gate.open();
    locker.join();
    REQUIRE(locked);
    REQUIRE(moved);
    for (int id = 2; id <= 20; ++id) {
        h.publish(kOrders, key_of(id), order(id, 1));
    }
    REQUIRE(h.advance_until([&] { return h.inbox("done") == 20; }, 1s));
    CHECK(h.member().processor->ready().has_value());
    CHECK(target.documents() == 20);
}

TEST_CASE("processing: a handler that is slow at a rebalance is waited for and its event is not done twice", "[kit]") {
    NEEDS_POSTGRES();
    FakeTarget target;
    Gate gate;
    gate.close();
    std::atomic<int> calls = 0;
    Harness h({.handlers = {on_order([&](const auto& event, Delivery& delivery) {
                   ++calls;
                   gate.pass();
                   return exporting(target)(event, delivery);
               })},
               .target = target_of(target)});
    h.start();
    h.publish(kOrders, key_of(1), order(1, 1));
    REQUIRE(h.eventually([&] { return gate.waiting() == 1; }));
    auto other = h.join();
    std::this_thread::sleep_for(100ms);
    CHECK(other->processor->figures().partitions == 0);
    gate.open();
    REQUIRE(h.eventually([&] { return other->processor->figures().partitions == 2; }));
    REQUIRE(h.eventually([&] { return h.inbox("done") == 1; }));
    CHECK(calls == 1);
    other->drain();
}

TEST_CASE("processing: what is in flight is bounded by records and by bytes", "[kit]") {
    NEEDS_POSTGRES();
    Gate gate;
    gate.close();
    std::atomic<int> calls = 0;
    ProcessorOptions processing;
    processing.records_in_flight_max = 50;
    processing.keys_in_flight_max = 8;
    Harness h({.handlers = {on_order([&](const auto&, Delivery&) {
                   ++calls;
                   gate.pass();
                   return Outcome::done();
               })},
               .processing = processing,
               .partitions = 1});
    h.start();
    REQUIRE(h.eventually([&] { return h.member().processor->figures().partitions == 1; }));
    for (int id = 1; id <= 1000; ++id) {
        h.publish(kOrders, key_of(id), order(id, 1));
    }
    REQUIRE(h.eventually([&] { return h.member().processor->figures().paused && gate.waiting() == 8; }));
    CHECK(h.member().processor->figures().running == 8);
    CHECK(h.member().processor->figures().in_flight_records < 50 + 400);
    gate.open();
    REQUIRE(h.settle());
    CHECK(h.inbox("done") == 1000);
    CHECK(calls == 1000);
}

TEST_CASE("processing: settled inbox rows are deleted after their time, parked and dead ones stay", "[kit]") {
    NEEDS_POSTGRES();
    ProcessorOptions processing;
    processing.inbox_retention = 1h;
    Harness h({.handlers = {on_order([&](const auto& event, Delivery&) {
                   const auto id = event.order().order_id();
                   return id == 1   ? Outcome::failed(failure(ErrorKind::rejected, "no_lines"))
                          : id == 2 ? Outcome::failed(failure(ErrorKind::needs_decision, "undecided"))
                                    : Outcome::done();
               })},
               .processing = processing});
    h.start();
    for (int id = 1; id <= 10; ++id) {
        h.publish(kOrders, key_of(id), order(id, 1));
    }
    REQUIRE(h.settle());
    REQUIRE(h.count("SELECT count(*) FROM inbox") == 10);
    REQUIRE(h.advance_until([&] { return h.count("SELECT count(*) FROM inbox") == 2; }, 10min));
    CHECK(h.inbox("dead") == 1);
    CHECK(h.inbox("held") == 1);
}
