#include "src/report.h"

#include <syncline/core/decimal.h>
#include <syncline/json/writer.h>

#include <algorithm>
#include <limits>

namespace loadgen {
namespace {

using syncline::core::Decimal;
using syncline::json::Writer;

std::string millis_text(std::uint64_t micros) {
    return Decimal::from_scaled(static_cast<std::int64_t>(micros), 3).value().to_fixed(3);
}

void write(Writer& out, std::string_view name, const Quantiles& quantiles) {
    out.key(name).begin_object();
    for (const auto& [label, permille] : {std::pair{"p50", 500U}, std::pair{"p90", 900U}, std::pair{"p99", 990U},
                                          std::pair{"p99_9", 999U}, std::pair{"max", 1000U}}) {
        out.key(label).number(quantiles.millis_at(permille));
    }
    out.end_object();
}

}  // namespace

void Quantiles::add(std::chrono::nanoseconds value) {
    const auto micros = std::chrono::duration_cast<std::chrono::microseconds>(value).count();
    constexpr std::int64_t kMost = std::numeric_limits<std::uint32_t>::max();
    micros_.push_back(static_cast<std::uint32_t>(std::clamp<std::int64_t>(micros, 0, kMost)));
    sorted_ = false;
}

std::string Quantiles::millis_at(std::uint64_t permille) const {
    if (micros_.empty()) {
        return millis_text(0);
    }
    if (!sorted_) {
        std::ranges::sort(micros_);
        sorted_ = true;
    }
    // The smallest value that this share of all values does not exceed.
    const auto rank = (micros_.size() * permille + 999) / 1000;
    return millis_text(micros_[std::max<std::size_t>(rank, 1) - 1]);
}

std::string Report::to_json() const {
    const auto millis = std::chrono::duration_cast<std::chrono::milliseconds>(duration).count();
    Writer out;
    out.begin_object().member("sent", deliveries).member("attempts", attempts).member("acknowledged", acknowledged);
    out.member("given_up", given_up).member("unfinished", unfinished).member("connects", connects).member("bytes", bytes);
    out.key("by_status").begin_object();
    for (const auto& [status, count] : by_status) {
        out.member(std::to_string(status), count);
    }
    out.end_object().key("errors").begin_object();
    for (const auto& [name, count] : errors) {
        out.member(name, count);
    }
    out.end_object();
    write(out, "latency_ms", latency);
    write(out, "service_ms", service);
    write(out, "lag_ms", lag);
    out.key("duration_seconds").number(millis_text(static_cast<std::uint64_t>(millis)));
    const auto rate = millis > 0 ? Decimal(acknowledged * 1000).divided_by(Decimal(millis), 1, syncline::core::Rounding::half_up)
                                 : syncline::core::Result<Decimal>(Decimal{});
    out.key("acknowledged_per_second").number(rate.value_or(Decimal{}).to_string()).end_object();
    return std::move(out).take();
}

}  // namespace loadgen
