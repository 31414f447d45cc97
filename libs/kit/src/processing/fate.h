// What becomes of an event whose handler failed: the one place that decides. Pure; docs/architecture.md prints fate_table().
#pragma once

#include <syncline/core/error.h>
#include <chrono>
#include <optional>
#include <span>
#include <string_view>

namespace syncline::kit {

enum class FateKind : std::uint8_t {
    wait_for_circuit,  // Stays at the head of its lane; the circuit says when.
    retry,             // Stays at the head of its lane; again after `delay`.
    wait_for_lease,    // As retry, and the attempt is not counted.
    park,              // Into the key's queue; again after `delay`.
    hold,              // Into the key's queue, until a mapping, a newer event or a person.
    dead_letter,
};

struct Fate {
    FateKind kind = FateKind::dead_letter;
    std::chrono::milliseconds delay{0};
    bool firm = false;  // park: not even a newer event of the key makes it come sooner.
    friend bool operator==(const Fate&, const Fate&) = default;
};

struct FateContext {
    int attempts = 1;                  // Finished ones, this one included.
    int bug_tries = 1;                 // Attempts in a row that ended as a bug, this one included.
    std::chrono::milliseconds age{0};  // Since the first failure.
    bool has_target = true;
    bool circuit_open = false;
    bool creates_once = false;  // The effect whose outcome is unknown creates at most once by its key.
    bool lease_busy = false;    // Another holds the intent's lease.
    std::chrono::milliseconds lease_left{0};
    std::chrono::milliseconds longest_request{120'000};
    std::chrono::milliseconds parked_limit{86'400'000};
};

[[nodiscard]] Fate decide_fate(const core::Error& error, const FateContext& context);

// Before attempt n + 1 of a parked event, n from 1: 5 s, 15 s, 1 m, 5 m, 15 m, then 1 h.
[[nodiscard]] std::chrono::milliseconds parked_delay(int attempts);

inline constexpr int kBugTriesMax = 3;
inline constexpr int kResendsMax = 3;            // At once, of an effect that creates once.
inline constexpr int kTransientAttemptsMax = 5;  // With a closed circuit: others succeed, so it is this key.

// For docs/architecture.md and --describe.
struct FateRow {
    core::ErrorKind kind;
    std::string_view when;
    std::string_view fate;
};
[[nodiscard]] std::span<const FateRow> fate_table();

}  // namespace syncline::kit
