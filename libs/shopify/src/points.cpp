#include "syncline/shopify/points.h"

#include <fmt/format.h>
#include <algorithm>
#include <cmath>
#include <utility>

namespace syncline::shopify {
namespace {

// The lowest plan's, which no shop is below.
constexpr double kLowestRate = 100;
// Bucket size in seconds of its rate, as observed; only the first call depends on it.
constexpr double kBucketSeconds = 10;

}  // namespace

PointsBudget::PointsBudget(core::Clock& clock, double restore_rate)
    : clock_(clock),
      maximum_((restore_rate > 0 ? restore_rate : kLowestRate) * kBucketSeconds),
      available_(maximum_),
      restore_rate_(restore_rate > 0 ? restore_rate : kLowestRate),
      filled_at_(clock.steady()),
      paused_until_(filled_at_) {}

PointsBudget::Turn PointsBudget::turn(Priority priority) {
    const std::lock_guard lock(mutex_);
    return {*this, {priority, next_place_++}};
}

PointsBudget::State PointsBudget::state() const {
    const std::lock_guard lock(mutex_);
    const double gained = std::chrono::duration<double>(clock_.steady() - filled_at_).count() * restore_rate_;
    return {.maximum = maximum_,
            .available = std::min(maximum_ - reserved_, available_ + gained),
            .reserved = reserved_,
            .restore_rate = restore_rate_,
            .known = known_,
            .waiting = waiting_.size()};
}

void PointsBudget::refill(core::SteadyTime now) {
    const double gained = std::chrono::duration<double>(now - filled_at_).count() * restore_rate_;
    filled_at_ = now;
    // What is reserved may not have been charged yet, so the bucket is full below its size.
    available_ = std::max(available_, std::min(maximum_ - reserved_, available_ + gained));
}

// Under the mutex, after refill(now).
core::SteadyTime PointsBudget::when(double points, core::SteadyTime now) const {
    const double missing = std::max(0.0, points - available_);
    const auto wait = std::chrono::nanoseconds{static_cast<std::int64_t>(std::ceil(missing / restore_rate_ * 1e9))};
    return std::max(now + wait, paused_until_);
}

bool PointsBudget::may_go(double points, core::SteadyTime now) const {
    if (now < paused_until_) {
        return false;
    }
    // The first call of all finds out what the bucket holds.
    return known_ ? available_ >= points : in_flight_ == 0;
}

void PointsBudget::wake() {
    ++generation_;
    changed_.notify_all();
}

core::Result<void> PointsBudget::Turn::reserve(double points, const core::Deadline& deadline) {
    auto& budget = *budget_;
    std::unique_lock lock(budget.mutex_);
    if (budget.known_ && points > budget.maximum_) {
        return core::fail(core::ErrorKind::bug, "cost_above_bucket",
                          fmt::format("a call of {} points cannot pass a bucket of {}", points, budget.maximum_),
                          "make the pages of the document smaller");
    }
    budget.waiting_.insert(place_);
    for (;;) {
        const auto now = budget.clock_.steady();
        budget.refill(now);
        const bool first = *budget.waiting_.begin() == place_;
        if (first && budget.may_go(points, now)) {
            budget.waiting_.erase(place_);
            budget.available_ -= points;
            budget.reserved_ += points;
            ++budget.in_flight_;
            held_ = points;
            seen_ = budget.settled_;
            budget.wake();  // The next one is first now.
            return {};
        }
        if (now >= deadline.at()) {
            const auto ready = budget.when(points, now);
            budget.waiting_.erase(place_);
            budget.wake();
            core::Error error{.kind = core::ErrorKind::throttled,
                              .code = "points_short",
                              .message = "the shop's points did not suffice before the deadline"};
            error.retry_after = std::max<std::chrono::milliseconds>(std::chrono::ceil<std::chrono::milliseconds>(ready - now),
                                                                    std::chrono::milliseconds{1});
            return std::unexpected(std::move(error));
        }
        auto until = deadline.at();
        // Unknown and busy: the answer under way wakes us, or a pause ends.
        if (first && (budget.known_ || now < budget.paused_until_)) {
            until = std::min(until, budget.when(budget.known_ ? points : 0, now));
        }
        const auto generation = budget.generation_;
        budget.clock_.wait_until(lock, budget.changed_, until, [&] { return budget.generation_ != generation; });
    }
}

void PointsBudget::Turn::settle(const Cost& cost) {
    auto& budget = *budget_;
    const std::lock_guard lock(budget.mutex_);
    if (held_ <= 0) {
        return;
    }
    budget.refill(budget.clock_.steady());
    const bool alone = budget.settled_ == seen_;
    ++budget.settled_;
    --budget.in_flight_;
    budget.reserved_ = std::max(0.0, budget.reserved_ - held_);
    // Without a figure for what was used the answer was a refusal, which costs nothing, as the bucket it shows confirms.
    const double own = budget.available_ + held_ - cost.actual.value_or(cost.throttle ? 0.0 : held_);
    held_ = 0;
    budget.available_ = own;
    if (cost.throttle) {
        const double told = cost.throttle->available - budget.reserved_;
        budget.maximum_ = cost.throttle->maximum;
        budget.restore_rate_ = cost.throttle->restore_rate;
        budget.available_ = alone || !budget.known_ ? told : std::min(own, told);
        budget.known_ = true;
    }
    budget.available_ = std::min(budget.available_, budget.maximum_ - budget.reserved_);
    budget.wake();
}

void PointsBudget::Turn::give_back() {
    auto& budget = *budget_;
    const std::lock_guard lock(budget.mutex_);
    if (held_ <= 0) {
        return;
    }
    budget.refill(budget.clock_.steady());
    --budget.in_flight_;
    budget.reserved_ = std::max(0.0, budget.reserved_ - held_);
    budget.available_ = std::min(budget.available_ + held_, budget.maximum_ - budget.reserved_);
    held_ = 0;
    budget.wake();
}

void PointsBudget::Turn::keep() {
    auto& budget = *budget_;
    const std::lock_guard lock(budget.mutex_);
    if (held_ <= 0) {
        return;
    }
    budget.refill(budget.clock_.steady());
    ++budget.settled_;
    --budget.in_flight_;
    budget.reserved_ = std::max(0.0, budget.reserved_ - held_);
    held_ = 0;
    budget.wake();
}

void PointsBudget::Turn::pause_until(core::SteadyTime until) {
    give_back();
    const std::lock_guard lock(budget_->mutex_);
    budget_->paused_until_ = std::max(budget_->paused_until_, until);
    budget_->wake();
}

PointsBudget::Turn::~Turn() {
    if (budget_ != nullptr) {
        keep();
    }
}

}  // namespace syncline::shopify
