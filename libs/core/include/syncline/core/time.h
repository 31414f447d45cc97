// RFC 3339 text to time and back. Pure functions, any thread.
#pragma once

#include <syncline/core/clock.h>
#include <syncline/core/error.h>
#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

namespace syncline::core {

// "2026-11-20T10:15:30.123456789+02:00": date, T (or t), time, up to nine fractional digits, Z (or z) or an offset of at most
// ±23:59. A leap second (60) is read as the second after. Years 1900 to 2200. Days are checked against the calendar. Errors: kind
// malformed, code "time_malformed"; the text is never in the message.
[[nodiscard]] Result<SystemTime> parse_rfc3339(std::string_view text);

// "2026-11-20T08:15:30.123456789Z": no fraction if it is zero, otherwise as many of nine digits as needed.
[[nodiscard]] std::string format_rfc3339_utc(SystemTime time);
// Always with milliseconds, for logs: "2026-11-20T08:15:30.123Z".
[[nodiscard]] std::string format_rfc3339_utc_millis(SystemTime time);

[[nodiscard]] inline std::int64_t nanos_since_epoch(SystemTime time) {
    return time.time_since_epoch().count();
}
[[nodiscard]] inline SystemTime time_from_nanos(std::int64_t nanos) {
    return SystemTime{std::chrono::nanoseconds{nanos}};
}

}  // namespace syncline::core
