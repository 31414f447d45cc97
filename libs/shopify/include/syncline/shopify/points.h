// The budget of points of one shop, as Shopify keeps it: a bucket that fills at a fixed rate and refuses what it does not hold.
//
//   PointsBudget budget(clock, 100);
//   auto turn = budget.turn(Priority::stock_and_orders);
//   if (auto ready = turn.reserve(12, deadline); !ready) return std::unexpected(ready.error());
//   … send …
//   turn.settle(cost);         // what the answer said; or turn.give_back() when nothing left, turn.keep() when nobody knows
//
// One for each shop, shared by all callers of the process. The requested cost is taken before a call and corrected by what the
// answer says was used and is left. Waiting callers go by priority, then in order of arrival; a caller that was throttled keeps
// its place. Only the first in line takes points, so that a cheap call never overtakes an expensive one for ever. Before the
// first answer nothing is known of the bucket, so only one call goes at a time.
//
// Other processes may use the same bucket: each answer shows it. When calls overlap, an answer lowers the estimate but does not
// raise it, because it may have left before another call was charged.
//
// Any thread. reserve() blocks until the points are there, at most to the deadline; the rest never blocks.
#pragma once

#include <syncline/core/clock.h>
#include <syncline/core/error.h>
#include <syncline/shopify/operation.h>
#include <syncline/shopify/reply.h>
#include <array>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <set>
#include <utility>

namespace syncline::shopify {

class PointsBudget {
public:
    // `restore_rate`: points a second until the first answer tells; 0 takes the lowest plan's.
    PointsBudget(core::Clock& clock, double restore_rate);
    PointsBudget(const PointsBudget&) = delete;
    PointsBudget& operator=(const PointsBudget&) = delete;

    // One caller's place in the line. Belongs to one thread at a time; an unsettled reservation counts as spent.
    class Turn {
    public:
        Turn(Turn&& other) noexcept
            : budget_(std::exchange(other.budget_, nullptr)), place_(other.place_), held_(other.held_), seen_(other.seen_) {}
        Turn& operator=(Turn&&) = delete;
        ~Turn();
        // Errors: throttled, code "points_short", with retry_after, when the deadline passes first; bug, code
        // "cost_above_bucket", when the bucket can never hold so much.
        [[nodiscard]] core::Result<void> reserve(double points, const core::Deadline& deadline);
        void settle(const Cost& cost);
        void give_back();
        void keep();
        // Nobody of this shop calls before that: an answer said so. Gives the points back.
        void pause_until(core::SteadyTime until);

    private:
        friend class PointsBudget;
        Turn(PointsBudget& budget, std::pair<Priority, std::uint64_t> place) : budget_(&budget), place_(place) {}
        PointsBudget* budget_;
        std::pair<Priority, std::uint64_t> place_;
        double held_ = 0;
        std::uint64_t seen_ = 0;  // Answers settled when the points were taken.
    };
    [[nodiscard]] Turn turn(Priority priority);

    struct State {
        double maximum = 0;
        double available = 0;  // Less what is reserved.
        double reserved = 0;
        double restore_rate = 0;
        bool known = false;  // Whether Shopify has told.
        std::size_t waiting = 0;
    };
    [[nodiscard]] State state() const;

private:
    void refill(core::SteadyTime now);
    core::SteadyTime when(double points, core::SteadyTime now) const;
    bool may_go(double points, core::SteadyTime now) const;
    void wake();

    core::Clock& clock_;
    mutable std::mutex mutex_;
    std::condition_variable changed_;
    std::uint64_t generation_ = 0;
    std::uint64_t next_place_ = 0;
    std::set<std::pair<Priority, std::uint64_t>> waiting_;
    double maximum_;
    double available_;
    double restore_rate_;
    double reserved_ = 0;
    std::size_t in_flight_ = 0;
    std::uint64_t settled_ = 0;
    bool known_ = false;
    core::SteadyTime filled_at_;
    core::SteadyTime paused_until_;
};

}  // namespace syncline::shopify
