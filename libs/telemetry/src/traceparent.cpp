#include <algorithm>

#include "syncline/telemetry/trace.h"

namespace syncline::telemetry::trace {
namespace {

// "00-" trace id "-" span id "-" flags
constexpr std::size_t kTraceIdAt = 3;
constexpr std::size_t kTraceIdDigits = 32;
constexpr std::size_t kSpanIdAt = kTraceIdAt + kTraceIdDigits + 1;
constexpr std::size_t kSpanIdDigits = 16;
constexpr std::size_t kFlagsAt = kSpanIdAt + kSpanIdDigits + 1;
constexpr std::size_t kSize = kFlagsAt + 2;

bool lower_hex(std::string_view text) {
    return std::ranges::all_of(text, [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); });
}
bool all_zero(std::string_view text) {
    return std::ranges::all_of(text, [](char c) { return c == '0'; });
}

}  // namespace

bool valid_traceparent(std::string_view text) noexcept {
    if (text.size() != kSize || !text.starts_with("00-") || text[kSpanIdAt - 1] != '-' || text[kFlagsAt - 1] != '-') {
        return false;
    }
    const auto trace_id = text.substr(kTraceIdAt, kTraceIdDigits);
    const auto span_id = text.substr(kSpanIdAt, kSpanIdDigits);
    return lower_hex(trace_id) && lower_hex(span_id) && lower_hex(text.substr(kFlagsAt)) && !all_zero(trace_id) &&
           !all_zero(span_id);
}

std::string_view trace_id_of(std::string_view traceparent) noexcept {
    return valid_traceparent(traceparent) ? traceparent.substr(kTraceIdAt, kTraceIdDigits) : std::string_view{};
}

}  // namespace syncline::telemetry::trace
