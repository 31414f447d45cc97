#include "syncline/core/clock.h"

namespace syncline::core {
namespace {

class SystemClock final : public Clock {
public:
    [[nodiscard]] SystemTime now() const override { return std::chrono::system_clock::now(); }
    [[nodiscard]] SteadyTime steady() const override { return std::chrono::steady_clock::now(); }
    bool wait_until(std::unique_lock<std::mutex>& lock, std::condition_variable& wake, SteadyTime until,
                    const std::function<bool()>& ready) override {
        return wake.wait_until(lock, until, ready);
    }
};

// A test that forgets to advance must fail by its own deadline, not hang: waiters look again this often.
constexpr auto kManualLook = std::chrono::milliseconds{1};

}  // namespace

void Clock::sleep_for(std::chrono::nanoseconds duration) {
    std::mutex mutex;
    std::condition_variable wake;
    std::unique_lock lock(mutex);
    wait_until(lock, wake, steady() + duration, [] { return false; });
}

Clock& system_clock() {
    static SystemClock clock;
    return clock;
}

ManualClock::ManualClock(SystemTime start) : start_(start) {}

SystemTime ManualClock::now() const {
    const std::lock_guard lock(mutex_);
    return start_ + elapsed_;
}

SteadyTime ManualClock::steady() const {
    const std::lock_guard lock(mutex_);
    return SteadyTime{elapsed_};
}

bool ManualClock::wait_until(std::unique_lock<std::mutex>& lock, std::condition_variable& wake, SteadyTime until,
                             const std::function<bool()>& ready) {
    while (!ready()) {
        if (steady() >= until) {
            return false;
        }
        // advance() cannot know every waiter's condition variable, so waiters look at the manual time by themselves.
        wake.wait_for(lock, kManualLook);
    }
    return true;
}

void ManualClock::advance(std::chrono::nanoseconds by) {
    const std::lock_guard lock(mutex_);
    elapsed_ += by;
}

}  // namespace syncline::core
