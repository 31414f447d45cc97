// What is done about differences, and the brake that keeps a wrong snapshot from emptying a shop. Pure functions.
//
// Only a value that the source states is ever written: what is missing in a source is shown to a person, never set to zero.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "domain/compare_stock.h"
#include "domain/divergence.h"

namespace reconciliation {

enum class HealingMode : std::uint8_t { off, propose, correct };
enum class Healing : std::uint8_t { none, proposed, corrected, braked };
[[nodiscard]] std::string_view to_string(Healing value);

struct Brake {
    std::uint64_t percent_max = 5;  // Of all pairs.
    std::uint64_t zero_max = 20;    // Pairs that would be set from something to nothing.
};

// What a run wants to write.
struct HealingWish {
    std::uint64_t changes = 0;
    std::uint64_t zeroings = 0;
    void add(const Difference& difference);
};

// Whether this difference is one that can be corrected: drift, or an oversold item whose source has a value.
[[nodiscard]] bool correctable(const Difference& difference);
// Whether a person should see it: everything that does not go by itself.
[[nodiscard]] bool worth_showing(const Difference& difference);

// Why the brake holds the run; nothing if it does not.
[[nodiscard]] std::optional<std::string> brake_reason(const HealingWish& wish, std::uint64_t pairs, const Brake& brake);
[[nodiscard]] Healing healing_of(const Difference& difference, HealingMode mode, bool braked);

// A snapshot with far fewer rows than the last one of its source is not believed: kind needs_decision, code "snapshot_shrunken".
// `previous` is 0 when there was none.
[[nodiscard]] core::Result<void> check_size(std::uint64_t rows, std::uint64_t previous, std::uint64_t shrink_percent_max);

}  // namespace reconciliation
