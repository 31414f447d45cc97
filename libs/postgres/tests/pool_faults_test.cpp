// The faults of libpqxx 6.4.5 and of networks, each with the test that shows it cannot reach us. Ruled out by construction:
// #512 (savepoints: Transaction has none), prepared statements behind PgBouncer (#229: none are used), two threads on one
// connection (a Transaction is one thread's), API differences to 7.x (driver.cpp alone includes pqxx).
#include "tests/fault_proxy.h"

#include <syncline/postgres/pool.h>
#include <syncline/postgres/testing/database.h>
#include <catch2/catch_test_macros.hpp>
#include <future>

using namespace std::chrono_literals;
using syncline::core::Deadline;
using syncline::core::ErrorKind;
using syncline::core::Result;
using syncline::core::system_clock;
using syncline::postgres::Params;
using syncline::postgres::Pool;
using syncline::postgres::Transaction;
using syncline::postgres::testing::Database;
using syncline::postgres::testing::FaultProxy;

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

std::int64_t backend_pid(Pool& pool) {
    auto rows = pool.exec(soon(), "SELECT pg_backend_pid()");
    REQUIRE(rows.has_value());
    return (*rows)[0].int64(0);
}

void kill_backend(Database& db, std::int64_t pid) {
    db.exec("SELECT pg_terminate_backend($1::int, 5000)", Params{}.add(pid));
}

}  // namespace

// LIBRARY-FAULTS §3, #205: pqxx would reconnect by itself, without statement_timeout and search_path, and run the rest of the
// transaction statement by statement.
TEST_CASE("postgres: a backend killed inside a transaction fails the whole transaction and its connection is thrown away",
          "[postgres]") {
    NEEDS_POSTGRES();
    Database db;
    db.exec("CREATE TABLE t (id int)");
    Pool pool(db.options());
    const auto answer = pool.run(soon(), [&](Transaction& tx) -> Result<void> {
        auto pid = tx.exec("SELECT pg_backend_pid()");
        REQUIRE(pid.has_value());
        CHECK(run_one(tx, "INSERT INTO t VALUES (1)").has_value());
        kill_backend(db, (*pid)[0].int64(0));
        const auto broken = tx.exec("INSERT INTO t VALUES (2)");
        REQUIRE_FALSE(broken.has_value());
        CHECK(broken.error().code == "postgres_unavailable");
        // pqxx alone would succeed here, on a new connection outside any transaction.
        CHECK_FALSE(tx.exec("INSERT INTO t VALUES (3)").has_value());
        return {};
    });
    REQUIRE_FALSE(answer.has_value());
    CHECK(answer.error().kind == ErrorKind::transient);
    CHECK(answer.error().code == "postgres_unavailable");
    CHECK(pool.stats().discarded_total == 1);
    CHECK(db.value("SELECT count(*) FROM t") == "0");
    const auto timeout = pool.exec(soon(60s), "SELECT current_setting('statement_timeout'), current_schema()");
    REQUIRE(timeout.has_value());
    CHECK((*timeout)[0].text(0) == "30s");
    CHECK((*timeout)[0].text(1) == db.schema());
}

TEST_CASE("postgres: a connection that died while it lay idle is replaced before the function runs", "[postgres]") {
    NEEDS_POSTGRES();
    Database db;
    Pool pool(db.options());
    const auto before = backend_pid(pool);
    kill_backend(db, before);
    int runs = 0;
    const auto answer = pool.run(soon(), [&](Transaction& tx) -> Result<void> {
        ++runs;
        return run_one(tx, "SELECT 1");
    });
    CHECK(answer.has_value());
    CHECK(runs == 1);
    CHECK(backend_pid(pool) != before);
}

// LIBRARY-FAULTS §3, "commit cut": in_doubt_error is not a broken_connection.
TEST_CASE("postgres: a backend that dies during COMMIT leaves the outcome in doubt, and says so", "[postgres]") {
    NEEDS_POSTGRES();
    Database db;
    db.exec("CREATE TABLE t (id int)");
    db.exec(
        "CREATE FUNCTION die() RETURNS trigger LANGUAGE plpgsql AS "
        "$$ BEGIN PERFORM pg_terminate_backend(pg_backend_pid()); RETURN NULL; END $$");
    db.exec(
        "CREATE CONSTRAINT TRIGGER at_commit AFTER INSERT ON t DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION "
        "die()");
    const auto answer = db.pool().exec(soon(), "INSERT INTO t VALUES (1)");
    REQUIRE_FALSE(answer.has_value());
    CHECK(answer.error().kind == ErrorKind::unknown_outcome);
    CHECK(answer.error().code == "commit_in_doubt");
    CHECK(db.pool().stats().discarded_total >= 1);
    CHECK(db.pool().ping(soon()).has_value());
}

TEST_CASE("postgres: a commit whose answer is lost is in doubt although it was done", "[postgres]") {
    NEEDS_POSTGRES();
    Database db;
    db.exec("CREATE TABLE t (id int)");
    FaultProxy proxy(Database::url());
    auto options = db.options();
    options.url = proxy.url();
    Pool pool(options);
    REQUIRE(pool.ping(soon()).has_value());
    proxy.lose_answer_to("COMMIT");
    const auto answer = pool.exec(soon(), "INSERT INTO t VALUES (1)");
    REQUIRE_FALSE(answer.has_value());
    CHECK(answer.error().code == "commit_in_doubt");
    CHECK(db.value("SELECT count(*) FROM t") == "1");
}

TEST_CASE("postgres: a server that falls silent is cut off soon after the deadline", "[postgres]") {
    NEEDS_POSTGRES();
    Database db;
    FaultProxy proxy(Database::url());
    auto options = db.options();
    options.url = proxy.url();
    Pool pool(options);
    REQUIRE(pool.ping(soon()).has_value());
    proxy.freeze();
    const auto started = std::chrono::steady_clock::now();
    const auto answer = pool.exec(soon(100ms), "SELECT 1");
    CHECK(std::chrono::steady_clock::now() - started < 10s);
    REQUIRE_FALSE(answer.has_value());
    CHECK(answer.error().kind == ErrorKind::transient);
    CHECK(pool.stats().cut_off_total == 1);
    proxy.thaw();
    CHECK(pool.ping(soon()).has_value());
}

TEST_CASE("postgres: a deadline reached between two statements ends the transaction", "[postgres]") {
    NEEDS_POSTGRES();
    Database db;
    const auto answer = db.pool().run(soon(300ms), [](Transaction& tx) -> Result<void> {
        CHECK(run_one(tx, "SELECT pg_sleep(0.2)").has_value());
        (void)run_one(tx, "SELECT pg_sleep(0.2)");
        return run_one(tx, "SELECT 1");
    });
    REQUIRE_FALSE(answer.has_value());
    CHECK(answer.error().code == "statement_timeout");
}

// LIBRARY-FAULTS §3, #287 and #686: pqxx reports a wrong number of parameters as a broken connection.
TEST_CASE("postgres: a wrong number of parameters is our bug, not a lost connection", "[postgres]") {
    NEEDS_POSTGRES();
    Database db;
    const auto answer = db.pool().exec(soon(), "SELECT $1::text, $2::text", Params{}.add("one"));
    REQUIRE_FALSE(answer.has_value());
    CHECK(answer.error().kind == ErrorKind::bug);
    CHECK(answer.error().code == "postgres_statement");
    CHECK(db.pool().ping(soon()).has_value());
}

TEST_CASE("postgres: a lock held by another is a conflict after lock_timeout", "[postgres]") {
    NEEDS_POSTGRES();
    Database db;
    db.exec("CREATE TABLE t (id int)");
    auto options = db.options();
    options.lock_timeout = 50ms;
    Pool impatient(options);
    const auto outer = db.pool().run(soon(), [&](Transaction& tx) -> Result<void> {
        if (auto locked = run_one(tx, "LOCK TABLE t IN ACCESS EXCLUSIVE MODE"); !locked) {
            return locked;
        }
        const auto answer = impatient.exec(soon(), "SELECT count(*) FROM t");
        REQUIRE_FALSE(answer.has_value());
        CHECK(answer.error().kind == ErrorKind::conflict);
        CHECK(answer.error().code == "lock_timeout");
        return {};
    });
    CHECK(outer.has_value());
}

TEST_CASE("postgres: a rotated url is used by the next connection and idle ones are closed", "[postgres]") {
    NEEDS_POSTGRES();
    Database db;
    Pool pool({.url = "postgresql://nobody@127.0.0.1:1/none"});
    REQUIRE_FALSE(pool.ping(soon()).has_value());
    pool.use_url(Database::url());
    CHECK(pool.ping(soon()).has_value());
    CHECK(pool.stats().open == 1);
    pool.use_url("postgresql://nobody@127.0.0.1:1/none");
    CHECK(pool.stats().open == 0);
    CHECK_FALSE(pool.ping(soon()).has_value());
}

TEST_CASE("postgres: a connection in use while the url is replaced is closed when it comes back", "[postgres]") {
    NEEDS_POSTGRES();
    Database db;
    const std::string other = Database::url() + (Database::url().contains('?') ? "&" : "?") + "application_name=rotated";
    Pool pool({.url = Database::url()});
    const auto name = [&] {
        std::string text;
        REQUIRE(pool.run(soon(),
                         [&](Transaction& tx) -> Result<void> {
                             const auto rows = tx.exec("SHOW application_name");
                             REQUIRE(rows.has_value());
                             text = (*rows)[0].string(0);
                             return {};
                         })
                    .has_value());
        return text;
    };
    REQUIRE(pool.run(soon(),
                     [&](Transaction& tx) -> Result<void> {
                         REQUIRE(tx.exec("SELECT 1").has_value());
                         pool.use_url(other);
                         return {};
                     })
                .has_value());
    CHECK(pool.stats().open == 0);
    CHECK(name() == "rotated");
    CHECK(pool.stats().open == 1);
}

TEST_CASE("postgres: an unknown user or database is no reason to wait for the network", "[postgres]") {
    NEEDS_POSTGRES();
    auto url = Database::url();
    url.replace(url.find("postgres@"), 9, "nosuchuser@");
    Pool pool({.url = url});
    const auto answer = pool.ping(soon());
    REQUIRE_FALSE(answer.has_value());
    CHECK(answer.error().kind == ErrorKind::unauthorized);
}
