// Waits for a condition with a deadline; a test that waits in vain says so by the false it gets.
#pragma once

#include <syncline/core/clock.h>
#include <chrono>

template <typename Condition>
[[nodiscard]] bool eventually(Condition condition, std::chrono::milliseconds within = std::chrono::seconds{10}) {
    auto& clock = syncline::core::system_clock();
    const syncline::core::Deadline deadline(clock, within);
    while (!condition()) {
        if (deadline.passed()) {
            return condition();
        }
        clock.sleep_for(std::chrono::milliseconds{5});
    }
    return true;
}
