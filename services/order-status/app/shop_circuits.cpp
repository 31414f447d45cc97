#include "app/shop_circuits.h"

#include <algorithm>
#include <utility>

namespace order_status {

using core::Error;
using core::ErrorKind;
using namespace std::chrono_literals;

namespace {

constexpr std::chrono::nanoseconds kStepMax = 60s;
constexpr std::chrono::nanoseconds kPauseMax = 5min;
constexpr std::chrono::milliseconds kBusyPause = 5s;

bool shop_is_away(ErrorKind kind) {
    return kind == ErrorKind::transient || kind == ErrorKind::throttled || kind == ErrorKind::unauthorized;
}

}  // namespace

ShopCircuits::ShopCircuits(core::Clock& clock, CircuitOptions options, std::function<double()> jitter,
                           std::function<void(const std::string&, bool)> changed)
    : clock_(clock), options_(options), jitter_(std::move(jitter)), changed_(std::move(changed)) {}

ShopCircuits::Turn::Turn(Turn&& other) noexcept
    : circuits_(std::exchange(other.circuits_, nullptr)),
      shop_(std::move(other.shop_)),
      order_(std::move(other.order_)),
      trial_(other.trial_) {}

ShopCircuits::Turn::~Turn() {
    if (circuits_ != nullptr) {
        circuits_->leave(shop_, trial_);
    }
}

void ShopCircuits::Turn::answered() {
    std::exchange(circuits_, nullptr)->close(shop_, trial_);
}

void ShopCircuits::Turn::failed(Error& error) {
    std::exchange(circuits_, nullptr)->fail(shop_, order_, trial_, error);
}

core::Result<ShopCircuits::Turn> ShopCircuits::enter(const std::string& shop, const std::string& order,
                                                     const core::Deadline& deadline) {
    std::unique_lock lock(mutex_);
    auto& entry = shops_[shop];
    clock_.wait_until(lock, freed_, deadline.at(), [&] { return entry.open || entry.calls < options_.calls_max; });
    const bool trial = entry.open;
    if (entry.open && (entry.trial || clock_.steady() < entry.next)) {
        return std::unexpected(Error{.kind = ErrorKind::transient,
                                     .code = "shop_away",
                                     .message = "the shop does not take writes at the moment",
                                     .retry_after = pause(entry)});
    }
    if (entry.calls >= options_.calls_max) {
        return std::unexpected(
            Error{.kind = ErrorKind::transient,
                  .code = "shop_busy",
                  .message = "as many orders of the shop as allowed are being written",
                  .retry_after = kBusyPause + std::chrono::milliseconds(static_cast<int>(jitter_() * 10'000))});
    }
    ++entry.calls;
    entry.trial = entry.trial || trial;
    return Turn(*this, shop, order, trial);
}

bool ShopCircuits::open(const std::string& shop) const {
    const std::lock_guard lock(mutex_);
    const auto found = shops_.find(shop);
    return found != shops_.end() && found->second.open;
}

void ShopCircuits::leave(const std::string& shop, bool trial) {
    const std::lock_guard lock(mutex_);
    release(shops_[shop], trial);
}

void ShopCircuits::release(Shop& entry, bool trial) {
    --entry.calls;
    entry.trial = entry.trial && !trial;
    freed_.notify_all();
}

void ShopCircuits::close(const std::string& shop, bool trial) {
    bool closed = false;
    {
        const std::lock_guard lock(mutex_);
        auto& entry = shops_[shop];
        release(entry, trial);
        entry.failed_orders.clear();
        entry.steps = 0;
        closed = std::exchange(entry.open, false);
    }
    if (closed) {
        changed_(shop, false);
    }
}

void ShopCircuits::fail(const std::string& shop, const std::string& order, bool trial, Error& error) {
    if (!shop_is_away(error.kind) && error.kind != ErrorKind::unknown_outcome) {
        close(shop, trial);
        return;
    }
    bool opened = false;
    {
        // One step: nobody who waits may come in between the call that ended and what it told.
        const std::lock_guard lock(mutex_);
        auto& entry = shops_[shop];
        release(entry, trial);
        const auto now = clock_.steady();
        if (entry.open) {
            // Calls that were under way when it opened say nothing new; the trial does.
            if (trial) {
                ++entry.steps;
                entry.next = now + std::max<std::chrono::nanoseconds>(error.retry_after, step(entry));
            }
        } else if (shop_is_away(error.kind)) {
            entry.failed_orders.insert(order);
            if (error.kind != ErrorKind::transient || entry.failed_orders.size() >= kDifferentOrdersMax) {
                entry.open = opened = true;
                entry.steps = 0;
                entry.since = now;
                entry.next = now + std::max<std::chrono::nanoseconds>(error.retry_after, step(entry));
            }
        }
        if (entry.open && error.kind != ErrorKind::unknown_outcome) {
            error.retry_after = std::max(error.retry_after, pause(entry));
        }
    }
    if (opened) {
        freed_.notify_all();
        changed_(shop, true);
    }
}

std::chrono::nanoseconds ShopCircuits::step(const Shop& shop) const {
    const auto whole = std::min<std::chrono::nanoseconds>(1s * (1LL << std::min(shop.steps, 6)), kStepMax);
    return std::chrono::duration_cast<std::chrono::nanoseconds>(whole * (0.9 + 0.2 * jitter_()));
}

std::chrono::milliseconds ShopCircuits::pause(const Shop& shop) const {
    const auto now = clock_.steady();
    const auto to_trial = std::max<std::chrono::nanoseconds>(shop.next - now, 0s);
    const auto spread = std::max<std::chrono::nanoseconds>((now - shop.since) / 8, 1s);
    const auto whole = to_trial + std::chrono::duration_cast<std::chrono::nanoseconds>(spread * (0.5 + 0.5 * jitter_()));
    return std::chrono::ceil<std::chrono::milliseconds>(std::min(whole, std::max(kPauseMax, to_trial)));
}

}  // namespace order_status
