// Time, so that tests can move it. Production code never calls std::chrono::…::now() or sleeps by itself.
//
// One Clock lives as long as the process (kit) or the test. All members may be called from any thread.
#pragma once

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <functional>
#include <mutex>

namespace syncline::core {

using SystemTime = std::chrono::sys_time<std::chrono::nanoseconds>;
using SteadyTime = std::chrono::time_point<std::chrono::steady_clock, std::chrono::nanoseconds>;
using namespace std::chrono_literals;

class Clock {
public:
    virtual ~Clock() = default;
    [[nodiscard]] virtual SystemTime now() const = 0;
    [[nodiscard]] virtual SteadyTime steady() const = 0;
    // Waits on `wake` until `ready()` or `until`; true if ready. Blocks only the caller; `lock` is held on return.
    virtual bool wait_until(std::unique_lock<std::mutex>& lock, std::condition_variable& wake, SteadyTime until,
                            const std::function<bool()>& ready) = 0;
    // Blocks the caller for that long. Only for threads that own nothing.
    void sleep_for(std::chrono::nanoseconds duration);
};

// The machine's clock.
[[nodiscard]] Clock& system_clock();

// A point in steady time after which work is no longer wanted.
class Deadline {
public:
    Deadline(const Clock& clock, std::chrono::nanoseconds from_now) : clock_(&clock), at_(clock.steady() + from_now) {}
    Deadline(const Clock& clock, SteadyTime at) : clock_(&clock), at_(at) {}
    [[nodiscard]] SteadyTime at() const { return at_; }
    [[nodiscard]] bool passed() const { return clock_->steady() >= at_; }
    // Never negative.
    [[nodiscard]] std::chrono::nanoseconds left() const { return std::max(at_ - clock_->steady(), std::chrono::nanoseconds{0}); }
    [[nodiscard]] Deadline sooner_of(const Deadline& other) const { return at_ <= other.at_ ? *this : other; }

private:
    const Clock* clock_;
    SteadyTime at_;
};

// For tests: time stands still until advance(). wait_until() returns when advanced past its time or when `ready()`.
class ManualClock final : public Clock {
public:
    explicit ManualClock(SystemTime start = SystemTime{std::chrono::seconds{1'760'000'000}});
    [[nodiscard]] SystemTime now() const override;
    [[nodiscard]] SteadyTime steady() const override;
    bool wait_until(std::unique_lock<std::mutex>& lock, std::condition_variable& wake, SteadyTime until,
                    const std::function<bool()>& ready) override;
    void advance(std::chrono::nanoseconds by);

private:
    mutable std::mutex mutex_;
    std::chrono::nanoseconds elapsed_{0};
    SystemTime start_;
};

}  // namespace syncline::core
