#include "syncline/core/clock.h"

#include <atomic>
#include <catch2/catch_test_macros.hpp>
#include <thread>

using namespace std::chrono_literals;
using syncline::core::Deadline;
using syncline::core::ManualClock;

TEST_CASE("clock: a manual clock stands still until it is advanced", "[core][unit]") {
    ManualClock clock;
    const auto before = clock.now();
    CHECK(clock.now() == before);
    clock.advance(90s);
    CHECK(clock.now() - before == 90s);
    CHECK(clock.steady().time_since_epoch() == 90s);
}

TEST_CASE("clock: a waiter ends when manual time passes its end or when it is ready", "[core][unit]") {
    ManualClock clock;
    std::mutex mutex;
    std::condition_variable wake;
    std::atomic<bool> timed_out{false};
    const auto until = clock.steady() + 1h;
    std::thread waiter([&] {
        std::unique_lock lock(mutex);
        timed_out = !clock.wait_until(lock, wake, until, [] { return false; });
    });
    clock.advance(2h);
    waiter.join();
    CHECK(timed_out);
    std::unique_lock lock(mutex);
    CHECK(clock.wait_until(lock, wake, clock.steady() + 1h, [] { return true; }));
}

TEST_CASE("clock: a deadline never has negative time left", "[core][unit]") {
    ManualClock clock;
    const Deadline deadline(clock, 5s);
    CHECK(deadline.left() == 5s);
    CHECK_FALSE(deadline.passed());
    clock.advance(6s);
    CHECK(deadline.left() == 0s);
    CHECK(deadline.passed());
    CHECK(deadline.sooner_of(Deadline(clock, 1s)).at() == deadline.at());
}
