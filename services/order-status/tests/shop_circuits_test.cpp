#include "app/shop_circuits.h"

#include <catch2/catch_test_macros.hpp>

#include <atomic>
#include <optional>
#include <thread>

using namespace order_status;
using namespace std::chrono_literals;
using core::ErrorKind;

namespace {

struct Rig {
    core::ManualClock clock;
    std::map<std::string, bool> told;
    ShopCircuits circuits{clock,
                          {.calls_max = 6},
                          [] { return 0.5; },
                          [this](const std::string& shop, bool open) {
                              told[shop] = open;
                          }};

    // What a call of that order came back with; nullopt when it was not let through.
    std::optional<core::Error> call(const std::string& shop, const std::string& order, std::optional<ErrorKind> answer,
                                    std::chrono::milliseconds retry_after = 0ms) {
        auto turn = circuits.enter(shop, order, now());
        if (!turn) {
            turned_away = turn.error();
            return std::nullopt;
        }
        core::Error error{.kind = answer.value_or(ErrorKind::bug), .code = "code", .retry_after = retry_after};
        if (answer) {
            turn->failed(error);
        } else {
            turn->answered();
        }
        return error;
    }
    core::Deadline now() { return core::Deadline(clock, 0s); }
    core::Error turned_away{};
};

}  // namespace

TEST_CASE("order-status: a shop is away after five different orders, and the other shop is not", "[unit]") {
    Rig rig;
    for (int i = 0; i < 9; ++i) {
        CHECK(rig.call("eu", "eu/1", ErrorKind::transient));
    }
    CHECK_FALSE(rig.circuits.open("eu"));
    for (int i = 2; i <= 5; ++i) {
        CHECK(rig.call("eu", "eu/" + std::to_string(i), ErrorKind::transient));
    }
    CHECK(rig.circuits.open("eu"));
    CHECK(rig.told.at("eu"));
    CHECK_FALSE(rig.call("eu", "eu/9", std::nullopt));
    CHECK(rig.turned_away.kind == ErrorKind::transient);
    CHECK(rig.turned_away.code == "shop_away");
    CHECK(rig.turned_away.retry_after > 0ms);
    CHECK(rig.call("us", "us/9", std::nullopt));
    CHECK_FALSE(rig.circuits.open("us"));
}

TEST_CASE("order-status: an answer between the failures keeps the circuit closed, whatever it says", "[unit]") {
    Rig rig;
    for (int i = 0; i < 20; ++i) {
        (void)rig.call("eu", "eu/" + std::to_string(i), i % 4 == 3 ? ErrorKind::rejected : ErrorKind::transient);
    }
    CHECK_FALSE(rig.circuits.open("eu"));
}

TEST_CASE("order-status: a refused token and a request for patience open at once, for as long as asked", "[unit]") {
    for (const auto kind : {ErrorKind::unauthorized, ErrorKind::throttled}) {
        Rig rig;
        const auto error = rig.call("eu", "eu/1", kind, 30s);
        REQUIRE(error);
        CHECK(error->retry_after >= 30s);
        CHECK_FALSE(rig.call("eu", "eu/2", std::nullopt));
        rig.clock.advance(29s);
        CHECK_FALSE(rig.call("eu", "eu/2", std::nullopt));
        rig.clock.advance(2s);
        CHECK(rig.call("eu", "eu/2", std::nullopt));
        CHECK_FALSE(rig.circuits.open("eu"));
        CHECK_FALSE(rig.told.at("eu"));
    }
}

TEST_CASE("order-status: one order at a time finds out whether the shop is back, more and more seldom", "[unit]") {
    Rig rig;
    REQUIRE(rig.call("eu", "eu/1", ErrorKind::unauthorized));
    rig.clock.advance(2s);
    {
        auto trial = rig.circuits.enter("eu", "eu/1", rig.now());
        REQUIRE(trial);
        CHECK_FALSE(rig.circuits.enter("eu", "eu/2", rig.now()));
        core::Error error{.kind = ErrorKind::transient, .code = "code"};
        trial->failed(error);
    }
    CHECK_FALSE(rig.circuits.enter("eu", "eu/2", rig.now()));
    int trials = 0;
    for (int second = 0; second < 600; ++second) {
        rig.clock.advance(1s);
        trials += rig.call("eu", "eu/3", ErrorKind::transient) ? 1 : 0;
    }
    CHECK(trials > 8);
    CHECK(trials < 20);
    rig.clock.advance(61s);
    {
        // A trial that asked nobody leaves the next one to another order, at once.
        CHECK(rig.circuits.enter("eu", "eu/4", rig.now()));
    }
    CHECK(rig.call("eu", "eu/5", std::nullopt));
    CHECK_FALSE(rig.circuits.open("eu"));
}

TEST_CASE("order-status: after a long outage those turned away come back within five minutes", "[unit]") {
    Rig rig;
    REQUIRE(rig.call("eu", "eu/1", ErrorKind::unauthorized));
    rig.clock.advance(24h);
    (void)rig.call("eu", "eu/1", ErrorKind::unauthorized);
    CHECK_FALSE(rig.call("eu", "eu/2", std::nullopt));
    CHECK(rig.turned_away.retry_after <= 5min);
    CHECK(rig.turned_away.retry_after > 1min);
}

TEST_CASE("order-status: a lost answer neither opens nor closes", "[unit]") {
    Rig rig;
    for (int i = 0; i < 20; ++i) {
        const auto error = rig.call("eu", "eu/" + std::to_string(i), ErrorKind::unknown_outcome);
        REQUIRE(error);
        CHECK(error->retry_after == 0ms);
    }
    CHECK_FALSE(rig.circuits.open("eu"));
    REQUIRE(rig.call("eu", "eu/1", ErrorKind::unauthorized));
    rig.clock.advance(2s);
    REQUIRE(rig.call("eu", "eu/1", ErrorKind::unknown_outcome));
    CHECK(rig.circuits.open("eu"));
}

TEST_CASE("order-status: a slow shop takes no more than its part of the handlers", "[unit]") {
    Rig rig;
    std::vector<core::Result<ShopCircuits::Turn>> turns;
    for (int i = 0; i < 6; ++i) {
        turns.push_back(rig.circuits.enter("eu", "eu/" + std::to_string(i), rig.now()));
        REQUIRE(turns.back());
    }
    const auto seventh = rig.circuits.enter("eu", "eu/7", rig.now());
    REQUIRE_FALSE(seventh);
    CHECK(seventh.error().code == "shop_busy");
    CHECK(seventh.error().retry_after > 0ms);
    CHECK(rig.circuits.enter("us", "us/7", rig.now()));
    turns.front()->answered();
    CHECK(rig.circuits.enter("eu", "eu/7", rig.now()));
}

TEST_CASE("order-status: who waits for a slow shop has its turn when another leaves, or when the shop turns out to be away",
          "[unit]") {
    core::ManualClock clock;
    ShopCircuits circuits(clock, {.calls_max = 1}, [] { return 0.5; }, [](const std::string&, bool) {});
    const core::Deadline later(clock, 1h);
    for (const bool away : {false, true}) {
        auto first = circuits.enter("eu", "eu/1", later);
        REQUIRE(first);
        std::atomic<bool> came = false;
        std::string code;
        std::thread second([&] {
            auto turn = circuits.enter("eu", "eu/2", later);
            if (turn) {
                turn->answered();
            } else {
                code = turn.error().code;
            }
            came = true;
        });
        core::system_clock().sleep_for(20ms);
        CHECK_FALSE(came);
        core::Error error{.kind = ErrorKind::unauthorized, .code = "token_refused"};
        if (away) {
            first->failed(error);
        } else {
            first->answered();
        }
        second.join();
        CHECK(code == (away ? "shop_away" : ""));
    }
}
