// What a sender saw: counts and exact quantiles. One thread.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace loadgen {

// Every value is kept: quantiles are exact, a million values are four megabytes.
class Quantiles {
public:
    void add(std::chrono::nanoseconds value);
    // 0 ≤ permille ≤ 1000; 1000 is the largest. Milliseconds with three decimals, as text; "0.000" without values.
    [[nodiscard]] std::string millis_at(std::uint64_t permille) const;
    [[nodiscard]] std::size_t count() const { return micros_.size(); }

private:
    mutable std::vector<std::uint32_t> micros_;
    mutable bool sorted_ = true;
};

struct Report {
    std::uint64_t deliveries = 0;  // Taken from the schedule.
    std::uint64_t attempts = 0;    // Requests, repeats included.
    std::uint64_t acknowledged = 0;
    std::uint64_t given_up = 0;    // Refused or failed in every attempt.
    std::uint64_t unfinished = 0;  // Stopped before.
    std::uint64_t connects = 0;
    std::uint64_t bytes = 0;  // Of bodies, every attempt.
    std::map<unsigned, std::uint64_t> by_status;
    std::map<std::string, std::uint64_t> errors;  // connect, timeout, broken
    Quantiles latency;                            // From the scheduled send to the acknowledgement, waiting and repeats included.
    Quantiles service;                            // From the bytes leaving to the answer, one attempt.
    Quantiles lag;                                // From the scheduled to the real send of the first attempt.
    std::chrono::nanoseconds duration{0};

    // One line of JSON.
    [[nodiscard]] std::string to_json() const;
};

}  // namespace loadgen
