#include "app/schedule.h"

#include <absl/time/civil_time.h>
#include <absl/time/time.h>

namespace reconciliation {
namespace {

constexpr int kMinutesPerHour = 60;
constexpr int kHoursPerDay = 24;

// Minutes since midnight.
std::optional<int> minutes_of(std::string_view text) {
    constexpr std::size_t kLength = 5;
    const auto digit = [&](std::size_t at) {
        return text[at] >= '0' && text[at] <= '9';
    };
    if (text.size() != kLength || text[2] != ':' || !digit(0) || !digit(1) || !digit(3) || !digit(4)) {
        return std::nullopt;
    }
    const auto number = [&](std::size_t at) {
        return (text[at] - '0') * 10 + (text[at + 1] - '0');
    };
    if (number(0) >= kHoursPerDay || number(3) >= kMinutesPerHour) {
        return std::nullopt;
    }
    return number(0) * kMinutesPerHour + number(3);
}

std::optional<absl::TimeZone> zone_of(const std::string& name) {
    absl::TimeZone zone;
    if (name.empty() || !absl::LoadTimeZone(name, &zone)) {
        return std::nullopt;
    }
    return zone;
}

}  // namespace

std::optional<Night> last_night(core::SystemTime now, std::string_view local_time, const std::string& zone) {
    const auto minutes = minutes_of(local_time);
    const auto place = zone_of(zone);
    if (!minutes || !place) {
        return std::nullopt;
    }
    const auto at = absl::FromUnixNanos(now.time_since_epoch().count());
    for (auto day = absl::ToCivilDay(at, *place);; --day) {
        const auto wanted = absl::CivilMinute(day) + *minutes;
        const auto info = place->At(absl::CivilSecond(wanted));
        // Skipped: `trans` is the instant of the jump. Repeated: `pre` is the first of both.
        const auto due = info.kind == absl::TimeZone::TimeInfo::SKIPPED ? info.trans : info.pre;
        if (due <= at) {
            return Night{.date = absl::FormatCivilTime(day),
                         .due = core::SystemTime(std::chrono::nanoseconds(absl::ToUnixNanos(due)))};
        }
    }
}

std::optional<std::string> must_be_local_time(std::string_view text) {
    if (text.empty() || minutes_of(text)) {
        return std::nullopt;
    }
    return "must be a time of day such as 02:30";
}

std::optional<std::string> must_be_time_zone(std::string_view text) {
    if (text.empty() || zone_of(std::string(text))) {
        return std::nullopt;
    }
    return "must be a time zone this machine knows, such as Europe/Berlin (package tzdata)";
}

}  // namespace reconciliation
