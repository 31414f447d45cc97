#include "src/runtime/value_text.h"

#include <syncline/core/parse.h>
#include <algorithm>
#include <limits>
#include <numeric>

namespace syncline::kit {
namespace {

struct Suffix {
    std::string_view text;
    std::int64_t factor;
};

std::optional<std::int64_t> scaled(std::string_view number, std::int64_t factor, std::int64_t most) {
    const auto value = core::parse_int<std::int64_t>(number);
    if (!value || *value < 0 || *value > most / factor) {
        return std::nullopt;
    }
    return *value * factor;
}

std::size_t edits_between(std::string_view a, std::string_view b) {
    std::vector<std::size_t> row(b.size() + 1);
    std::iota(row.begin(), row.end(), std::size_t{0});
    for (std::size_t i = 1; i <= a.size(); ++i) {
        std::size_t diagonal = row[0];
        row[0] = i;
        for (std::size_t j = 1; j <= b.size(); ++j) {
            const auto above = row[j];
            row[j] = std::min({above + 1, row[j - 1] + 1, diagonal + (a[i - 1] == b[j - 1] ? 0 : 1)});
            diagonal = above;
        }
    }
    return row[b.size()];
}

}  // namespace

std::optional<std::chrono::milliseconds> parse_duration(std::string_view text, std::string_view key) {
    constexpr std::int64_t kMost = std::int64_t{100} * 365 * 86'400'000;
    static constexpr Suffix kSuffixes[] = {{"ms", 1}, {"s", 1000}, {"m", 60'000}, {"h", 3'600'000}, {"d", 86'400'000}};
    std::int64_t factor = 0;
    for (const auto& suffix : kSuffixes) {
        if (text.ends_with(suffix.text)) {
            text.remove_suffix(suffix.text.size());
            factor = suffix.factor;
            break;
        }
    }
    if (factor == 0) {
        factor = key.ends_with("_ms") ? 1 : key.ends_with("_seconds") ? 1000 : 0;
    }
    if (factor == 0) {
        return std::nullopt;
    }
    const auto value = scaled(text, factor, kMost);
    return value ? std::optional(std::chrono::milliseconds(*value)) : std::nullopt;
}

std::string duration_text(std::chrono::milliseconds duration) {
    const auto ms = duration.count();
    if (ms != 0 && ms % 3'600'000 == 0) {
        return std::to_string(ms / 3'600'000) + "h";
    }
    if (ms != 0 && ms % 60'000 == 0) {
        return std::to_string(ms / 60'000) + "m";
    }
    if (ms % 1000 == 0) {
        return std::to_string(ms / 1000) + "s";
    }
    return std::to_string(ms) + "ms";
}

std::optional<std::uint64_t> parse_bytes(std::string_view text) {
    static constexpr Suffix kSuffixes[] = {{"KiB", 1LL << 10}, {"MiB", 1LL << 20}, {"GiB", 1LL << 30}};
    std::int64_t factor = 1;
    for (const auto& suffix : kSuffixes) {
        if (text.ends_with(suffix.text)) {
            text.remove_suffix(suffix.text.size());
            factor = suffix.factor;
            break;
        }
    }
    const auto value = scaled(text, factor, std::numeric_limits<std::int64_t>::max());
    return value ? std::optional(static_cast<std::uint64_t>(*value)) : std::nullopt;
}

std::string bytes_text(std::uint64_t bytes) {
    static constexpr Suffix kSuffixes[] = {{"GiB", 1LL << 30}, {"MiB", 1LL << 20}, {"KiB", 1LL << 10}};
    for (const auto& suffix : kSuffixes) {
        if (bytes != 0 && bytes % static_cast<std::uint64_t>(suffix.factor) == 0) {
            return std::to_string(bytes / static_cast<std::uint64_t>(suffix.factor)).append(suffix.text);
        }
    }
    return std::to_string(bytes);
}

std::string nearest_name(std::string_view name, const std::vector<std::string>& candidates) {
    std::string best;
    std::size_t fewest = std::max<std::size_t>(2, name.size() / 3) + 1;
    for (const auto& candidate : candidates) {
        auto edits = edits_between(name, candidate);
        // The right last word in the wrong section (brokers for kafka.brokers) is meant too.
        if (const auto dot = candidate.rfind('.');
            dot != std::string::npos && candidate.substr(dot + 1) == name.substr(name.rfind('.') + 1)) {
            edits = std::min<std::size_t>(edits, 2);
        }
        if (edits < fewest) {
            fewest = edits;
            best = candidate;
        }
    }
    return best;
}

}  // namespace syncline::kit
