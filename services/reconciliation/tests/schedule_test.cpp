#include <syncline/core/time.h>
#include <catch2/catch_test_macros.hpp>
#include <set>

#include "app/schedule.h"

namespace {

using namespace reconciliation;

core::SystemTime at(std::string_view text) {
    return core::parse_rfc3339(text).value();
}

// Every night that is due while the time passes in steps of a minute.
std::multiset<std::string> nights(std::string_view from, std::string_view to, std::string_view local, const std::string& zone) {
    std::multiset<std::string> seen;
    std::string last;
    for (auto now = at(from); now < at(to); now += std::chrono::minutes(1)) {
        const auto night = last_night(now, local, zone);
        REQUIRE(night);
        CHECK(night->due <= now);
        if (!last.empty() && night->date != last) {
            seen.insert(night->date);
        }
        last = night->date;
    }
    return seen;
}

}  // namespace

TEST_CASE("schedule: a night is due once, at the local time", "[unit]") {
    const auto night = last_night(at("2026-11-21T02:00:00Z"), "02:30", "Europe/Berlin");
    REQUIRE(night);
    CHECK(night->date == "2026-11-21");
    CHECK(night->due == at("2026-11-21T01:30:00Z"));
    // One second before it the night before is the last one.
    CHECK(last_night(at("2026-11-21T01:29:59Z"), "02:30", "Europe/Berlin")->date == "2026-11-20");
    CHECK(last_night(at("2026-11-21T01:30:00Z"), "02:30", "Europe/Berlin")->date == "2026-11-21");
    // Far west the local date is another one.
    CHECK(last_night(at("2026-11-21T02:00:00Z"), "02:30", "America/New_York")->date == "2026-11-20");
}

TEST_CASE("schedule: on the day the clock jumps forward the skipped time is due once, at the jump", "[unit]") {
    // Berlin, 29 March 2026: 02:00 is followed by 03:00 (01:00 UTC).
    const auto night = last_night(at("2026-03-29T01:00:00Z"), "02:30", "Europe/Berlin");
    REQUIRE(night);
    CHECK(night->date == "2026-03-29");
    CHECK(night->due == at("2026-03-29T01:00:00Z"));
    CHECK(last_night(at("2026-03-29T00:59:59Z"), "02:30", "Europe/Berlin")->date == "2026-03-28");
    CHECK(nights("2026-03-27T12:00:00Z", "2026-03-31T12:00:00Z", "02:30", "Europe/Berlin") ==
          std::multiset<std::string>{"2026-03-28", "2026-03-29", "2026-03-30", "2026-03-31"});
}

TEST_CASE("schedule: on the day the clock falls back the repeated time is due once, the first time", "[unit]") {
    // Berlin, 25 October 2026: 02:30 comes at 00:30 and at 01:30 UTC.
    const auto first = last_night(at("2026-10-25T00:30:00Z"), "02:30", "Europe/Berlin");
    REQUIRE(first);
    CHECK(first->due == at("2026-10-25T00:30:00Z"));
    CHECK(last_night(at("2026-10-25T01:30:00Z"), "02:30", "Europe/Berlin") == first);
    CHECK(last_night(at("2026-10-25T23:00:00Z"), "02:30", "Europe/Berlin") == first);
    CHECK(nights("2026-10-23T12:00:00Z", "2026-10-27T12:00:00Z", "02:30", "Europe/Berlin") ==
          std::multiset<std::string>{"2026-10-24", "2026-10-25", "2026-10-26", "2026-10-27"});
    CHECK(nights("2026-10-30T12:00:00Z", "2026-11-03T12:00:00Z", "01:30", "America/New_York") ==
          std::multiset<std::string>{"2026-10-31", "2026-11-01", "2026-11-02", "2026-11-03"});
}

TEST_CASE("schedule: what is no time of day or no zone is refused", "[unit]") {
    for (const auto* wrong : {"24:00", "2:30", "02:60", "02:3x", "02-30", "02:30:00", "x"}) {
        CHECK(must_be_local_time(wrong));
        CHECK_FALSE(last_night(at("2026-11-21T02:00:00Z"), wrong, "UTC"));
    }
    CHECK_FALSE(must_be_local_time(""));
    CHECK_FALSE(must_be_local_time("00:00"));
    CHECK(must_be_time_zone("Europe/Atlantis"));
    CHECK_FALSE(must_be_time_zone("Europe/Berlin"));
    CHECK_FALSE(must_be_time_zone(""));
    CHECK_FALSE(last_night(at("2026-11-21T02:00:00Z"), "02:30", "Europe/Atlantis"));
}
