// Work of one instance at a time, against the real PostgreSQL: whose clock decides, and what an error means.
#include <catch2/catch_test_macros.hpp>

#include <syncline/kit/leases.h>
#include <syncline/kit/processor.h>
#include <syncline/postgres/testing/database.h>
#include <atomic>
#include <thread>
#include <vector>

#include "tests/fault_proxy.h"

using namespace syncline;
using namespace syncline::kit;
using namespace std::chrono_literals;
using postgres::testing::Database;

namespace {

// The kit's tables, and two instances whose own clocks are hours off, in both directions.
struct Rig {
    Database database;
    core::ManualClock ahead{core::system_clock().now() + 7h};
    core::ManualClock behind{core::system_clock().now() - 5h};
    WorkLeases one{database.pool(), behind};
    WorkLeases two{database.pool(), ahead};

    Rig() {
        const auto made = database.pool().run(core::Deadline(core::system_clock(), 30s), [](postgres::Transaction& tx) {
            for (const auto& migration : Processor::migrations()) {
                if (auto done = tx.exec_script(migration.sql); !done) {
                    return done;
                }
            }
            return core::Result<void>{};
        });
        REQUIRE(made);
    }
    [[nodiscard]] std::string owner_of(const std::string& name) {
        return database.value("SELECT coalesce((SELECT owner FROM work_leases WHERE name = $1), '')",
                              postgres::Params{}.add(name));
    }
};

#define NEEDS_POSTGRES()                      \
    if (!Database::available()) {             \
        SKIP(std::string(Database::kWhyNot)); \
    }                                         \
    static_assert(true)

}  // namespace

TEST_CASE("work leases: one owner at a time, whatever the clocks of the instances say", "[kit][postgres]") {
    NEEDS_POSTGRES();
    Rig rig;
    CHECK(rig.one.owner() != rig.two.owner());
    CHECK(*rig.one.take("stock/eu", 60s));
    CHECK_FALSE(*rig.two.take("stock/eu", 60s));
    CHECK(*rig.two.take("stock/us", 60s));
    CHECK(*rig.one.take("stock/eu", 60s));
    // A minute and a day pass for the instances, not for the database.
    rig.ahead.advance(24h);
    rig.behind.advance(24h);
    CHECK_FALSE(*rig.two.take("stock/eu", 60s));
    CHECK_FALSE(*rig.one.take("stock/us", 60s));
    CHECK(rig.owner_of("stock/eu") == rig.one.owner());
    // It ends as long after the database's now as was asked for.
    CHECK(rig.database.value("SELECT until BETWEEN clock_timestamp() + interval '30 seconds' AND clock_timestamp() + interval "
                             "'60 seconds' FROM work_leases WHERE name = 'stock/us'") == "t");
}

TEST_CASE("work leases: one that has run out by the database's clock is the next one's, who gets a whole one",
          "[kit][postgres]") {
    NEEDS_POSTGRES();
    Rig rig;
    REQUIRE(*rig.one.take("stock/eu", 300ms));
    // Both clocks stand still: only the database's goes on.
    const core::Deadline limit(core::system_clock(), 20s);
    while (!rig.two.try_take("stock/eu", 60s)) {
        REQUIRE_FALSE(limit.passed());
    }
    CHECK_FALSE(*rig.one.take("stock/eu", 60s));
    CHECK(rig.owner_of("stock/eu") == rig.two.owner());
    // Renewing makes it longer, from now.
    rig.database.exec("UPDATE work_leases SET until = clock_timestamp() + interval '1 second'");
    CHECK(*rig.two.take("stock/eu", 60s));
    CHECK(rig.database.value("SELECT until > clock_timestamp() + interval '30 seconds' FROM work_leases") == "t");
    // Who comes back late takes its own again, even if it ran out.
    rig.database.exec("UPDATE work_leases SET until = clock_timestamp() - interval '1 second'");
    CHECK(*rig.two.take("stock/eu", 60s));
}

TEST_CASE("work leases: a release by who does not have it changes nothing", "[kit][postgres]") {
    NEEDS_POSTGRES();
    Rig rig;
    REQUIRE(*rig.one.take("stock/eu", 60s));
    const auto row = "SELECT row(l.*)::text FROM work_leases l WHERE name = 'stock/eu'";
    const auto before = rig.database.value(row);
    rig.two.release("stock/eu");
    rig.two.release("stock/us");
    CHECK(rig.database.value(row) == before);
    CHECK_FALSE(*rig.two.take("stock/eu", 60s));
    // Not even the former owner's, once another has it.
    rig.database.exec("UPDATE work_leases SET until = clock_timestamp() - interval '1 second'");
    REQUIRE(*rig.two.take("stock/eu", 60s));
    rig.one.release("stock/eu");
    CHECK(rig.owner_of("stock/eu") == rig.two.owner());
    rig.two.release("stock/eu");
    CHECK(rig.owner_of("stock/eu").empty());
    CHECK(*rig.one.take("stock/eu", 60s));
}

TEST_CASE("work leases: a lost connection is an error, never a grant", "[kit][postgres]") {
    NEEDS_POSTGRES();
    Rig rig;
    postgres::testing::FaultProxy proxy(Database::url());
    auto options = rig.database.options();
    options.url = proxy.url();
    options.connections_max = 1;
    postgres::Pool pool(options);
    WorkLeases far(pool, rig.ahead);
    REQUIRE(*far.take("stock/us", 60s));

    // The question arrives, the transaction ends with the connection: nothing was taken.
    proxy.lose_answer_to("work_leases");
    const auto lost = far.take("stock/eu", 60s);
    REQUIRE_FALSE(lost);
    CHECK(lost.error().kind == core::ErrorKind::transient);
    CHECK(rig.owner_of("stock/eu").empty());

    // The row is written and only the answer is lost: the owner may take it again, nobody else may.
    proxy.lose_answer_to("COMMIT");
    const auto in_doubt = far.take("stock/eu", 60s);
    REQUIRE_FALSE(in_doubt);
    CHECK(in_doubt.error().kind == core::ErrorKind::unknown_outcome);
    CHECK(rig.owner_of("stock/eu") == far.owner());
    CHECK_FALSE(*rig.one.take("stock/eu", 60s));
    CHECK(*far.take("stock/eu", 60s));

    // And while it is renewed: an error, whatever is left of it.
    proxy.lose_answer_to("work_leases");
    CHECK_FALSE(far.try_take("stock/eu", 60s));
}

TEST_CASE("work leases: many at once make one owner", "[kit][postgres]") {
    NEEDS_POSTGRES();
    Rig rig;
    for (int round = 0; round < 20; ++round) {
        const auto name = "round/" + std::to_string(round);
        std::atomic<int> granted = 0;
        std::vector<std::thread> threads;
        threads.reserve(4);
        for (int i = 0; i < 4; ++i) {
            threads.emplace_back([&] {
                WorkLeases leases(rig.database.pool(), rig.ahead);
                granted += leases.try_take(name, 60s) ? 1 : 0;
            });
        }
        for (auto& thread : threads) {
            thread.join();
        }
        CHECK(granted == 1);
    }
}
