// Durations and sizes as people write them in a configuration. Internal to the runtime.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace syncline::kit {

// 500ms, 8s, 5m, 2h; a bare number if `key` ends in _ms or _seconds. Nothing if it is no duration or too long (a hundred years).
[[nodiscard]] std::optional<std::chrono::milliseconds> parse_duration(std::string_view text, std::string_view key);
[[nodiscard]] std::string duration_text(std::chrono::milliseconds duration);

// 64KiB, 8MiB, 1GiB or a number of bytes.
[[nodiscard]] std::optional<std::uint64_t> parse_bytes(std::string_view text);
[[nodiscard]] std::string bytes_text(std::uint64_t bytes);

// The candidate with the fewest edits away, if it is near enough to be meant; empty otherwise.
[[nodiscard]] std::string nearest_name(std::string_view name, const std::vector<std::string>& candidates);

}  // namespace syncline::kit
