#include <syncline/shopify/points.h>
#include <algorithm>
#include <atomic>
#include <catch2/catch_test_macros.hpp>
#include <chrono>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <random>
#include <string>
#include <thread>
#include <vector>

using namespace syncline;
using namespace syncline::shopify;
using namespace std::chrono_literals;
using core::ErrorKind;

namespace {

bool eventually(const std::function<bool()>& holds) {
    const auto until = std::chrono::steady_clock::now() + 10s;
    while (!holds()) {
        if (std::chrono::steady_clock::now() > until) {
            return false;
        }
        std::this_thread::sleep_for(1ms);
    }
    return true;
}

Cost cost(double requested, std::optional<double> actual, double available, double maximum = 1000, double rate = 100) {
    return {.requested = requested,
            .actual = actual,
            .throttle = Throttle{.maximum = maximum, .available = available, .restore_rate = rate}};
}

// A budget that has been told what the bucket holds.
struct Rig {
    core::ManualClock clock;
    PointsBudget budget{clock, 100};
    core::Deadline far{clock, 24h};

    explicit Rig(double available) {
        auto turn = budget.turn(Priority::rest);
        if (turn.reserve(1, far)) {
            turn.settle(cost(1, 1, available));
        }
    }
};

// A caller of its own thread that waits for points.
struct Waiter {
    core::ManualClock& clock;
    std::atomic<bool> over{false};
    std::optional<core::Result<void>> result;  // After the thread.
    std::thread thread;
    Waiter(core::ManualClock& time, PointsBudget& budget, Priority priority, double points, core::Deadline deadline,
           std::function<void()> got = {})
        : clock(time) {
        thread = std::thread([this, &budget, priority, points, deadline, got = std::move(got)] {
            auto turn = budget.turn(priority);
            result = turn.reserve(points, deadline);
            if (*result && got) {
                got();
            }
            over = true;
        });
    }
    // Also after a failed assertion the thread ends: its deadline passes.
    ~Waiter() {
        if (!over) {
            clock.advance(48h);
        }
        if (thread.joinable()) {
            thread.join();
        }
    }
};

// The bucket as Shopify keeps it; asked for more than it holds, it refuses and counts.
class Bucket {
public:
    Bucket(core::Clock& clock, double maximum, double rate)
        : clock_(clock), maximum_(maximum), rate_(rate), held_(maximum), at_(clock.steady()) {}

    Cost charge(double requested, double actual) {
        const std::lock_guard lock(mutex_);
        const auto now = clock_.steady();
        held_ = std::min(maximum_, held_ + std::chrono::duration<double>(now - at_).count() * rate_);
        at_ = now;
        if (requested > held_ + 1e-6) {
            ++refused_;
            return {.requested = requested, .actual = std::nullopt, .throttle = status()};
        }
        held_ -= actual;
        spent_ += actual;
        return {.requested = requested, .actual = actual, .throttle = status()};
    }
    [[nodiscard]] int refused() const { return refused_; }
    [[nodiscard]] double spent() const { return spent_; }

private:
    [[nodiscard]] Throttle status() const { return {.maximum = maximum_, .available = held_, .restore_rate = rate_}; }
    std::mutex mutex_;
    core::Clock& clock_;
    const double maximum_;
    const double rate_;
    double held_;
    core::SteadyTime at_;
    int refused_ = 0;
    double spent_ = 0;
};

}  // namespace

TEST_CASE("points: a call that does not get its points by its deadline is throttled and says when", "[shopify][unit]") {
    Rig rig(10);
    {
        Waiter waiter(rig.clock, rig.budget, Priority::rest, 60, core::Deadline(rig.clock, 200ms));
        REQUIRE(eventually([&] { return rig.budget.state().waiting == 1; }));
        rig.clock.advance(200ms);
        REQUIRE(eventually([&] { return waiter.over.load(); }));
        REQUIRE_FALSE(waiter.result->has_value());
        CHECK(waiter.result->error().kind == ErrorKind::throttled);
        CHECK(waiter.result->error().code == "points_short");
        CHECK(waiter.result->error().retry_after == 300ms);
    }
    CHECK(rig.budget.state().waiting == 0);
    auto turn = rig.budget.turn(Priority::rest);
    CHECK(turn.reserve(25, core::Deadline(rig.clock, 0ms)));
}

TEST_CASE("points: more than the bucket can ever hold is a bug, at once", "[shopify][unit]") {
    Rig rig(1000);
    auto turn = rig.budget.turn(Priority::rest);
    const auto refused = turn.reserve(1001, rig.far);
    REQUIRE_FALSE(refused);
    CHECK(refused.error().kind == ErrorKind::bug);
    CHECK(refused.error().code == "cost_above_bucket");
}

TEST_CASE("points: a call waits exactly as long as points are missing", "[shopify][unit]") {
    Rig rig(10);
    Waiter waiter(rig.clock, rig.budget, Priority::rest, 60, rig.far);
    REQUIRE(eventually([&] { return rig.budget.state().waiting == 1; }));
    rig.clock.advance(499ms);
    std::this_thread::sleep_for(30ms);
    CHECK_FALSE(waiter.over);
    rig.clock.advance(1ms);
    REQUIRE(eventually([&] { return waiter.over.load(); }));
    CHECK(waiter.result->has_value());
}

TEST_CASE("points: until the first answer one call goes at a time", "[shopify][unit]") {
    core::ManualClock clock;
    PointsBudget budget(clock, 1000);
    const core::Deadline far(clock, 1h);
    auto first = budget.turn(Priority::rest);
    REQUIRE(first.reserve(10, far));
    Waiter second(clock, budget, Priority::stock_and_orders, 10, far);
    REQUIRE(eventually([&] { return budget.state().waiting == 1; }));
    clock.advance(1min);
    std::this_thread::sleep_for(20ms);
    CHECK_FALSE(second.over);
    first.settle(cost(10, 10, 500));
    REQUIRE(eventually([&] { return second.over.load(); }));
    CHECK(second.result->has_value());
}

TEST_CASE("points: stock goes before prices before the rest, and equals in order of arrival", "[shopify][unit]") {
    Rig rig(0);
    std::mutex mutex;
    std::vector<std::string> order;
    const auto got = [&](std::string name) {
        return [&, name] {
            const std::lock_guard lock(mutex);
            order.push_back(name);
        };
    };
    std::vector<std::unique_ptr<Waiter>> waiters;
    const auto join_line = [&](Priority priority, const std::string& name) {
        waiters.push_back(std::make_unique<Waiter>(rig.clock, rig.budget, priority, 100, rig.far, got(name)));
        REQUIRE(eventually([&] { return rig.budget.state().waiting == waiters.size(); }));
    };
    join_line(Priority::rest, "rest 1");
    join_line(Priority::prices, "prices");
    join_line(Priority::rest, "rest 2");
    join_line(Priority::stock_and_orders, "stock");
    for (std::size_t done = 1; done <= waiters.size(); ++done) {
        rig.clock.advance(1s);
        REQUIRE(eventually([&] {
            const std::lock_guard lock(mutex);
            return order.size() == done;
        }));
    }
    CHECK(order == std::vector<std::string>{"stock", "prices", "rest 1", "rest 2"});
}

TEST_CASE("points: a cheap call does not overtake an expensive one that waits", "[shopify][unit]") {
    Rig rig(50);
    Waiter expensive(rig.clock, rig.budget, Priority::rest, 100, rig.far);
    REQUIRE(eventually([&] { return rig.budget.state().waiting == 1; }));
    Waiter cheap(rig.clock, rig.budget, Priority::rest, 1, rig.far);
    REQUIRE(eventually([&] { return rig.budget.state().waiting == 2; }));
    std::this_thread::sleep_for(20ms);
    CHECK_FALSE(cheap.over);
    rig.clock.advance(500ms);
    REQUIRE(eventually([&] { return expensive.over.load(); }));
    rig.clock.advance(10ms);
    REQUIRE(eventually([&] { return cheap.over.load(); }));
}

TEST_CASE("points: what a call did not use comes back, what nobody knows does not", "[shopify][unit]") {
    Rig rig(500);
    {
        auto turn = rig.budget.turn(Priority::rest);
        REQUIRE(turn.reserve(100, rig.far));
        CHECK(rig.budget.state().available == 400);
        turn.give_back();
        CHECK(rig.budget.state().available == 500);
        REQUIRE(turn.reserve(100, rig.far));
        turn.settle(cost(100, 30, 470));
        CHECK(rig.budget.state().available == 470);
    }
    {
        auto lost = rig.budget.turn(Priority::rest);
        REQUIRE(lost.reserve(70, rig.far));
    }
    CHECK(rig.budget.state().available == 400);
    CHECK(rig.budget.state().reserved == 0);
}

TEST_CASE("points: an answer that left before another call was charged does not raise the estimate", "[shopify][unit]") {
    Rig rig(500);
    auto early = rig.budget.turn(Priority::rest);
    auto late = rig.budget.turn(Priority::rest);
    REQUIRE(early.reserve(100, rig.far));
    REQUIRE(late.reserve(100, rig.far));
    late.settle(cost(100, 100, 300));
    // Charged first, heard last: it still shows the bucket without the other call.
    early.settle(cost(100, 100, 400));
    // 300 are left; the first answer could not tell whether the other call was in its figure, so 100 more count as spent for now.
    CHECK(rig.budget.state().available == 200);
    // Somebody else spends from the same bucket.
    auto next = rig.budget.turn(Priority::rest);
    REQUIRE(next.reserve(10, rig.far));
    next.settle(cost(10, 10, 40));
    CHECK(rig.budget.state().available == 40);
    // Alone, an answer is the truth upwards too.
    auto more = rig.budget.turn(Priority::rest);
    REQUIRE(more.reserve(10, rig.far));
    more.settle(cost(10, 10, 900));
    CHECK(rig.budget.state().available == 900);
}

TEST_CASE("points: what is reserved and not yet answered is not given out twice", "[shopify][unit]") {
    Rig rig(100);
    auto first = rig.budget.turn(Priority::rest);
    auto second = rig.budget.turn(Priority::rest);
    REQUIRE(first.reserve(40, rig.far));
    REQUIRE(second.reserve(40, rig.far));
    // The answer may not know of the second call yet.
    first.settle(cost(40, 40, 60));
    CHECK(rig.budget.state().available == 20);
    auto third = rig.budget.turn(Priority::rest);
    CHECK_FALSE(third.reserve(21, core::Deadline(rig.clock, 0ms)));
}

TEST_CASE("points: a throttled call keeps its place in the line and waits for exactly what is missing", "[shopify][unit]") {
    Rig rig(500);
    auto turn = rig.budget.turn(Priority::rest);
    REQUIRE(turn.reserve(100, rig.far));
    Waiter later(rig.clock, rig.budget, Priority::rest, 450, rig.far);
    REQUIRE(eventually([&] { return rig.budget.state().waiting == 1; }));
    turn.settle(cost(100, std::nullopt, 40));  // THROTTLED: 60 are missing.
    std::atomic<bool> again{false};
    std::thread thread([&] { again = turn.reserve(100, rig.far).has_value(); });
    const bool both_wait = eventually([&] { return rig.budget.state().waiting == 2; });
    rig.clock.advance(599ms);
    std::this_thread::sleep_for(20ms);
    const bool too_early = again;
    rig.clock.advance(1ms);
    const bool in_time = eventually([&] { return again.load(); });
    thread.join();
    CHECK(both_wait);
    CHECK_FALSE(too_early);
    CHECK(in_time);
    CHECK_FALSE(later.over);
    rig.clock.advance(5s);
    REQUIRE(eventually([&] { return later.over.load(); }));
}

TEST_CASE("points: a pause holds everybody and ends by itself", "[shopify][unit]") {
    Rig rig(500);
    auto told = rig.budget.turn(Priority::rest);
    REQUIRE(told.reserve(100, rig.far));
    told.pause_until(rig.clock.steady() + 2s);
    CHECK(rig.budget.state().available == 500);
    Waiter other(rig.clock, rig.budget, Priority::stock_and_orders, 1, rig.far);
    REQUIRE(eventually([&] { return rig.budget.state().waiting == 1; }));
    rig.clock.advance(1999ms);
    std::this_thread::sleep_for(20ms);
    CHECK_FALSE(other.over);
    rig.clock.advance(1ms);
    REQUIRE(eventually([&] { return other.over.load(); }));
}

TEST_CASE("points: many callers never exceed the bucket and use all it gives", "[shopify][unit]") {
    core::ManualClock clock;
    PointsBudget budget(clock, 0);
    Bucket bucket(clock, 1000, 100);
    const core::Deadline far(clock, 24h);
    constexpr int kThreads = 6;
    constexpr int kCalls = 60;
    std::atomic<int> running{kThreads};
    std::atomic<int> failed{0};
    std::vector<std::thread> threads;
    for (int seed = 0; seed < kThreads; ++seed) {
        threads.emplace_back([&, seed] {
            std::mt19937 random(static_cast<unsigned>(seed));
            for (int i = 0; i < kCalls; ++i) {
                const double requested = 1 + static_cast<double>(random() % 100);
                const double actual = random() % 2 == 0 ? requested : static_cast<double>(random() % 100) / 100 * requested;
                auto turn = budget.turn(static_cast<Priority>(random() % 3));
                if (!turn.reserve(requested, far)) {
                    ++failed;
                    break;
                }
                const auto answer = bucket.charge(requested, actual);
                if (random() % 4 == 0) {
                    std::this_thread::yield();  // The answer is heard late.
                }
                turn.settle(answer);
            }
            --running;
        });
    }
    const auto started = clock.steady();
    while (running > 0) {
        clock.advance(5ms);
        std::this_thread::sleep_for(std::chrono::microseconds{200});
    }
    for (auto& thread : threads) {
        thread.join();
    }
    const double seconds = std::chrono::duration<double>(clock.steady() - started).count();
    CHECK(failed == 0);
    CHECK(bucket.refused() == 0);
    // Waiters look at the manual clock only every millisecond of real time, in which it moves on: hence the room.
    const double least = (bucket.spent() - 1000) / 100;
    CHECK(seconds < least * 3 + 5);
    CHECK(budget.state().reserved == 0);
    CHECK(budget.state().waiting == 0);
}
