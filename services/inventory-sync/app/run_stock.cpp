#include "app/run_stock.h"

namespace inventory_sync {
namespace {

constexpr std::chrono::seconds kManage{1};
constexpr std::chrono::seconds kSources{5};
constexpr std::chrono::seconds kServers{1};
constexpr int kMinute = 60;

}  // namespace

// A shop's threads: one keeps the lease, looks and does the slower work, the others send while the lease is held.
struct RunStock::Lane {
    std::atomic<bool> leased{false};
    std::vector<std::thread> threads;
};

RunStock::RunStock(SendStock& send, StockWork work, RulesSource rules, core::Clock& clock, RunOptions options)
    : send_(send), work_(std::move(work)), rules_(std::move(rules)), clock_(clock), options_(options) {}

RunStock::~RunStock() {
    stop();
}

bool RunStock::pause(std::chrono::milliseconds time) {
    std::unique_lock lock(mutex_);
    clock_.wait_until(lock, wake_, clock_.steady() + time, [this] { return stopping_; });
    return !stopping_;
}

void RunStock::start() {
    threads_.emplace_back([this] { manage(); });
    threads_.emplace_back([this] {
        while (pause(kSources)) {
            work_.sources();
        }
    });
    threads_.emplace_back([this] {
        while (pause(kServers)) {
            work_.servers();
        }
    });
    for (int thread = 0; thread < options_.compute_threads; ++thread) {
        threads_.emplace_back([this, thread] {
            while (pause(work_.compute(thread, options_.compute_threads) ? std::chrono::milliseconds{0} : options_.idle)) {
            }
        });
    }
}

void RunStock::stop() {
    {
        const std::lock_guard lock(mutex_);
        stopping_ = true;
    }
    wake_.notify_all();
    for (auto& thread : threads_) {
        thread.join();
    }
    threads_.clear();
    for (auto& [shop, lane] : lanes_) {
        for (auto& thread : lane->threads) {
            thread.join();
        }
    }
    lanes_.clear();
}

void RunStock::manage() {
    int seconds = 0;
    do {
        if (const auto rules = rules_().rules) {
            for (const auto& [shop, rule] : rules->shops) {
                if (!lanes_.contains(shop)) {
                    open_lane(shop);
                }
            }
        }
        if (seconds++ % kMinute == 0) {
            work_.minute();
        }
    } while (pause(kManage));
}

void RunStock::open_lane(const std::string& shop) {
    auto& lane = *(lanes_[shop] = std::make_unique<Lane>());
    const auto served = [this, shop] {
        const auto rules = rules_().rules;
        return rules && rules->shops.contains(shop);
    };
    lane.threads.emplace_back([this, shop, served, &lane] {
        auto renew_at = clock_.steady();
        bool more = false;
        while (pause(more ? std::chrono::milliseconds{0} : options_.idle)) {
            if (clock_.steady() >= renew_at) {
                lane.leased = served() && work_.lease(shop);
                renew_at = clock_.steady() + options_.lease / 3;
            }
            more = lane.leased && send_.look(shop).did;
            more = lane.leased && work_.chores(shop) ? true : more;
        }
        if (lane.leased.exchange(false)) {
            work_.release(shop);
        }
    });
    for (int call = 0; call < options_.calls_in_flight; ++call) {
        lane.threads.emplace_back([this, shop, &lane] {
            Step step;
            while (pause(step.did ? std::chrono::milliseconds{0} : step.wait)) {
                // A batch is kept before it leaves and compared when it arrives: a lease that just ran out harms nothing.
                step = lane.leased ? send_.send(shop) : Step{};
            }
        });
    }
}

}  // namespace inventory_sync
