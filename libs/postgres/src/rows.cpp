#include "src/driver.h"

#include <syncline/core/assert.h>
#include <syncline/core/time.h>
#include <syncline/postgres/rows.h>
#include <charconv>

namespace syncline::postgres {
namespace {

template <typename T>
T integer(std::string_view text) {
    T value{};
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    SYNCLINE_ASSERT(error == std::errc{} && end == text.data() + text.size());
    return value;
}

// "2026-11-21 15:30:36.123456+00": the session's time zone is UTC and its date style ISO.
core::SystemTime timestamp(std::string_view text) {
    SYNCLINE_ASSERT(text.size() > 13 && text[10] == ' ' && text.ends_with("+00"));
    std::string iso(text.substr(0, text.size() - 3));
    iso[10] = 'T';
    iso += 'Z';
    const auto time = core::parse_rfc3339(iso);
    SYNCLINE_ASSERT(time.has_value());
    return *time;
}

int hex_digit(char c) {
    if (c >= '0' && c <= '9') {
        return c - '0';
    }
    SYNCLINE_ASSERT(c >= 'a' && c <= 'f');
    return c - 'a' + 10;
}

std::string unhex(std::string_view text) {
    SYNCLINE_ASSERT(text.starts_with("\\x") && text.size() % 2 == 0);
    std::string out;
    out.reserve(text.size() / 2 - 1);
    for (std::size_t i = 2; i < text.size(); i += 2) {
        out += static_cast<char>(hex_digit(text[i]) * 16 + hex_digit(text[i + 1]));
    }
    return out;
}

}  // namespace

Rows::Rows(std::shared_ptr<const Held> held)
    : held_(std::move(held)), size_(row_count(*held_)), affected_(affected_rows(*held_)) {}

bool Row::is_null(int column) const {
    SYNCLINE_ASSERT(index_ < rows_->size_ && column >= 0 && column < column_count(*rows_->held_));
    return postgres::is_null(*rows_->held_, index_, column);
}

std::string_view Row::text(int column) const {
    SYNCLINE_ASSERT(!is_null(column));
    return postgres::text(*rows_->held_, index_, column);
}

std::int64_t Row::int64(int column) const {
    return integer<std::int64_t>(text(column));
}
std::int32_t Row::int32(int column) const {
    return integer<std::int32_t>(text(column));
}
bool Row::boolean(int column) const {
    const auto value = text(column);
    SYNCLINE_ASSERT(value == "t" || value == "f");
    return value == "t";
}
core::SystemTime Row::time(int column) const {
    return timestamp(text(column));
}
std::string Row::bytes(int column) const {
    return unhex(text(column));
}

std::optional<std::string_view> Row::optional_text(int column) const {
    return is_null(column) ? std::nullopt : std::optional(text(column));
}
std::optional<std::int64_t> Row::optional_int64(int column) const {
    return is_null(column) ? std::nullopt : std::optional(int64(column));
}
std::optional<core::SystemTime> Row::optional_time(int column) const {
    return is_null(column) ? std::nullopt : std::optional(time(column));
}
std::optional<std::string> Row::optional_bytes(int column) const {
    return is_null(column) ? std::nullopt : std::optional(bytes(column));
}

}  // namespace syncline::postgres
