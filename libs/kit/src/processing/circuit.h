// Whether the target is there. Opens when it is not; then one key at a time, each time a different one, finds out when it is
// back.
//
// closed → (a failed probe, 5 different keys failing with no success between, unauthorized, throttled) → open
// open   → after 1, 2, 4 … 30 s (a fifth of it random): one trial → a success closes, a failure opens for longer;
//          where there is a probe, it has to go well before the trial, and the steps end at 10 s: it costs little
//
// Any thread; blocks nothing. Who owns it asks `due()` and does the probing (engine.cpp).
#pragma once

#include <syncline/core/clock.h>
#include <syncline/core/error.h>
#include <chrono>
#include <functional>
#include <mutex>
#include <set>
#include <string>

namespace syncline::kit {

class Circuit {
public:
    static constexpr std::size_t kDifferentKeysMax = 5;

    // `jitter` gives 0..1; `changed` runs after each opening and closing, on the thread that caused it, without locks: ask
    // open().
    Circuit(core::Clock& clock, bool can_probe, std::function<double()> jitter, std::function<void()> changed);

    // The target answered, whatever it said.
    void answered();
    // A call ended because the target was not there (transient, throttled, unauthorized), or we do not know (unknown_outcome).
    void failed(const std::string& key, const core::Error& error);
    // A trial ended without having asked the target.
    void undecided();

    [[nodiscard]] bool open() const;

    enum class Step : std::uint8_t {
        nothing,
        probe,  // Call the probe and tell probed().
        trial,  // One task may go.
    };
    // What has to be done now. `trial` is given once for each back-off step.
    [[nodiscard]] Step due();
    void probed(const core::Result<void>& answer);
    // When due() may say something new; max() if nothing is waited for.
    [[nodiscard]] core::SteadyTime next_time() const;

private:
    void open_for(std::chrono::nanoseconds least);
    [[nodiscard]] std::chrono::nanoseconds step() const;

    core::Clock& clock_;
    const bool can_probe_;
    const std::function<double()> jitter_;
    const std::function<void()> changed_;
    mutable std::mutex mutex_;
    bool open_ = false;
    bool suspicious_ = false;   // Closed, and a probe is wanted.
    bool trial_given_ = false;  // Open: the trial of this step is under way.
    bool trial_ready_ = false;  // Open: the probe went well.
    int steps_ = 0;
    core::SteadyTime next_{};
    std::set<std::string> failed_keys_;
    std::set<std::string> doubtful_keys_;
};

}  // namespace syncline::kit
