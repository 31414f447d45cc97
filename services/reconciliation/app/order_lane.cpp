#include "app/order_lane.h"

#include <algorithm>

namespace reconciliation {
namespace {

constexpr std::chrono::seconds kRestMin{5};
constexpr std::chrono::seconds kRestMax{300};
constexpr std::chrono::seconds kLedgerBehind{2};
constexpr std::chrono::hours kTidy{1};

}  // namespace

bool OrderLane::went(const std::string& shop, Turns& turns, std::string_view what, const core::Error* error) {
    if (error == nullptr) {
        turns.failures = 0;
        return true;
    }
    events_.failed(shop, what, *error);
    const auto rest = std::min<std::chrono::milliseconds>(kRestMin * (1 << std::min(turns.failures++, 6)), kRestMax);
    turns.rests_until = clock_.steady() + std::max(rest, error->retry_after);
    return false;
}

void OrderLane::scan(const std::string& shop, Turns& turns, const StillOurs& ours) {
    const auto ended = check_.scan(shop, ours);
    if (!went(shop, turns, "orders_not_scanned", ended ? nullptr : &ended.error()) || *ended == ScanEnd::not_ours) {
        return;
    }
    turns.scan_at =
        clock_.steady() +
        (*ended == ScanEnd::whole ? options_.interval : std::min<std::chrono::milliseconds>(kLedgerBehind, options_.interval));
}

void OrderLane::clear(const std::string& shop, Turns& turns) {
    turns.clear_at = clock_.steady() + std::min<std::chrono::milliseconds>(options_.interval, std::chrono::seconds{30});
    const auto until = checks_.clearable(shop);
    if (!until) {
        events_.failed(shop, "reservations_not_cleared", until.error());
        return;
    }
    if (!*until) {
        return;
    }
    const auto cleared = reservations_.clear_pending(shop, **until, core::Deadline(clock_, options_.call_timeout));
    // A shop that inventory-sync does not serve has no reservations.
    if (!cleared && cleared.error().code != "shop_unknown") {
        events_.failed(shop, "reservations_not_cleared", cleared.error());
        return;
    }
    if (const auto noted = checks_.note_cleared(shop, **until); !noted) {
        events_.failed(shop, "reservations_not_cleared", noted.error());
    }
}

std::chrono::milliseconds OrderLane::step(const std::string& shop, const StillOurs& ours) {
    auto& turns = [&]() -> Turns& {
        const std::lock_guard lock(mutex_);
        return turns_[shop];
    }();
    const auto now = clock_.steady();
    if (now < turns.rests_until) {
        return options_.idle;
    }
    if (now >= turns.scan_at) {
        scan(shop, turns, ours);
        if (clock_.steady() < turns.rests_until) {
            return options_.idle;
        }
    }
    const auto looked_up = check_.look_up(shop, ours);
    if (!went(shop, turns, "orders_not_fetched", looked_up ? nullptr : &looked_up.error())) {
        return options_.idle;
    }
    const auto stepped = ours() ? check_.run_step(shop) : core::Result<bool>(false);
    if (!went(shop, turns, "run_not_continued", stepped ? nullptr : &stepped.error())) {
        return options_.idle;
    }
    if (options_.clear_reservations && ours() && clock_.steady() >= turns.clear_at) {
        clear(shop, turns);
    }
    if (subscriptions_.wanted() && ours() && clock_.steady() >= turns.subscriptions_at) {
        turns.subscriptions_at = clock_.steady() + options_.subscriptions_interval;
        if (const auto checked = subscriptions_.run(shop); !checked) {
            events_.failed(shop, "subscriptions_not_read", checked.error());
        }
    }
    if (ours() && clock_.steady() >= turns.tidy_at) {
        turns.tidy_at = clock_.steady() + kTidy;
        if (const auto tidied = checks_.tidy(); !tidied) {
            events_.failed(shop, "orders_not_tidied", tidied.error());
        }
    }
    return *looked_up || *stepped ? std::chrono::milliseconds{0} : options_.idle;
}

}  // namespace reconciliation
