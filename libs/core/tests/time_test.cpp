#include "syncline/core/time.h"

#include <catch2/catch_test_macros.hpp>
#include <random>

using syncline::core::format_rfc3339_utc;
using syncline::core::parse_rfc3339;
using syncline::core::SystemTime;

TEST_CASE("time: text that is not RFC 3339 is refused", "[core][unit]") {
    for (const std::string_view text : {"",
                                        "2026-11-20",
                                        "2026-11-20T10:00:00",
                                        "2026-11-20 10:00:00Z",
                                        "2026-13-01T00:00:00Z",
                                        "2026-02-29T00:00:00Z",
                                        "2026-00-10T00:00:00Z",
                                        "2026-01-32T00:00:00Z",
                                        "2026-01-01T24:00:00Z",
                                        "2026-01-01T00:60:00Z",
                                        "2026-01-01T00:00:61Z",
                                        "2026-01-01T00:00:00.Z",
                                        "2026-01-01T00:00:00.1234567890Z",
                                        "2026-01-01T00:00:00+0200",
                                        "2026-01-01T00:00:00+24:00",
                                        "2026-01-01T00:00:00+02:60",
                                        "2026-01-01T00:00:00Z ",
                                        " 2026-01-01T00:00:00Z",
                                        "26-01-01T00:00:00Z",
                                        "9999-01-01T00:00:00Z",
                                        "0000-01-01T00:00:00Z",
                                        "2026-1-01T00:00:00Z",
                                        "+2026-01-01T00:00:00Z",
                                        "2026-01-01T00:00:00,5Z",
                                        "٢٠٢٦-01-01T00:00:00Z",
                                        "-026-01-01T00:00:00Z"}) {
        INFO(text);
        const auto time = parse_rfc3339(text);
        REQUIRE_FALSE(time.has_value());
        CHECK(time.error().code == "time_malformed");
    }
    CHECK_FALSE(parse_rfc3339(std::string_view("2026-01-01T00:00:00Z\0", 21)).has_value());
}

TEST_CASE("time: offsets and fractions are read to the nanosecond", "[core][unit]") {
    CHECK(format_rfc3339_utc(parse_rfc3339("2026-11-20T10:15:30.123456789+02:00").value()) == "2026-11-20T08:15:30.123456789Z");
    CHECK(format_rfc3339_utc(parse_rfc3339("2026-12-31T23:30:00-05:30").value()) == "2027-01-01T05:00:00Z");
    CHECK(format_rfc3339_utc(parse_rfc3339("2024-02-29t00:00:00.5z").value()) == "2024-02-29T00:00:00.5Z");
    CHECK(format_rfc3339_utc(parse_rfc3339("2016-12-31T23:59:60Z").value()) == "2017-01-01T00:00:00Z");
    CHECK(format_rfc3339_utc(parse_rfc3339("1960-01-01T00:00:00.25Z").value()) == "1960-01-01T00:00:00.25Z");
    CHECK(syncline::core::format_rfc3339_utc_millis(parse_rfc3339("1960-01-01T00:00:00.25Z").value()) ==
          "1960-01-01T00:00:00.250Z");
}

TEST_CASE("time: what is formatted is read back unchanged", "[core][unit]") {
    std::mt19937_64 random(3);
    constexpr std::int64_t kYears = 100LL * 365 * 86'400;
    for (int i = 0; i < 5'000; ++i) {
        const auto nanos = static_cast<std::int64_t>(random() % (kYears * 1'000'000'000ULL)) - kYears / 3 * 1'000'000'000;
        const auto time = syncline::core::time_from_nanos(nanos);
        INFO(nanos);
        REQUIRE(parse_rfc3339(format_rfc3339_utc(time)).value() == time);
    }
}
