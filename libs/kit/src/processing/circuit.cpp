#include "src/processing/circuit.h"

#include <algorithm>
#include <utility>

namespace syncline::kit {

using namespace std::chrono_literals;

Circuit::Circuit(core::Clock& clock, bool can_probe, std::function<double()> jitter, std::function<void()> changed)
    : clock_(clock), can_probe_(can_probe), jitter_(std::move(jitter)), changed_(std::move(changed)) {}

void Circuit::answered() {
    bool closed = false;
    {
        const std::lock_guard lock(mutex_);
        failed_keys_.clear();
        doubtful_keys_.clear();
        suspicious_ = false;
        closed = std::exchange(open_, false);
        steps_ = 0;
        trial_given_ = trial_ready_ = false;
    }
    if (closed) {
        changed_();
    }
}

void Circuit::failed(const std::string& key, const core::Error& error) {
    bool opened = false;
    {
        const std::lock_guard lock(mutex_);
        if (error.kind == core::ErrorKind::unknown_outcome) {
            // A lost answer says little; many of them in a row say that somebody should look.
            doubtful_keys_.insert(key);
            if (!open_ && can_probe_ && doubtful_keys_.size() >= kDifferentKeysMax) {
                suspicious_ = true;
            }
            if (!open_ || !trial_given_) {
                return;
            }
        }
        if (open_) {
            // Calls that were under way when it opened say nothing new; the trial does.
            if (trial_given_) {
                ++steps_;
                open_for(error.retry_after);
            }
            return;
        }
        failed_keys_.insert(key);
        suspicious_ = can_probe_;
        const bool certain = error.kind == core::ErrorKind::unauthorized || error.kind == core::ErrorKind::throttled;
        if (certain || failed_keys_.size() >= kDifferentKeysMax) {
            open_ = opened = true;
            steps_ = 0;
            open_for(error.retry_after);
        }
    }
    if (opened) {
        changed_();
    }
}

void Circuit::undecided() {
    const std::lock_guard lock(mutex_);
    if (open_ && trial_given_) {
        trial_given_ = false;
        trial_ready_ = true;
    }
}

bool Circuit::open() const {
    const std::lock_guard lock(mutex_);
    return open_;
}

Circuit::Step Circuit::due() {
    const std::lock_guard lock(mutex_);
    if (!open_) {
        return suspicious_ ? Step::probe : Step::nothing;
    }
    if (trial_given_ || clock_.steady() < next_) {
        return Step::nothing;
    }
    if (can_probe_ && !trial_ready_) {
        return Step::probe;
    }
    trial_given_ = true;
    trial_ready_ = false;
    return Step::trial;
}

void Circuit::probed(const core::Result<void>& answer) {
    bool opened = false;
    {
        const std::lock_guard lock(mutex_);
        suspicious_ = false;
        if (answer) {
            doubtful_keys_.clear();
            trial_ready_ = open_;
            return;
        }
        if (open_) {
            ++steps_;
        } else {
            open_ = opened = true;
            steps_ = 0;
        }
        open_for(answer.error().retry_after);
    }
    if (opened) {
        changed_();
    }
}

core::SteadyTime Circuit::next_time() const {
    const std::lock_guard lock(mutex_);
    if (open_) {
        return trial_given_ ? core::SteadyTime::max() : next_;
    }
    return suspicious_ ? clock_.steady() : core::SteadyTime::max();
}

void Circuit::open_for(std::chrono::nanoseconds least) {
    trial_given_ = trial_ready_ = false;
    suspicious_ = false;
    next_ = clock_.steady() + std::max(least, step());
}

std::chrono::nanoseconds Circuit::step() const {
    const auto whole = std::min<std::chrono::nanoseconds>(1s * (1LL << std::min(steps_, 5)), can_probe_ ? 10s : 30s);
    return std::chrono::duration_cast<std::chrono::nanoseconds>(whole * (0.9 + 0.2 * jitter_()));
}

}  // namespace syncline::kit
