#include <syncline/postgres/migrations.h>
#include <syncline/postgres/testing/database.h>
#include <catch2/catch_test_macros.hpp>
#include <future>

using namespace std::chrono_literals;
using syncline::core::Deadline;
using syncline::core::ErrorKind;
using syncline::core::system_clock;
using syncline::postgres::migrate;
using syncline::postgres::Migration;
using syncline::postgres::pending_migrations;
using syncline::postgres::Pool;
using syncline::postgres::testing::Database;
using Names = std::vector<std::string>;

namespace {

Deadline soon() {
    return {system_clock(), 30s};
}

#define NEEDS_POSTGRES()                      \
    if (!Database::available()) {             \
        SKIP(std::string(Database::kWhyNot)); \
    }

const std::vector<Migration> kTwo{{"0001_t", "CREATE TABLE t (id int); INSERT INTO t VALUES (1);"},
                                  {"0002_n", "ALTER TABLE t ADD COLUMN n int NOT NULL DEFAULT 7"}};

}  // namespace

TEST_CASE("postgres: a migration whose text was changed after it ran is refused by name and nothing runs", "[postgres]") {
    NEEDS_POSTGRES();
    Database db;
    REQUIRE(migrate(db.pool(), soon(), std::span(kTwo).first(1)).has_value());
    const std::vector<Migration> changed{{"0001_t", "CREATE TABLE t (id bigint)"}, kTwo[1]};
    const auto answer = migrate(db.pool(), soon(), changed);
    REQUIRE_FALSE(answer.has_value());
    CHECK(answer.error().kind == ErrorKind::bug);
    CHECK(answer.error().code == "migration_changed");
    CHECK(answer.error().message.find("0001_t") != std::string::npos);
    CHECK(db.value("SELECT count(*) FROM schema_migrations") == "1");
    CHECK_FALSE(pending_migrations(db.pool(), soon(), changed).has_value());
}

TEST_CASE("postgres: a schema with migrations of a newer program is refused, naming them and what to do, and nothing runs",
          "[postgres]") {
    NEEDS_POSTGRES();
    Database db;
    const std::vector<Migration> newer{kTwo[0], {"0007_later", "ALTER TABLE t ADD COLUMN later int"}, {"0008_last", "SELECT 1"}};
    REQUIRE(migrate(db.pool(), soon(), newer).has_value());
    // 0002_n is pending for the older program: it must not be added below what it does not know.
    for (const auto& answer : {migrate(db.pool(), soon(), kTwo), pending_migrations(db.pool(), soon(), kTwo)}) {
        REQUIRE_FALSE(answer.has_value());
        CHECK(answer.error().kind == ErrorKind::rejected);
        CHECK(answer.error().code == "schema_newer");
        CHECK(answer.error().message.find("0007_later, 0008_last") != std::string::npos);
        CHECK(answer.error().message.find("knows is 0002_n") != std::string::npos);
        CHECK(answer.error().hint.find("restore the backup") != std::string::npos);
    }
    CHECK(db.value("SELECT count(*) FROM schema_migrations") == "3");
    CHECK(
        db.value("SELECT count(*) FROM information_schema.columns WHERE table_schema = current_schema() AND column_name = 'n'") ==
        "0");
    CHECK(migrate(db.pool(), soon(), newer).value().empty());
}

TEST_CASE("postgres: a migration that fails leaves nothing of itself and names itself", "[postgres]") {
    NEEDS_POSTGRES();
    Database db;
    const std::vector<Migration> broken{kTwo[0], {"0002_bad", "CREATE TABLE half (id int); SELECT no_such_function()"}};
    const auto answer = migrate(db.pool(), soon(), broken);
    REQUIRE_FALSE(answer.has_value());
    CHECK(answer.error().code == "migration_failed");
    CHECK(answer.error().message.find("0002_bad") != std::string::npos);
    CHECK(db.value("SELECT to_regclass('half') IS NULL") == "t");
    CHECK(db.value("SELECT string_agg(name, ',') FROM schema_migrations") == "0001_t");
}

TEST_CASE("postgres: migrations run once, in order, also when asked again", "[postgres]") {
    NEEDS_POSTGRES();
    Database db;
    CHECK(pending_migrations(db.pool(), soon(), kTwo).value() == Names{"0001_t", "0002_n"});
    CHECK(migrate(db.pool(), soon(), kTwo).value() == Names{"0001_t", "0002_n"});
    CHECK(pending_migrations(db.pool(), soon(), kTwo).value().empty());
    CHECK(migrate(db.pool(), soon(), kTwo).value().empty());
    CHECK(db.value("SELECT id || '/' || n FROM t") == "1/7");
}

TEST_CASE("postgres: a schema that does not exist is made by the first migration", "[postgres]") {
    NEEDS_POSTGRES();
    Database db;
    auto options = db.options();
    options.schema = db.schema() + "_new";
    Pool pool(options);
    CHECK(migrate(pool, soon(), kTwo).value().size() == 2);
    db.exec("DROP SCHEMA " + options.schema + " CASCADE");
}

TEST_CASE("postgres: eight instances that start at once run each migration once", "[postgres]") {
    NEEDS_POSTGRES();
    Database db;
    auto options = db.options();
    options.schema = db.schema() + "_many";
    std::vector<std::future<syncline::core::Result<Names>>> starts;
    for (int i = 0; i < 8; ++i) {
        starts.push_back(std::async(std::launch::async, [&] {
            Pool pool(options);
            return migrate(pool, soon(), kTwo);
        }));
    }
    std::size_t ran = 0;
    for (auto& start : starts) {
        const auto names = start.get();
        REQUIRE(names.has_value());
        ran += names->size();
    }
    CHECK(ran == 2);
    CHECK(db.value("SELECT count(*) FROM " + options.schema + ".t") == "1");
    db.exec("DROP SCHEMA " + options.schema + " CASCADE");
}
