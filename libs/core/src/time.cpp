#include "syncline/core/time.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <optional>

namespace syncline::core {
namespace {

constexpr int kYearMin = 1900;
constexpr int kYearMax = 2200;
constexpr std::size_t kFractionDigitsMax = 9;

// Reads fixed fields from the front of a text.
class Fields {
public:
    explicit Fields(std::string_view text) : text_(text) {}
    std::optional<int> digits(std::size_t count) {
        if (text_.size() < count) {
            return std::nullopt;
        }
        int value = 0;
        for (std::size_t i = 0; i < count; ++i) {
            if (text_[i] < '0' || text_[i] > '9') {
                return std::nullopt;
            }
            value = value * 10 + (text_[i] - '0');
        }
        text_.remove_prefix(count);
        return value;
    }
    bool take(std::string_view one_of) {
        if (text_.empty() || one_of.find(text_.front()) == std::string_view::npos) {
            return false;
        }
        text_.remove_prefix(1);
        return true;
    }
    std::optional<std::chrono::nanoseconds> fraction() {
        const auto end = std::ranges::find_if(text_, [](char c) { return c < '0' || c > '9'; });
        const auto count = static_cast<std::size_t>(end - text_.begin());
        if (count == 0 || count > kFractionDigitsMax) {
            return std::nullopt;
        }
        auto value = *digits(count);
        for (std::size_t i = count; i < kFractionDigitsMax; ++i) {
            value *= 10;
        }
        return std::chrono::nanoseconds{value};
    }
    [[nodiscard]] char peek() const { return text_.empty() ? '\0' : text_.front(); }
    [[nodiscard]] bool empty() const { return text_.empty(); }

private:
    std::string_view text_;
};

std::optional<SystemTime> parse(std::string_view text) {
    Fields fields(text);
    const auto year = fields.digits(4);
    const bool dash1 = fields.take("-");
    const auto month = fields.digits(2);
    const bool dash2 = fields.take("-");
    const auto day = fields.digits(2);
    const bool t = fields.take("Tt");
    const auto hour = fields.digits(2);
    const bool colon1 = fields.take(":");
    const auto minute = fields.digits(2);
    const bool colon2 = fields.take(":");
    const auto second = fields.digits(2);
    if (!year || !dash1 || !month || !dash2 || !day || !t || !hour || !colon1 || !minute || !colon2 || !second) {
        return std::nullopt;
    }
    const std::chrono::year_month_day date{std::chrono::year{*year}, std::chrono::month{static_cast<unsigned>(*month)},
                                           std::chrono::day{static_cast<unsigned>(*day)}};
    if (*year < kYearMin || *year > kYearMax || !date.ok() || *hour > 23 || *minute > 59 || *second > 60) {
        return std::nullopt;
    }
    std::chrono::nanoseconds fraction{0};
    if (fields.take(".")) {
        const auto digits = fields.fraction();
        if (!digits) {
            return std::nullopt;
        }
        fraction = *digits;
    }
    std::chrono::minutes offset{0};
    if (!fields.take("Zz")) {
        const bool west = fields.peek() == '-';
        const bool sign = fields.take("+-");
        const auto offset_hours = fields.digits(2);
        const bool colon = fields.take(":");
        const auto offset_minutes = fields.digits(2);
        if (!sign || !offset_hours || !colon || !offset_minutes || *offset_hours > 23 || *offset_minutes > 59) {
            return std::nullopt;
        }
        offset = std::chrono::hours{*offset_hours} + std::chrono::minutes{*offset_minutes};
        offset = west ? -offset : offset;
    }
    if (!fields.empty()) {
        return std::nullopt;
    }
    return SystemTime{std::chrono::sys_days{date}} + std::chrono::hours{*hour} + std::chrono::minutes{*minute} +
           std::chrono::seconds{*second} + fraction - offset;
}

struct Parts {
    std::string seconds;  // "2026-11-20T08:15:30"
    std::int64_t nanos;
};

Parts parts_of(SystemTime time) {
    const auto whole = std::chrono::floor<std::chrono::seconds>(time);
    const auto days = std::chrono::floor<std::chrono::days>(whole);
    const std::chrono::year_month_day date{days};
    const std::chrono::hh_mm_ss clock{whole - days};
    return {
        fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}", static_cast<int>(date.year()), static_cast<unsigned>(date.month()),
                    static_cast<unsigned>(date.day()), clock.hours().count(), clock.minutes().count(), clock.seconds().count()),
        (time - whole).count()};
}

}  // namespace

Result<SystemTime> parse_rfc3339(std::string_view text) {
    const auto time = parse(text);
    if (!time) {
        return fail(ErrorKind::malformed, "time_malformed", "not a date and time of RFC 3339");
    }
    return *time;
}

std::string format_rfc3339_utc(SystemTime time) {
    auto [text, nanos] = parts_of(time);
    if (nanos != 0) {
        text += fmt::format(".{:09}", nanos);
        text.erase(text.find_last_not_of('0') + 1);
    }
    return text + 'Z';
}

std::string format_rfc3339_utc_millis(SystemTime time) {
    const auto [text, nanos] = parts_of(time);
    return fmt::format("{}.{:03}Z", text, nanos / 1'000'000);
}

}  // namespace syncline::core
