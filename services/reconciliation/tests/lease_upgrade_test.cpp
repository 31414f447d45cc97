// From the version that kept leases in a table of its own to the one that has them from the kit.
#include <catch2/catch_test_macros.hpp>

#include <syncline/kit/leases.h>
#include <syncline/kit/processor.h>
#include <syncline/postgres/testing/database.h>

#include "adapters/lease_schema.h"

using namespace std::chrono_literals;
using syncline::postgres::testing::Database;
namespace core = syncline::core;

TEST_CASE("reconciliation: who has a lease when the schema is brought up to date keeps its turn and cannot renew it",
          "[reconciliation][postgres]") {
    if (!Database::available()) {
        SKIP(Database::kWhyNot);
    }
    Database database;
    core::ManualClock clock;
    const auto run = [&](std::string_view sql) {
        const auto done = database.pool().run(core::Deadline(core::system_clock(), 30s),
                                              [&](syncline::postgres::Transaction& tx) { return tx.exec_script(sql); });
        if (!done) {
            FAIL(done.error().code << " " << done.error().message);
        }
    };
    for (const auto& migration : syncline::kit::Processor::migrations()) {
        run(migration.sql);
    }
    run(reconciliation::kOwnLeasesSchema);
    run("INSERT INTO leases VALUES ('stock/eu', 'older', now() + interval '30 s'), ('stock/us', 'older', now() - interval '1 "
        "s')");
    run(reconciliation::kKitLeasesSchema);
    CHECK(database.value("SELECT to_regclass('leases') IS NULL") == "t");
    syncline::kit::WorkLeases leases(database.pool(), clock);
    CHECK_FALSE(*leases.take("stock/eu", 60s));
    CHECK(*leases.take("stock/us", 60s));
    CHECK(*leases.take("orders/eu", 60s));
    // The scripts are repeatable: what is there by then stays.
    run(reconciliation::kKitLeasesSchema);
    CHECK(database.value("SELECT count(*) FROM work_leases WHERE owner = $1", syncline::postgres::Params{}.add(leases.owner())) ==
          "2");
}
