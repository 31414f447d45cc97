#include <syncline/postgres/pool.h>
#include <syncline/postgres/testing/database.h>
#include <atomic>
#include <catch2/catch_test_macros.hpp>
#include <future>
#include <latch>
#include <mutex>
#include <thread>

using namespace std::chrono_literals;
using namespace std::string_literals;
using syncline::core::Deadline;
using syncline::core::ErrorKind;
using syncline::core::Result;
using syncline::core::system_clock;
using syncline::postgres::Isolation;
using syncline::postgres::Params;
using syncline::postgres::Pool;
using syncline::postgres::Transaction;
using syncline::postgres::testing::Database;

namespace {

Deadline soon(std::chrono::milliseconds left = 20s) {
    return {system_clock(), left};
}

#define NEEDS_POSTGRES()                      \
    if (!Database::available()) {             \
        SKIP(std::string(Database::kWhyNot)); \
    }

Result<void> run_one(Transaction& tx, std::string_view sql, const Params& params = {}) {
    auto rows = tx.exec(sql, params);
    if (!rows) {
        return std::unexpected(rows.error());
    }
    return {};
}

}  // namespace

TEST_CASE("postgres: an unreachable server is transient and is found by the deadline", "[postgres]") {
    Pool pool({.url = "postgresql://nobody@127.0.0.1:1/none"});
    const auto answer = pool.exec(soon(), "SELECT 1");
    REQUIRE_FALSE(answer.has_value());
    CHECK(answer.error().kind == ErrorKind::transient);
    CHECK(answer.error().code == "postgres_unavailable");
    CHECK(pool.stats().in_use == 0);
}

TEST_CASE("postgres: a text parameter with a NUL byte is refused clearly and nothing is sent", "[postgres]") {
    NEEDS_POSTGRES();
    Database db;
    db.exec("CREATE TABLE t (v text)");
    const auto answer = db.pool().exec(soon(), "INSERT INTO t VALUES ($1)", Params{}.add("ab\0cd"s));
    REQUIRE_FALSE(answer.has_value());
    CHECK(answer.error().kind == ErrorKind::malformed);
    CHECK(answer.error().code == "nul_byte");
    CHECK(db.value("SELECT count(*) FROM t") == "0");
}

TEST_CASE("postgres: after a failed statement the transaction refuses more and commits nothing", "[postgres]") {
    NEEDS_POSTGRES();
    Database db;
    db.exec("CREATE TABLE t (id bigint PRIMARY KEY)");
    const auto answer = db.pool().run(soon(), [](Transaction& tx) -> Result<void> {
        CHECK(tx.exec("INSERT INTO t VALUES (1)").has_value());
        const auto twice = tx.exec("INSERT INTO t VALUES (1)");
        REQUIRE_FALSE(twice.has_value());
        CHECK(twice.error().kind == ErrorKind::rejected);
        CHECK(twice.error().code == "unique_violation");
        const auto later = tx.exec("INSERT INTO t VALUES (2)");
        REQUIRE_FALSE(later.has_value());
        CHECK(later.error().code == "unique_violation");
        return {};  // The error is swallowed on purpose.
    });
    REQUIRE_FALSE(answer.has_value());
    CHECK(answer.error().code == "unique_violation");
    CHECK(db.value("SELECT count(*) FROM t") == "0");
}

TEST_CASE("postgres: a function that throws rolls back and is a bug", "[postgres]") {
    NEEDS_POSTGRES();
    Database db;
    db.exec("CREATE TABLE t (id bigint)");
    const auto answer = db.pool().run(soon(), [](Transaction& tx) -> Result<void> {
        (void)tx.exec("INSERT INTO t VALUES (1)");
        throw std::runtime_error("secret");
    });
    REQUIRE_FALSE(answer.has_value());
    CHECK(answer.error().kind == ErrorKind::bug);
    CHECK(answer.error().message.find("secret") == std::string::npos);
    CHECK(db.value("SELECT count(*) FROM t") == "0");
}

TEST_CASE("postgres: an error returned by the function rolls back", "[postgres]") {
    NEEDS_POSTGRES();
    Database db;
    db.exec("CREATE TABLE t (id bigint)");
    const auto answer = db.pool().run(soon(), [](Transaction& tx) -> Result<void> {
        (void)tx.exec("INSERT INTO t VALUES (1)");
        return syncline::core::fail(ErrorKind::not_ready, "later", "not now");
    });
    CHECK(answer.error().code == "later");
    CHECK(db.value("SELECT count(*) FROM t") == "0");
}

TEST_CASE("postgres: two serializable transactions that cross end in one commit and one conflict", "[postgres]") {
    NEEDS_POSTGRES();
    Database db;
    db.exec("CREATE TABLE t (id int PRIMARY KEY, n int)");
    db.exec("INSERT INTO t VALUES (1, 0), (2, 0)");
    std::latch both_have_read(2);
    const auto cross = [&](int read, int write) {
        return db.pool().run(soon(),
                             [&](Transaction& tx) -> Result<void> {
                                 if (auto r = run_one(tx, "SELECT n FROM t WHERE id = $1::int", Params{}.add(read)); !r) {
                                     return r;
                                 }
                                 both_have_read.arrive_and_wait();
                                 return run_one(tx, "UPDATE t SET n = n + 1 WHERE id = $1::int", Params{}.add(write));
                             },
                             {.isolation = Isolation::serializable});
    };
    auto other = std::async(std::launch::async, [&] { return cross(1, 2); });
    const auto mine = cross(2, 1);
    const auto theirs = other.get();
    REQUIRE((mine.has_value() != theirs.has_value()));
    const auto& error = mine.has_value() ? theirs.error() : mine.error();
    CHECK(error.kind == ErrorKind::conflict);
    CHECK(error.code == "serialization_failure");
}

TEST_CASE("postgres: a deadlock is a conflict for one of the two", "[postgres]") {
    NEEDS_POSTGRES();
    Database db;
    db.exec("CREATE TABLE t (id int PRIMARY KEY, n int)");
    db.exec("INSERT INTO t VALUES (1, 0), (2, 0)");
    std::latch both_hold_one(2);
    const auto lock_two = [&](int first, int second) {
        return db.pool().run(soon(), [&](Transaction& tx) -> Result<void> {
            if (auto r = run_one(tx, "UPDATE t SET n = 1 WHERE id = $1::int", Params{}.add(first)); !r) {
                return r;
            }
            both_hold_one.arrive_and_wait();
            return run_one(tx, "UPDATE t SET n = 1 WHERE id = $1::int", Params{}.add(second));
        });
    };
    auto other = std::async(std::launch::async, [&] { return lock_two(1, 2); });
    const auto mine = lock_two(2, 1);
    const auto theirs = other.get();
    REQUIRE((mine.has_value() != theirs.has_value()));
    CHECK((mine.has_value() ? theirs.error() : mine.error()).code == "deadlock");
}

TEST_CASE("postgres: a statement that runs longer than the deadline is stopped by the server", "[postgres]") {
    NEEDS_POSTGRES();
    Database db;
    const auto answer = db.pool().exec(soon(200ms), "SELECT pg_sleep(30)");
    REQUIRE_FALSE(answer.has_value());
    CHECK(answer.error().kind == ErrorKind::conflict);
    CHECK(answer.error().code == "statement_timeout");
    // The session is intact and its own limit is back.
    CHECK(db.pool().stats().discarded_total == 0);
    const auto limit = db.pool().exec(soon(60s), "SHOW statement_timeout");
    REQUIRE(limit.has_value());
    CHECK((*limit)[0].text(0) == "30s");
}

TEST_CASE("postgres: no more than connections_max are open and waiters are served in their order", "[postgres]") {
    NEEDS_POSTGRES();
    Database db;
    auto options = db.options();
    options.connections_max = 2;
    Pool pool(options);
    std::latch both_busy(2);
    std::mutex mutex;
    std::vector<int> order;
    std::vector<std::jthread> holders;
    std::vector<std::jthread> waiters;
    // Behind the threads: a test that ends early lets them go before it waits for them.
    std::promise<void> first_may_go;
    std::promise<void> second_may_go;
    for (auto* may_go : {&first_may_go, &second_may_go}) {
        holders.emplace_back([&, release = may_go->get_future().share()] {
            (void)pool.run(soon(), [&](Transaction& tx) -> Result<void> {
                both_busy.count_down();
                release.wait();
                return run_one(tx, "SELECT 1");
            });
        });
    }
    both_busy.wait();

    const auto refused = pool.exec(soon(50ms), "SELECT 1");
    REQUIRE_FALSE(refused.has_value());
    CHECK(refused.error().kind == ErrorKind::transient);
    CHECK(refused.error().code == "postgres_busy");

    // One at a time joins the queue: its place is known before the next one comes.
    for (int i = 0; i < 6; ++i) {
        waiters.emplace_back([&, i] {
            (void)pool.run(soon(), [&](Transaction& tx) -> Result<void> {
                {
                    const std::lock_guard lock(mutex);
                    order.push_back(i);
                }
                return run_one(tx, "SELECT 1");
            });
        });
        const auto limit = std::chrono::steady_clock::now() + 10s;
        while (pool.stats().waiting < i + 1 && std::chrono::steady_clock::now() < limit) {
            std::this_thread::yield();
        }
        REQUIRE(pool.stats().waiting == i + 1);
    }
    // With one connection between them they run one after the other; two would run side by side, in any order.
    first_may_go.set_value();
    waiters.clear();
    second_may_go.set_value();
    holders.clear();
    CHECK(order == std::vector<int>{0, 1, 2, 3, 4, 5});
    CHECK(pool.stats().open <= 2);
    CHECK(pool.stats().opened_total <= 2);
}

TEST_CASE("postgres: the schema is the search path and the session speaks UTC", "[postgres]") {
    NEEDS_POSTGRES();
    Database db;
    db.exec("CREATE TABLE only_here (id int)");
    CHECK(db.value("SELECT schemaname FROM pg_tables WHERE tablename = 'only_here' AND schemaname = current_schema()") ==
          db.schema());
    CHECK(db.value("SHOW TimeZone") == "UTC");
    CHECK(db.value("SHOW application_name") == db.schema());
}

TEST_CASE("postgres: every bytea and every text comes back as it went", "[postgres]") {
    NEEDS_POSTGRES();
    Database db;
    db.exec("CREATE TABLE t (id int, b bytea, s text)");
    std::string all;
    for (int i = 0; i < 256; ++i) {
        all += static_cast<char>(i);
    }
    const std::string text = "quote \" ' backslash \\ brace {} comma , tab \t line \n NULL é 漢 😀";
    db.exec("INSERT INTO t SELECT * FROM unnest($1::int[], $2::bytea[], $3::text[])",
            Params{}
                .add_array(std::vector<std::int32_t>{1, 2, 3})
                .add_bytes_array(std::vector<std::optional<std::string>>{all, "", std::nullopt})
                .add_array(std::vector<std::optional<std::string>>{text, "", std::nullopt}));
    db.exec("INSERT INTO t VALUES (4, $1::bytea, $2)", Params{}.add_bytes(all).add(text));
    const auto rows = db.exec("SELECT b, s FROM t ORDER BY id");
    REQUIRE(rows.size() == 4);
    CHECK(rows[0].bytes(0) == all);
    CHECK(rows[0].text(1) == text);
    CHECK(rows[1].bytes(0).empty());
    CHECK(rows[1].text(1).empty());
    CHECK_FALSE(rows[2].optional_bytes(0).has_value());
    CHECK_FALSE(rows[2].optional_text(1).has_value());
    CHECK(rows[3].bytes(0) == all);
    CHECK(rows[3].text(1) == text);
}

TEST_CASE("postgres: arrays of 100,000 elements and one value of 10 MiB go in one statement", "[postgres]") {
    NEEDS_POSTGRES();
    Database db;
    std::vector<std::int64_t> ids;
    std::vector<std::string> texts;
    for (std::int64_t i = 0; i < 100'000; ++i) {
        ids.push_back(i * 1'000'000'007);
        texts.push_back("text \"" + std::to_string(i) + "\"");
    }
    db.exec("CREATE TABLE t (id bigint PRIMARY KEY, s text)");
    const auto written =
        db.exec("INSERT INTO t SELECT * FROM unnest($1::bigint[], $2::text[])", Params{}.add_array(ids).add_array(texts));
    CHECK(written.affected() == 100'000);
    CHECK(db.value("SELECT s FROM t WHERE id = $1::bigint", Params{}.add(ids.back())) == texts.back());
    const std::string big(std::size_t{10} << 20U, 'x');
    CHECK(db.value("SELECT length($1)", Params{}.add(big)) == std::to_string(big.size()));
}

TEST_CASE("postgres: times come back to the microsecond, null and typed columns as asked", "[postgres]") {
    NEEDS_POSTGRES();
    Database db;
    const syncline::core::SystemTime time{std::chrono::microseconds{1'763'740'000'123'456}};
    const auto rows = db.exec("SELECT $1::timestamptz, $2::timestamptz, true, 42::int, NULL::bigint",
                              Params{}.add(time).add(syncline::core::SystemTime{std::chrono::seconds{1'763'740'000}}));
    REQUIRE(rows.size() == 1);
    CHECK(rows[0].time(0) == time);
    CHECK(rows[0].time(1) == syncline::core::SystemTime{std::chrono::seconds{1'763'740'000}});
    CHECK(rows[0].boolean(2));
    CHECK(rows[0].int32(3) == 42);
    CHECK_FALSE(rows[0].optional_int64(4).has_value());
}

TEST_CASE("postgres: rows outlive their transaction, their connection and their pool", "[postgres]") {
    NEEDS_POSTGRES();
    syncline::postgres::Rows rows;
    {
        Pool pool({.url = Database::url()});
        auto answer = pool.exec(soon(), "SELECT 'kept' UNION ALL SELECT 'too'");
        REQUIRE(answer.has_value());
        rows = std::move(*answer);
    }
    REQUIRE(rows.size() == 2);
    CHECK(rows[0].text(0) == "kept");
}

TEST_CASE("postgres: sixteen threads on four connections lose no update", "[postgres]") {
    NEEDS_POSTGRES();
    Database db;
    auto options = db.options();
    options.connections_max = 4;
    Pool pool(options);
    db.exec("CREATE TABLE t (n bigint)");
    db.exec("INSERT INTO t VALUES (0)");
    std::atomic<int> failed = 0;
    {
        std::vector<std::jthread> threads;
        for (int i = 0; i < 16; ++i) {
            threads.emplace_back([&] {
                for (int round = 0; round < 25; ++round) {
                    failed += pool.exec(soon(), "UPDATE t SET n = n + 1") ? 0 : 1;
                }
            });
        }
    }
    CHECK(failed == 0);
    CHECK(db.value("SELECT n FROM t") == "400");
    CHECK(pool.stats().opened_total <= 4);
    CHECK(pool.stats().in_use == 0);
}
