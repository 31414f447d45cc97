#include "app/shop_lanes.h"

#include <algorithm>
#include <utility>

namespace reconciliation {
namespace {

constexpr std::chrono::milliseconds kManage{1'000};
constexpr std::chrono::milliseconds kWithoutLease{1'000};

}  // namespace

struct ShopLanes::Lane {
    std::string shop;
    std::string lease_name;
    std::atomic<bool> served{true};
    std::atomic<bool> stopping{false};
    // Until when the lease is ours, by the steady clock; zero: it is not.
    std::atomic<std::chrono::nanoseconds::rep> held_until{0};
    core::SteadyTime renew_at{};
    std::thread thread;
};

ShopLanes::ShopLanes(ShopWork work, core::Clock& clock, std::chrono::milliseconds lease)
    : work_(std::move(work)), clock_(clock), lease_(lease) {}

ShopLanes::~ShopLanes() {
    stop();
}

bool ShopLanes::pause(std::chrono::milliseconds time) {
    std::unique_lock lock(mutex_);
    clock_.wait_until(lock, wake_, clock_.steady() + time, [this] { return stopping_; });
    return !stopping_;
}

void ShopLanes::start() {
    manager_ = std::thread([this] { manage(); });
}

void ShopLanes::stop() {
    {
        const std::lock_guard lock(mutex_);
        stopping_ = true;
    }
    wake_.notify_all();
    if (manager_.joinable()) {
        manager_.join();
    }
    for (auto& [shop, lane] : lanes_) {
        lane->stopping = true;
    }
    for (auto& [shop, lane] : lanes_) {
        lane->thread.join();
        if (lane->held_until.exchange(0) != 0) {
            work_.release(lane->lease_name);
        }
    }
    lanes_.clear();
}

void ShopLanes::renew(Lane& lane) {
    if (!lane.served) {
        if (lane.held_until.exchange(0) != 0) {
            work_.release(lane.lease_name);
        }
        return;
    }
    if (clock_.steady() < lane.renew_at) {
        return;
    }
    // Counted from before the question: the database's clock may have started the lease then.
    const auto asked = clock_.steady();
    if (work_.lease(lane.lease_name)) {
        lane.held_until = (asked + lease_).time_since_epoch().count();
    }
    lane.renew_at = clock_.steady() + lease_ / 4;
}

void ShopLanes::manage() {
    do {
        const auto shops = work_.shops();
        for (const auto& shop : shops) {
            auto& lane = lanes_[shop];
            if (lane) {
                continue;
            }
            lane = std::make_unique<Lane>();
            lane->shop = shop;
            lane->lease_name = work_.name + "/" + shop;
            lane->thread = std::thread([this, &lane = *lane] {
                const StillOurs ours = [this, &lane] {
                    return !lane.stopping && lane.served && clock_.steady().time_since_epoch().count() < lane.held_until;
                };
                auto wait = kWithoutLease;
                while (pause(wait)) {
                    wait = ours() ? work_.step(lane.shop, ours) : kWithoutLease;
                }
            });
        }
        for (auto& [shop, lane] : lanes_) {
            lane->served = std::ranges::find(shops, shop) != shops.end();
            renew(*lane);
        }
    } while (pause(std::min(kManage, lease_ / 8)));
}

}  // namespace reconciliation
