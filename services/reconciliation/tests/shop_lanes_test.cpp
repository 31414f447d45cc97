#include <catch2/catch_test_macros.hpp>

#include <atomic>
#include <condition_variable>
#include <mutex>
#include <set>

#include "app/shop_lanes.h"

namespace {

using namespace reconciliation;
using namespace std::chrono_literals;

// Waits until it is so, at most ten seconds.
bool eventually(const std::function<bool()>& so) {
    const core::Deadline deadline(core::system_clock(), 10s);
    while (!so()) {
        if (deadline.passed()) {
            return false;
        }
        core::system_clock().sleep_for(5ms);
    }
    return true;
}

struct Shared {
    std::mutex mutex;
    std::set<std::string> shops{"eu", "us"};
    std::set<std::string> refused;
    std::map<std::string, int> steps;
    std::set<std::string> released;

    ShopWork work(std::function<std::chrono::milliseconds(const std::string&, const StillOurs&)> step) {
        return {.name = "test",
                .shops =
                    [this] {
                        const std::lock_guard lock(mutex);
                        return std::vector<std::string>(shops.begin(), shops.end());
                    },
                .lease =
                    [this](const std::string& name) {
                        const std::lock_guard lock(mutex);
                        return !refused.contains(name);
                    },
                .release =
                    [this](const std::string& name) {
                        const std::lock_guard lock(mutex);
                        released.insert(name);
                    },
                .step = std::move(step)};
    }
    void count(const std::string& shop) {
        const std::lock_guard lock(mutex);
        ++steps[shop];
    }
    int counted(const std::string& shop) {
        const std::lock_guard lock(mutex);
        return steps[shop];
    }
};

}  // namespace

TEST_CASE("shop lanes: a shop whose step hangs holds up no other, and the stop ends it", "[unit]") {
    Shared shared;
    ShopLanes lanes(shared.work([&](const std::string& shop, const StillOurs& ours) {
        shared.count(shop);
        while (shop == "eu" && ours()) {
            core::system_clock().sleep_for(1ms);
        }
        return 1ms;
    }),
                    core::system_clock(), 3s);
    lanes.start();
    CHECK(eventually([&] { return shared.counted("us") > 20; }));
    CHECK(shared.counted("eu") == 1);
    lanes.stop();
    CHECK(shared.released == std::set<std::string>{"test/eu", "test/us"});
}

TEST_CASE("shop lanes: without the lease nothing is done; a lost one ends the step", "[unit]") {
    Shared shared;
    shared.refused.insert("test/eu");
    std::atomic<bool> lost{false};
    ShopLanes lanes(shared.work([&](const std::string& shop, const StillOurs& ours) {
        shared.count(shop);
        if (shop == "us") {
            {
                const std::lock_guard lock(shared.mutex);
                shared.refused.insert("test/us");
            }
            while (ours()) {
                core::system_clock().sleep_for(1ms);
            }
            lost = true;
        }
        return 1ms;
    }),
                    core::system_clock(), 400ms);
    lanes.start();
    CHECK(eventually([&] { return lost.load(); }));
    CHECK(shared.counted("eu") == 0);
    CHECK(shared.counted("us") == 1);
    {
        const std::lock_guard lock(shared.mutex);
        shared.refused.clear();
        shared.shops = {"eu", "new"};
    }
    CHECK(eventually([&] { return shared.counted("eu") > 0 && shared.counted("new") > 0; }));
    lanes.stop();
}
