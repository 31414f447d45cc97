// What goes wrong around batches: databases that go away, owners that come back, records that kill, retention.
#include <catch2/catch_test_macros.hpp>

#include <algorithm>
#include <mutex>

#include "src/store/rows.h"
#include "tests/batch/fixtures.h"
#include "tests/fault_proxy.h"
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

namespace {

HarnessOptions stock(BatchHandler handler, int partitions = 4) {
    return {.partitions = partitions, .migrations = {kStockTable}, .batches = {std::move(handler)}};
}

void publish(Harness& h, std::int64_t from, std::int64_t to) {
    for (auto n = from; n < to; ++n) {
        h.publish(kInventory, stock_key(n), report(n, n));
    }
}

std::int64_t rows(Harness& h) {
    return h.count("SELECT count(*) FROM stock");
}
std::int64_t wrong(Harness& h) {
    return h.count("SELECT count(*) FROM stock WHERE applied <> 1");
}

core::Result<BatchOutcome> good() {
    return BatchOutcome{};
}

postgres::Params group_param() {
    return postgres::Params{}.add(store::group_number(kStockGroup));
}

}  // namespace

TEST_CASE("batch: without PostgreSQL partitions pause, nothing is dead-lettered, and it goes on by itself", "[kit][postgres]") {
    NEEDS_POSTGRES();
    Harness h(stock(on_stock()));
    const std::string role = "away_" + h.database().schema();
    h.database().exec("CREATE ROLE " + role + " LOGIN SUPERUSER");
    auto url = postgres::testing::Database::url();
    url.replace(url.find("postgres@"), 8, role);
    auto member = h.join(std::nullopt, url);
    publish(h, 0, 200);
    REQUIRE(h.eventually([&] { return rows(h) == 200; }));
    h.database().exec("ALTER ROLE " + role + " NOLOGIN");
    h.database().exec("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = $1", postgres::Params{}.add(role));
    publish(h, 200, 3'000);
    REQUIRE(h.eventually([&] { return !member->processor->figures().postgres_available; }));
    CHECK_FALSE(member->processor->ready().has_value());
    CHECK(member->processor->alive(1h).has_value());
    CHECK(h.eventually([&] { return h.broker().all_paused(kStockGroup); }));
    CHECK(rows(h) == 200);
    h.database().exec("ALTER ROLE " + role + " LOGIN");
    REQUIRE(h.eventually([&] { return rows(h) == 3'000; }, 20s));
    CHECK(wrong(h) == 0);
    CHECK(h.count("SELECT count(*) FROM dead_letters") == 0);
    CHECK(member->processor->ready().has_value());
    member->drain();
    member.reset();
    h.database().exec("DROP ROLE " + role);
}

TEST_CASE("batch: a member that cannot read its positions reads nothing, and begins there when it can", "[kit][postgres]") {
    NEEDS_POSTGRES();
    Harness h(stock(on_stock(), 1));
    publish(h, 0, 100);
    h.start();
    REQUIRE(h.settle());
    h.stop();
    const std::string role = "late_" + h.database().schema();
    h.database().exec("CREATE ROLE " + role + " NOLOGIN SUPERUSER");
    auto url = postgres::testing::Database::url();
    url.replace(url.find("postgres@"), 8, role);
    h.broker().set_committed(kStockGroup, {kInventory, 0, 0});
    auto member = h.join(std::nullopt, url);
    publish(h, 100, 120);
    REQUIRE(h.eventually([&] { return !member->processor->figures().postgres_available; }));
    CHECK(member->processor->figures().partitions == 0);
    h.database().exec("ALTER ROLE " + role + " LOGIN");
    REQUIRE(h.eventually([&] { return rows(h) == 120; }, 20s));
    CHECK(wrong(h) == 0);
    member->drain();
    member.reset();
    h.database().exec("DROP ROLE " + role);
}

TEST_CASE("batch: a quarrel inside PostgreSQL is tried again and is nobody's dead letter", "[kit]") {
    NEEDS_POSTGRES();
    std::atomic<int> calls = 0;
    Harness h(stock(on_stock([&](auto) -> core::Result<BatchOutcome> {
                        if (++calls <= 3) {
                            return core::fail(ErrorKind::conflict, "deadlock", "made by the test");
                        }
                        return good();
                    }),
                    1));
    publish(h, 0, 50);
    h.start();
    REQUIRE(h.settle());
    CHECK(rows(h) == 50);
    CHECK(wrong(h) == 0);
    CHECK(h.count("SELECT count(*) FROM dead_letters") == 0);
}

TEST_CASE("batch: a commit that was lost is written again, once", "[kit][postgres]") {
    NEEDS_POSTGRES();
    Harness h(stock(on_stock(), 1));
    // The first commit that touches the table dies with its backend: its outcome is in doubt, and it was not done.
    h.database().exec("CREATE SEQUENCE deaths");
    h.database().exec(
        "CREATE FUNCTION die() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN IF nextval('deaths') = 1 THEN "
        "PERFORM pg_terminate_backend(pg_backend_pid()); END IF; RETURN NULL; END $$");
    h.database().exec(
        "CREATE CONSTRAINT TRIGGER at_commit AFTER INSERT ON stock DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION "
        "die()");
    publish(h, 0, 30);
    h.start();
    REQUIRE(h.settle());
    CHECK(h.count("SELECT last_value FROM deaths") > 1);
    CHECK(rows(h) == 30);
    CHECK(wrong(h) == 0);
    CHECK(h.count("SELECT count(*) FROM dead_letters") == 0);
}

TEST_CASE("batch: a commit whose answer was lost counts, and nothing is written twice", "[kit][postgres]") {
    NEEDS_POSTGRES();
    postgres::testing::FaultProxy proxy(postgres::testing::Database::url());
    std::atomic<bool> first = true;
    Harness h(stock(on_stock([&](auto) {
                        if (first.exchange(false)) {
                            // Armed inside the transaction, so that it is this COMMIT whose answer is lost.
                            proxy.lose_answer_to("COMMIT");
                        }
                        return good();
                    }),
                    1));
    publish(h, 0, 30);
    auto member = h.join(std::nullopt, proxy.url());
    REQUIRE(h.eventually([&] { return rows(h) == 30 && h.count("SELECT next_offset FROM batch_offsets") == 30; }));
    publish(h, 30, 60);
    REQUIRE(h.eventually([&] { return rows(h) == 60; }, 40s));
    CHECK(wrong(h) == 0);
    CHECK(h.count("SELECT count(*) FROM dead_letters") == 0);
    CHECK(metric_of(member->metrics(), "syncline_batches_total", {R"(outcome="dropped")"}) == 0);
    member->drain();
}

TEST_CASE("batch: partitions move to a new member in the middle, and every record counts once", "[kit]") {
    NEEDS_POSTGRES();
    Harness h(stock(on_stock(nullptr, 300)));
    publish(h, 0, 6'000);
    h.start();
    REQUIRE(h.eventually([&] { return rows(h) > 500; }));
    auto other = h.join();
    publish(h, 6'000, 9'000);
    REQUIRE(h.eventually([&] { return other->processor->figures().partitions == 2; }));
    publish(h, 9'000, 10'000);
    REQUIRE(h.eventually([&] { return rows(h) == 10'000; }));
    CHECK(h.member().drain());
    publish(h, 10'000, 10'500);
    REQUIRE(h.eventually([&] { return rows(h) == 10'500; }));
    CHECK(wrong(h) == 0);
    CHECK(h.count("SELECT count(*) FROM dead_letters") == 0);
    CHECK(h.count("SELECT sum(next_offset) FROM batch_offsets") == 10'500);
    other->drain();
}

TEST_CASE("batch: an owner that was stopped and wakes up again settles nothing twice", "[kit]") {
    NEEDS_POSTGRES();
    Gate gate;
    std::atomic<bool> gated = true;
    Harness h(stock(on_stock(
                        [&](auto) {
                            if (gated) {
                                gate.pass();
                            }
                            return good();
                        },
                        100),
                    1));
    gate.close();
    publish(h, 0, 150);
    h.start();
    // It holds a batch inside its transaction, and further records in memory.
    REQUIRE(h.eventually([&] { return gate.waiting() == 1; }));
    publish(h, 150, 1'000);
    REQUIRE(h.eventually([&] { return h.member().processor->figures().in_flight_records > 150; }));
    h.member().freeze();
    auto other = h.join();
    REQUIRE(h.eventually([&] { return other->processor->figures().partitions == 1; }));
    gated = false;
    gate.open();
    // Both go on from what they read: of each range one of them wins, the other drops its batch and reads the offset again.
    REQUIRE(h.eventually([&] { return rows(h) == 1'000; }));
    CHECK(wrong(h) == 0);
    CHECK(h.count("SELECT next_offset FROM batch_offsets") == 1'000);
    const auto dropped = [](Harness::Member& member) {
        return metric_of(member.metrics(), "syncline_batches_total", {R"(outcome="dropped")"});
    };
    CHECK(dropped(h.member()) + dropped(*other) > 0);
    CHECK(h.count("SELECT count(*) FROM dead_letters") == 0);
    h.member().thaw();
    publish(h, 1'000, 1'100);
    REQUIRE(h.eventually([&] { return rows(h) == 1'100; }));
    CHECK(wrong(h) == 0);
    other->drain();
}

TEST_CASE("batch: who finds the offset further on leaves out what another has settled", "[kit]") {
    NEEDS_POSTGRES();
    Harness h(stock(on_stock(nullptr, 50), 1));
    h.start();
    publish(h, 0, 100);
    REQUIRE(h.settle());
    // As another owner would: it has settled 100 to 149.
    h.database().exec("UPDATE batch_offsets SET next_offset = 150");
    publish(h, 100, 200);
    REQUIRE(h.settle());
    CHECK(rows(h) == 150);
    CHECK(h.count("SELECT count(*) FROM stock WHERE quantity >= 100 AND quantity < 150") == 0);
    CHECK(h.count("SELECT next_offset FROM batch_offsets") == 200);
    CHECK(h.member().processor->alive(1h).has_value());
    CHECK(metric_of(h.member().metrics(), "syncline_batches_total", {R"(outcome="dropped")"}) == 1);
}

TEST_CASE("batch: an offset that a person sets back ends the process, which begins there again", "[kit]") {
    NEEDS_POSTGRES();
    Harness h(stock(on_stock(), 1));
    h.start();
    publish(h, 0, 100);
    REQUIRE(h.settle());
    h.database().exec("UPDATE batch_offsets SET next_offset = 40");
    publish(h, 100, 110);
    REQUIRE(h.eventually([&] { return !h.member().processor->alive(1h).has_value(); }));
    CHECK(h.member().processor->alive(1h).error().code == "position_moved_back");
    CHECK(rows(h) == 100);
    h.stop();
    h.start();
    REQUIRE(h.settle());
    CHECK(rows(h) == 110);
    CHECK(h.count("SELECT count(*) FROM stock WHERE applied = 2") == 60);
}

TEST_CASE("batch: a position that retention has taken stands still until a person decides", "[kit]") {
    NEEDS_POSTGRES();
    Harness h(stock(on_stock(), 1));
    publish(h, 0, 100);
    h.start();
    REQUIRE(h.settle());
    h.stop();
    publish(h, 100, 200);
    h.broker().trim({kInventory, 0}, 150);
    h.start();
    REQUIRE(h.eventually([&] { return !h.member().processor->ready().has_value(); }));
    CHECK(h.member().processor->ready().error().code == "position_lost");
    CHECK(h.member().processor->ready().error().hint.find("batch_offsets") != std::string::npos);
    CHECK(rows(h) == 100);
    h.stop();
    h.database().exec("UPDATE batch_offsets SET next_offset = 150");
    h.start();
    REQUIRE(h.settle());
    CHECK(rows(h) == 150);
    CHECK(h.member().processor->ready().has_value());
}

TEST_CASE("batch: after an unclean stop what may have killed the process goes in small steps", "[kit]") {
    NEEDS_POSTGRES();
    std::mutex mutex;
    std::vector<std::size_t> sizes;
    Harness h(stock(on_stock([&](auto records) {
                        const std::lock_guard lock(mutex);
                        sizes.push_back(records.size());
                        return good();
                    }),
                    1));
    publish(h, 0, 1'000);
    h.database().exec("INSERT INTO partition_markers VALUES ($1, 'inventory.v1', 0, 0, 640, false)", group_param());
    h.start();
    REQUIRE(h.settle());
    CHECK(rows(h) == 1'000);
    CHECK(wrong(h) == 0);
    std::size_t sum = 0;
    for (const auto size : sizes) {
        CHECK((sum >= 640 || size <= 8));
        sum += size;
    }
    CHECK(sum == 1'000);
    CHECK(h.count("SELECT count(*) FROM poison_tries") == 0);
    CHECK(h.count("SELECT recorded_end FROM partition_markers") == 6'000);
    h.stop();
    CHECK(h.count("SELECT count(*) FROM partition_markers WHERE clean") == 1);
}

TEST_CASE("batch: a record that killed the process three times alone is a dead letter, its neighbours count", "[kit]") {
    NEEDS_POSTGRES();
    std::atomic<int> killer_calls = 0;
    Harness h(stock(on_stock([&](auto records) {
                        for (const auto& record : records) {
                            killer_calls += quantity_of(record) == 7 ? 1 : 0;
                        }
                        return good();
                    }),
                    1));
    publish(h, 0, 200);
    // What three deaths leave behind: a narrow range, and the count of its record that was begun alone.
    h.database().exec("INSERT INTO partition_markers VALUES ($1, 'inventory.v1', 0, 0, 20, false)", group_param());
    h.database().exec("INSERT INTO poison_tries VALUES ($1, 'inventory.v1', 0, 7, 3)", group_param());
    h.start();
    REQUIRE(h.settle());
    CHECK(killer_calls == 0);
    CHECK(rows(h) == 199);
    CHECK(wrong(h) == 0);
    REQUIRE(h.dead_letters().size() == 1);
    CHECK(header_value(h.dead_letters().front().headers, "syncline-error-code") == "process_died");
    CHECK(header_value(h.dead_letters().front().headers, "syncline-origin-offset") == "7");
    CHECK(h.count("SELECT count(*) FROM poison_tries") == 0);
}

TEST_CASE("batch: what is read ahead is bounded, and a slow partition does not keep the others", "[kit]") {
    NEEDS_POSTGRES();
    Gate gate;
    gate.close();
    Harness h(stock(on_stock(
                        [&](auto records) {
                            if (records.front().headers.partition == 0) {
                                gate.pass();
                            }
                            return good();
                        },
                        100),
                    2));
    h.start();
    publish(h, 0, 8'000);
    std::int64_t quick = 0;
    for (std::int64_t n = 0; n < 8'000; ++n) {
        quick += h.broker().partition_of(stock_key(n)) == 1 ? 1 : 0;
    }
    REQUIRE(h.eventually([&] { return rows(h) == quick; }));
    CHECK(h.member().processor->figures().in_flight_records < 100 * 3 + 400);
    CHECK(h.member().processor->figures().paused);
    gate.open();
    REQUIRE(h.settle());
    CHECK(rows(h) == 8'000);
    CHECK(wrong(h) == 0);
    CHECK_FALSE(h.member().processor->figures().paused);
}
