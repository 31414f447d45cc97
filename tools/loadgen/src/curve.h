// When orders are placed.
#pragma once

#include <chrono>
#include <cstdint>
#include <vector>

namespace loadgen {

enum class Shape : std::uint8_t {
    constant,
    black_friday,  // A night, a wave at the doors' opening, a long day, an evening peak at twice the mean, an ebb.
};

// `orders` arrivals over `duration`, ascending and evenly spread under the curve.
class Curve {
public:
    Curve(Shape shape, std::uint64_t orders, std::chrono::milliseconds duration);
    // Of the order with this number, 0 … orders-1.
    [[nodiscard]] std::chrono::nanoseconds arrival(std::uint64_t order) const;

private:
    std::uint64_t orders_;
    std::chrono::nanoseconds duration_;
    std::vector<std::uint64_t> weights_;  // Of equal stretches of the duration.
    std::uint64_t weight_ = 0;
};

}  // namespace loadgen
