#include <fmt/format.h>
#include <syncline/kit/config.h>

#include <syncline/core/assert.h>
#include <syncline/core/parse.h>
#include <algorithm>
#include <array>
#include <limits>

#include "src/runtime/value_text.h"

namespace syncline::kit {
namespace {

using Wrong = std::optional<std::string>;

std::string quoted(std::string_view text, const KeyOptions& options) {
    return options.secret ? std::string("the value") : fmt::format("\"{}\"", text.substr(0, 80));
}

Wrong check_text(std::string_view text, const KeyOptions& options) {
    if (!options.choices.empty() && std::ranges::find(options.choices, text) == options.choices.end()) {
        return fmt::format("{} is not one of: {}", quoted(text, options), fmt::join(options.choices, ", "));
    }
    if (options.validate) {
        if (auto wrong = options.validate(text)) {
            return fmt::format("{} {}", quoted(text, options), *wrong);
        }
    }
    return std::nullopt;
}

Wrong check_range(std::int64_t value, std::string_view text, std::string_view unit, const KeyOptions& options) {
    const auto space = unit.empty() ? "" : " ";
    if (options.min && value < *options.min) {
        return fmt::format("{} is below the least value, {}{}{}", quoted(text, options), *options.min, space, unit);
    }
    if (options.max && value > *options.max) {
        return fmt::format("{} is above the largest value, {}{}{}", quoted(text, options), *options.max, space, unit);
    }
    return std::nullopt;
}

const std::string* scalar_of(const ConfigValue& value) {
    return std::get_if<std::string>(&value);
}

std::string masked(std::string text, const KeyOptions& options) {
    return options.secret && !text.empty() ? "****" : text;
}

template <typename T>
ConfigSchema::Entry whole_number(std::string key, T& member, KeyOptions options) {
    ConfigSchema::Entry entry{
        .key = std::move(key), .type = "integer", .default_text = std::to_string(member), .options = options};
    entry.set = [&member, options](const ConfigValue& value) -> Wrong {
        const auto* text = scalar_of(value);
        const auto number = text == nullptr ? core::parse_int<T>("") : core::parse_int<T>(*text);
        if (!number) {
            return fmt::format("{} is not a whole number in range", text == nullptr ? "a list or map" : quoted(*text, options));
        }
        if constexpr (std::is_unsigned_v<T>) {
            if (*number > static_cast<T>(std::numeric_limits<std::int64_t>::max())) {
                return fmt::format("{} is not a whole number in range", quoted(*text, options));
            }
        }
        if (auto wrong = check_range(static_cast<std::int64_t>(*number), *text, options.unit, options)) {
            return wrong;
        }
        if (auto wrong = check_text(*text, options)) {
            return wrong;
        }
        member = *number;
        return std::nullopt;
    };
    entry.shown = [&member, options] {
        return masked(std::to_string(member), options);
    };
    return entry;
}

std::vector<std::string> split(std::string_view text) {
    std::vector<std::string> parts;
    while (!text.empty()) {
        const auto comma = text.find(',');
        auto part = text.substr(0, comma);
        while (!part.empty() && part.front() == ' ') {
            part.remove_prefix(1);
        }
        while (!part.empty() && part.back() == ' ') {
            part.remove_suffix(1);
        }
        if (!part.empty()) {
            parts.emplace_back(part);
        }
        text = comma == std::string_view::npos ? std::string_view{} : text.substr(comma + 1);
    }
    return parts;
}

std::string joined(const std::map<std::string, std::string>& map) {
    std::string text;
    for (const auto& [name, value] : map) {
        text += (text.empty() ? "" : ",") + name + "=" + value;
    }
    return text;
}

}  // namespace

StartError::StartError(std::string what, std::string cure)
    : StartError(std::vector{Problem{.what = std::move(what), .cure = std::move(cure)}}) {}

StartError::StartError(std::vector<Problem> problems)
    : std::runtime_error(problems.empty() ? "cannot start" : problems.front().what), problems_(std::move(problems)) {
    SYNCLINE_ASSERT(!problems_.empty());
}

StartError::StartError(const core::Error& error) : StartError(error.message, error.hint) {}

void ConfigSchema::add_entry(Entry entry) {
    SYNCLINE_ASSERT(!entry.options.help.empty());
    SYNCLINE_ASSERT(std::ranges::none_of(entries_, [&](const Entry& other) { return other.key == entry.key; }));
    entries_.push_back(std::move(entry));
}

void ConfigSchema::check(std::string key, std::function<std::optional<std::string>()> rule) {
    rules_.emplace_back(std::move(key), std::move(rule));
}

void ConfigSchema::add(std::string key, bool& member, KeyOptions options) {
    Entry entry{.key = std::move(key), .type = "bool", .default_text = member ? "true" : "false", .options = options};
    entry.set = [&member, options](const ConfigValue& value) -> Wrong {
        const auto* text = scalar_of(value);
        const auto flag = core::parse_bool(text == nullptr ? std::string_view{} : std::string_view{*text});
        if (!flag) {
            return fmt::format("{} is neither true nor false", text == nullptr ? "a list or map" : quoted(*text, options));
        }
        member = *flag;
        return std::nullopt;
    };
    entry.shown = [&member] {
        return member ? "true" : "false";
    };
    add_entry(std::move(entry));
}

void ConfigSchema::add(std::string key, int& member, KeyOptions options) {
    add_entry(whole_number(std::move(key), member, std::move(options)));
}

void ConfigSchema::add(std::string key, std::int64_t& member, KeyOptions options) {
    add_entry(whole_number(std::move(key), member, std::move(options)));
}

void ConfigSchema::add(std::string key, std::size_t& member, KeyOptions options) {
    add_entry(whole_number(std::move(key), member, std::move(options)));
}

void ConfigSchema::add(std::string key, std::string& member, KeyOptions options) {
    Entry entry{.key = std::move(key), .type = "string", .default_text = options.secret ? "" : member, .options = options};
    entry.set = [&member, options](const ConfigValue& value) -> Wrong {
        const auto* text = scalar_of(value);
        if (text == nullptr) {
            return "a list or map stands where one text belongs";
        }
        if (auto wrong = check_text(*text, options)) {
            return wrong;
        }
        member = *text;
        return std::nullopt;
    };
    entry.fill = [&member](const std::string& text) {
        member = text;
    };
    entry.shown = [&member, options] {
        return masked(member, options);
    };
    add_entry(std::move(entry));
}

void ConfigSchema::add(std::string key, std::chrono::milliseconds& member, KeyOptions options) {
    options.unit = "ms";
    Entry entry{.key = key, .type = "duration", .default_text = duration_text(member), .options = options};
    entry.set = [&member, options, key](const ConfigValue& value) -> Wrong {
        const auto* text = scalar_of(value);
        const auto duration = text == nullptr ? std::nullopt : parse_duration(*text, key);
        if (!duration) {
            return fmt::format("{} is not a duration: write 500ms, 8s, 5m or 2h",
                               text == nullptr ? "a list or map" : quoted(*text, options));
        }
        if (auto wrong = check_range(duration->count(), *text, "ms", options)) {
            return wrong;
        }
        member = *duration;
        return std::nullopt;
    };
    entry.shown = [&member] {
        return duration_text(member);
    };
    add_entry(std::move(entry));
}

void ConfigSchema::add(std::string key, Bytes& member, KeyOptions options) {
    options.unit = "bytes";
    Entry entry{.key = std::move(key), .type = "bytes", .default_text = bytes_text(member.value), .options = options};
    entry.set = [&member, options](const ConfigValue& value) -> Wrong {
        const auto* text = scalar_of(value);
        const auto bytes = text == nullptr ? std::nullopt : parse_bytes(*text);
        if (!bytes) {
            return fmt::format("{} is not a size: write 64KiB, 8MiB or a number of bytes",
                               text == nullptr ? "a list or map" : quoted(*text, options));
        }
        if (auto wrong = check_range(static_cast<std::int64_t>(*bytes), *text, "bytes", options)) {
            return wrong;
        }
        member.value = *bytes;
        return std::nullopt;
    };
    entry.shown = [&member] {
        return bytes_text(member.value);
    };
    add_entry(std::move(entry));
}

void ConfigSchema::add(std::string key, std::vector<std::string>& member, KeyOptions options) {
    Entry entry{
        .key = std::move(key), .type = "list", .default_text = fmt::format("{}", fmt::join(member, ",")), .options = options};
    entry.set = [&member, options](const ConfigValue& value) -> Wrong {
        std::vector<std::string> list;
        if (const auto* text = scalar_of(value)) {
            list = split(*text);
        } else if (const auto* sequence = std::get_if<std::vector<std::string>>(&value)) {
            list = *sequence;
        } else {
            return "a map stands where a list belongs";
        }
        for (const auto& element : list) {
            if (auto wrong = check_text(element, options)) {
                return wrong;
            }
        }
        if (auto wrong =
                check_range(static_cast<std::int64_t>(list.size()), fmt::format("a list of {}", list.size()), "", options)) {
            return wrong;
        }
        member = std::move(list);
        return std::nullopt;
    };
    entry.shown = [&member, options] {
        return masked(fmt::format("{}", fmt::join(member, ",")), options);
    };
    add_entry(std::move(entry));
}

void ConfigSchema::add(std::string key, std::map<std::string, std::string>& member, KeyOptions options) {
    Entry entry{.key = std::move(key), .type = "map", .default_text = joined(member), .options = options};
    entry.set = [&member, options](const ConfigValue& value) -> Wrong {
        std::map<std::string, std::string> map;
        if (const auto* text = scalar_of(value)) {
            for (const auto& pair : split(*text)) {
                const auto equals = pair.find('=');
                if (equals == std::string::npos) {
                    return "each part of a map is written name=value";
                }
                map[pair.substr(0, equals)] = pair.substr(equals + 1);
            }
        } else if (const auto* given = std::get_if<std::map<std::string, std::string>>(&value)) {
            map = *given;
        } else {
            return "a list stands where a map belongs";
        }
        for (const auto& [name, element] : map) {
            if (auto wrong = check_text(element, options)) {
                return fmt::format("{}: {}", name, *wrong);
            }
        }
        member = std::move(map);
        return std::nullopt;
    };
    entry.shown = [&member, options] {
        return masked(joined(member), options);
    };
    add_entry(std::move(entry));
}

void ConfigSchema::add(std::string key, SecretFile& member, KeyOptions options) {
    Entry entry{.key = std::move(key), .type = "secret_file", .default_text = member.path(), .options = std::move(options)};
    entry.set = [&member](const ConfigValue& value) -> Wrong {
        const auto* text = scalar_of(value);
        if (text == nullptr) {
            return "a list or map stands where the path of a file belongs";
        }
        member = SecretFile(*text);
        // Whether it can be read is asked when the service really starts: --check-config may run where no secret is mounted.
        return std::nullopt;
    };
    entry.shown = [&member] {
        return member.path();
    };
    entry.secret = [&member] {
        return member;
    };
    add_entry(std::move(entry));
}

std::optional<std::string> must_be_url(std::string_view text) {
    for (const std::string_view scheme : {"http://", "https://"}) {
        if (text.starts_with(scheme) && text.size() > scheme.size() && text[scheme.size()] != '/') {
            return std::nullopt;
        }
    }
    return "is not an http:// or https:// address";
}

std::optional<std::string> must_be_host_port(std::string_view text) {
    const auto colon = text.rfind(':');
    if (colon == std::string_view::npos || colon == 0) {
        return "is not host:port";
    }
    const auto host = text.substr(0, colon);
    if (host.find(':') != std::string_view::npos && !(host.front() == '[' && host.back() == ']')) {
        return "is not host:port (write an IPv6 address in brackets)";
    }
    if (!core::parse_int<std::uint16_t>(text.substr(colon + 1))) {
        return "has no port between 0 and 65535 after its last colon";
    }
    return std::nullopt;
}

std::optional<std::string> must_be_alias(std::string_view text) {
    const auto allowed = [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-';
    };
    if (text.empty() || text.size() > 63 || !std::ranges::all_of(text, allowed)) {
        return "is not 1 to 63 of a-z, 0-9 and -";
    }
    return std::nullopt;
}

}  // namespace syncline::kit
