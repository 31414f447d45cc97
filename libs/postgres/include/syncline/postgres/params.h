// The parameters of one statement, in order: $1 is the first one added.
//
// Everything travels as text, so a statement casts where PostgreSQL cannot infer the type ($1::bigint, $2::text[]).
// Text with a NUL byte cannot be stored by PostgreSQL and libpq would cut it off silently: it is remembered as an error
// and Transaction::exec refuses the statement (kind malformed, code "nul_byte"). Use add_bytes for bytea.
#pragma once

#include <syncline/core/clock.h>
#include <concepts>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace syncline::postgres {

class Params {
public:
    Params& add(std::string_view text);
    Params& add(const char* text) { return add(std::string_view(text)); }
    Params& add(const std::string& text) { return add(std::string_view(text)); }
    Params& add(const std::optional<std::string>& text);
    Params& add(bool value);
    template <std::integral T>
    Params& add(T value) {
        return add_integer(static_cast<std::int64_t>(value));
    }
    // timestamptz, cut to microseconds.
    Params& add(core::SystemTime time);
    Params& add_null();
    // bytea: any bytes.
    Params& add_bytes(std::string_view bytes);

    // One-dimensional arrays: text[], bigint[], boolean[], timestamptz[], bytea[]; nullopt is NULL. Any length, also 0.
    Params& add_array(std::span<const std::optional<std::string>> texts);
    Params& add_array(std::span<const std::string> texts);
    Params& add_array(std::span<const std::string_view> texts);
    Params& add_array(std::span<const std::int64_t> values);
    Params& add_array(std::span<const std::int32_t> values);
    Params& add_array(std::span<const std::optional<std::int64_t>> values);
    Params& add_array(std::span<const core::SystemTime> times);
    Params& add_array(const std::vector<bool>& values);
    Params& add_bytes_array(std::span<const std::optional<std::string>> values);
    Params& add_bytes_array(std::span<const std::string> values);

    [[nodiscard]] std::size_t size() const { return values_.size(); }
    [[nodiscard]] const std::vector<std::optional<std::string>>& values() const { return values_; }
    // Number ($n) of the first parameter with a NUL byte; 0 if there is none.
    [[nodiscard]] std::size_t first_with_nul() const { return first_with_nul_; }

private:
    Params& add_integer(std::int64_t value);
    Params& push(std::optional<std::string> value);

    std::vector<std::optional<std::string>> values_;
    std::size_t first_with_nul_ = 0;
};

// Text of an array for a parameter with a cast, e.g. {"a b",NULL,"say \"hi\""}. Every element is quoted.
[[nodiscard]] std::string array_literal(std::span<const std::optional<std::string>> elements);

// Text of a bytea parameter: \x followed by lower-case hex digits.
[[nodiscard]] std::string bytea_literal(std::string_view bytes);

}  // namespace syncline::postgres
