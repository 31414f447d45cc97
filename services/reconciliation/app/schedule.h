// When the nightly run is due: once for each night of the local calendar, whatever the clock does. Pure functions.
//
// On the day on which the clock jumps over the configured time the run is due at the first instant after the jump; on the day on
// which that time comes twice it is due at the first of them. A night is known by its local date, and a run remembers the date it
// was made for, so that a clock that moves back, or a restart, makes none a second time.
#pragma once

#include <syncline/core/clock.h>
#include <chrono>
#include <optional>
#include <string>
#include <string_view>

namespace reconciliation {

namespace core = syncline::core;

struct Night {
    std::string date;  // "2026-10-25", of the time zone.
    core::SystemTime due;
    friend bool operator==(const Night&, const Night&) = default;
};

// The last night that was due at `now` ("02:30", "Europe/Berlin"). nullopt: a time or a zone that is none.
[[nodiscard]] std::optional<Night> last_night(core::SystemTime now, std::string_view local_time, const std::string& zone);

// Validators of configuration keys; an empty text is right.
[[nodiscard]] std::optional<std::string> must_be_local_time(std::string_view text);
[[nodiscard]] std::optional<std::string> must_be_time_zone(std::string_view text);

}  // namespace reconciliation
