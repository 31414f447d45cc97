#include "src/runtime/shared_clock.h"

#include <catch2/catch_test_macros.hpp>

#include <syncline/postgres/testing/database.h>

using namespace syncline;
using namespace syncline::kit;
using namespace std::chrono_literals;
using postgres::testing::Database;

namespace {

#define NEEDS_POSTGRES()                      \
    if (!Database::available()) {             \
        SKIP(std::string(Database::kWhyNot)); \
    }                                         \
    static_assert(true)

core::Deadline soon() {
    return {core::system_clock(), 20s};
}

// The throw-away server runs on this machine.
std::chrono::nanoseconds off(const core::Clock& clock) {
    return std::chrono::abs(clock.now() - core::system_clock().now());
}

}  // namespace

TEST_CASE("shared clock: without a database it is the machine's", "[unit]") {
    core::ManualClock machine;
    SharedClock clock(machine);
    CHECK(clock.now() == machine.now());
    machine.advance(5min);
    CHECK(clock.now() == machine.now());
    CHECK(clock.steady() == machine.steady());
    postgres::Pool nowhere({.url = "postgresql://nobody@127.0.0.1:1/none"});
    CHECK_FALSE(clock.follow(nowhere, soon()));
    CHECK(clock.now() == machine.now());
}

TEST_CASE("shared clock: instances hours apart agree with the database, and with each other", "[kit][postgres]") {
    NEEDS_POSTGRES();
    Database database;
    const auto now = core::system_clock().now();
    core::ManualClock early(now - 7h);
    core::ManualClock late(now + 26h);
    SharedClock one(early);
    SharedClock two(late);
    REQUIRE(one.follow(database.pool(), soon()));
    REQUIRE(two.follow(database.pool(), soon()));
    CHECK(off(one) < 20s);
    CHECK(off(two) < 20s);
    // Only what is now is moved: time goes on as the machine's does.
    const auto before = one.now();
    const auto steady = one.steady();
    early.advance(3s);
    CHECK(one.now() - before == 3s);
    CHECK(one.steady() - steady == 3s);
    // A machine's clock that is set anew is followed at the next look.
    late.advance(2h);
    CHECK(off(two) > 1h);
    REQUIRE(two.follow(database.pool(), soon()));
    CHECK(off(two) < 20s);
    // An outage of the database changes nothing.
    const auto ahead = two.ahead();
    postgres::Pool nowhere({.url = "postgresql://nobody@127.0.0.1:1/none"});
    CHECK_FALSE(two.follow(nowhere, soon()));
    CHECK(two.ahead() == ahead);
}

TEST_CASE("shared clock: a machine that agrees with the database is not moved, nor moved again once it does", "[kit][postgres]") {
    NEEDS_POSTGRES();
    Database database;
    SharedClock same(core::system_clock());
    for (int i = 0; i < 20; ++i) {
        REQUIRE(same.follow(database.pool(), soon()));
        CHECK(same.ahead() == 0ns);
    }
}
