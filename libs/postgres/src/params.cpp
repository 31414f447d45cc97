#include <fmt/format.h>
#include <syncline/core/time.h>
#include <syncline/postgres/params.h>
#include <array>

namespace syncline::postgres {
namespace {

void append_quoted(std::string& out, std::string_view element) {
    out += '"';
    for (const char c : element) {
        if (c == '"' || c == '\\') {
            out += '\\';
        }
        out += c;
    }
    out += '"';
}

void append_hex(std::string& out, std::string_view bytes) {
    constexpr std::string_view kDigits = "0123456789abcdef";
    for (const char c : bytes) {
        const auto byte = static_cast<unsigned char>(c);
        out += kDigits[byte >> 4U];
        out += kDigits[byte & 0xFU];
    }
}

// PostgreSQL would round nanoseconds; time must not move forward.
std::string timestamp_text(core::SystemTime time) {
    return core::format_rfc3339_utc(std::chrono::floor<std::chrono::microseconds>(time));
}

template <typename Range, typename Append>
std::string joined(const Range& elements, std::size_t bytes_each, const Append& append) {
    std::string out;
    out.reserve(2 + elements.size() * (bytes_each + 1));
    out += '{';
    bool first = true;
    for (const auto& element : elements) {
        if (!first) {
            out += ',';
        }
        first = false;
        append(out, element);
    }
    out += '}';
    return out;
}

void append_text(std::string& out, const std::optional<std::string>& element) {
    if (element) {
        append_quoted(out, *element);
    } else {
        out += "NULL";
    }
}

// Inside an array the backslash of the hex form is itself escaped.
void append_bytes(std::string& out, std::string_view bytes) {
    out += "\"\\\\x";
    append_hex(out, bytes);
    out += '"';
}

}  // namespace

std::string array_literal(std::span<const std::optional<std::string>> elements) {
    return joined(elements, 16, append_text);
}

std::string bytea_literal(std::string_view bytes) {
    std::string out = "\\x";
    out.reserve(2 + bytes.size() * 2);
    append_hex(out, bytes);
    return out;
}

Params& Params::push(std::optional<std::string> value) {
    if (first_with_nul_ == 0 && value && value->find('\0') != std::string::npos) {
        first_with_nul_ = values_.size() + 1;
    }
    values_.push_back(std::move(value));
    return *this;
}

Params& Params::add(std::string_view text) {
    return push(std::string(text));
}
Params& Params::add(const std::optional<std::string>& text) {
    return push(text);
}
Params& Params::add(bool value) {
    return push(value ? "t" : "f");
}
Params& Params::add_integer(std::int64_t value) {
    return push(fmt::format_int(value).str());
}
Params& Params::add(core::SystemTime time) {
    return push(timestamp_text(time));
}
Params& Params::add_null() {
    return push(std::nullopt);
}
Params& Params::add_bytes(std::string_view bytes) {
    return push(bytea_literal(bytes));
}

Params& Params::add_array(std::span<const std::optional<std::string>> texts) {
    return push(array_literal(texts));
}
Params& Params::add_array(std::span<const std::string> texts) {
    return push(joined(texts, 16, [](std::string& out, const std::string& text) { append_quoted(out, text); }));
}
Params& Params::add_array(std::span<const std::string_view> texts) {
    return push(joined(texts, 16, [](std::string& out, std::string_view text) { append_quoted(out, text); }));
}
Params& Params::add_array(std::span<const std::int64_t> values) {
    return push(joined(values, 12, [](std::string& out, std::int64_t value) { out += fmt::format_int(value).str(); }));
}
Params& Params::add_array(std::span<const std::int32_t> values) {
    return push(joined(values, 8, [](std::string& out, std::int32_t value) { out += fmt::format_int(value).str(); }));
}
Params& Params::add_array(std::span<const std::optional<std::int64_t>> values) {
    return push(joined(values, 12, [](std::string& out, const std::optional<std::int64_t>& value) {
        out += value ? fmt::format_int(*value).str() : "NULL";
    }));
}
Params& Params::add_array(std::span<const core::SystemTime> times) {
    return push(joined(times, 32, [](std::string& out, core::SystemTime time) { append_quoted(out, timestamp_text(time)); }));
}
Params& Params::add_array(const std::vector<bool>& values) {
    return push(joined(values, 2, [](std::string& out, bool value) { out += value ? 't' : 'f'; }));
}
Params& Params::add_bytes_array(std::span<const std::optional<std::string>> values) {
    return push(joined(values, 64, [](std::string& out, const std::optional<std::string>& value) {
        if (value) {
            append_bytes(out, *value);
        } else {
            out += "NULL";
        }
    }));
}
Params& Params::add_bytes_array(std::span<const std::string> values) {
    return push(joined(values, 64, [](std::string& out, const std::string& value) { append_bytes(out, value); }));
}

}  // namespace syncline::postgres
