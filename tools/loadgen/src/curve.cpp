#include "src/curve.h"

#include <syncline/core/assert.h>
#include <syncline/core/decimal.h>

#include <numeric>

namespace loadgen {
namespace {

// Orders an hour of a Black Friday in the shop's time, of a shop that opens its offers at midnight.
const std::vector<std::uint64_t> kBlackFriday{90,  60,  35,  22,  18,  22,  38,  62,  84,  98,  106, 110,
                                              108, 104, 100, 102, 108, 118, 134, 152, 166, 160, 128, 95};

}  // namespace

Curve::Curve(Shape shape, std::uint64_t orders, std::chrono::milliseconds duration)
    : orders_(orders), duration_(duration), weights_(shape == Shape::constant ? std::vector<std::uint64_t>{1} : kBlackFriday) {
    SYNCLINE_ASSERT(duration.count() > 0);
    weight_ = std::accumulate(weights_.begin(), weights_.end(), std::uint64_t{0});
}

std::chrono::nanoseconds Curve::arrival(std::uint64_t order) const {
    using syncline::core::Int128;
    SYNCLINE_ASSERT(order < orders_);
    // The middle of the order's share of the area under the curve, in units of weight / (2 × orders).
    const auto unit = static_cast<Int128>(2) * static_cast<Int128>(orders_);
    auto area = static_cast<Int128>(weight_) * (2 * static_cast<Int128>(order) + 1);
    std::size_t stretch = 0;
    while (area >= static_cast<Int128>(weights_[stretch]) * unit) {
        area -= static_cast<Int128>(weights_[stretch]) * unit;
        ++stretch;
    }
    const auto length = static_cast<Int128>(duration_.count());
    const auto stretches = static_cast<Int128>(weights_.size());
    const Int128 begin = length * static_cast<Int128>(stretch) / stretches;
    const Int128 within = area * length / (static_cast<Int128>(weights_[stretch]) * unit * stretches);
    return std::chrono::nanoseconds(static_cast<std::int64_t>(begin + within));
}

}  // namespace loadgen
