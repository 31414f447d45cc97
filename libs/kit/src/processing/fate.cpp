#include "src/processing/fate.h"

#include <algorithm>
#include <array>

namespace syncline::kit {
namespace {

using core::ErrorKind;
using namespace std::chrono_literals;

constexpr std::array kTable{
    FateRow{ErrorKind::transient, "the target is there for nobody",
            "wait for the circuit, partitions paused, at the head of its lane"},
    FateRow{ErrorKind::transient, "5 attempts while others succeed, or no target", "park the key, without a limit"},
    FateRow{ErrorKind::throttled, "", "wait for the circuit (it opens for retry-after), at the head of its lane"},
    FateRow{ErrorKind::unauthorized, "", "wait for the circuit (it opens at once), at the head of its lane"},
    FateRow{ErrorKind::unknown_outcome, "the target creates once by the key", "send again at once, 3 times, then park the key"},
    FateRow{ErrorKind::unknown_outcome, "otherwise",
            "park the key for the target's longest request, whatever comes meanwhile, then look up; 24 h, then dead letter"},
    FateRow{ErrorKind::conflict, "another holds the intent", "come back when its lease ends, not counted"},
    FateRow{ErrorKind::conflict, "otherwise", "park the key; 24 h, then dead letter with its queue"},
    FateRow{ErrorKind::not_ready, "", "park the key; 24 h, then dead letter with its queue"},
    FateRow{ErrorKind::mapping_missing, "", "hold until the mapping has the entry, a newer event or a person"},
    FateRow{ErrorKind::needs_decision, "", "hold until a newer event or a person"},
    FateRow{ErrorKind::rejected, "", "dead letter; later events of the key go on"},
    FateRow{ErrorKind::malformed, "", "dead letter; later events of the key go on"},
    FateRow{ErrorKind::bug, "fewer than 3 tries", "again after a second"},
    FateRow{ErrorKind::bug, "the third try", "dead letter"},
};

Fate park_within_limit(std::chrono::milliseconds delay, const FateContext& context) {
    return context.age >= context.parked_limit ? Fate{FateKind::dead_letter} : Fate{FateKind::park, delay};
}

Fate of_transient(const core::Error& error, const FateContext& context) {
    if (!context.has_target) {
        // A service with many targets of its own (the shops) says itself when to come back.
        return {FateKind::park, error.retry_after > 0ms ? error.retry_after : parked_delay(context.attempts)};
    }
    const auto delay = std::max(error.retry_after, parked_delay(context.attempts));
    if (!context.circuit_open && context.attempts >= kTransientAttemptsMax) {
        return {FateKind::park, delay};
    }
    const auto step = std::min<std::chrono::milliseconds>(1s * (1 << std::min(context.attempts - 1, 5)), 30s);
    return {FateKind::wait_for_circuit, std::max(error.retry_after, step)};
}

}  // namespace

std::chrono::milliseconds parked_delay(int attempts) {
    constexpr std::array<std::chrono::milliseconds, 6> kSchedule{5s, 15s, 1min, 5min, 15min, 1h};
    const auto index = std::clamp<std::size_t>(static_cast<std::size_t>(std::max(attempts, 1)) - 1, 0, kSchedule.size() - 1);
    return kSchedule.at(index);
}

Fate decide_fate(const core::Error& error, const FateContext& context) {
    switch (error.kind) {
        case ErrorKind::transient:
        case ErrorKind::throttled:
        case ErrorKind::unauthorized:
            return of_transient(error, context);
        case ErrorKind::unknown_outcome:
            if (!context.creates_once) {
                auto fate = park_within_limit(context.longest_request, context);
                fate.firm = fate.kind == FateKind::park;
                return fate;
            }
            if (context.attempts < kResendsMax) {
                return {FateKind::retry, 0ms};
            }
            return park_within_limit(parked_delay(context.attempts - kResendsMax + 1), context);
        case ErrorKind::conflict:
            if (context.lease_busy) {
                return {FateKind::wait_for_lease, std::clamp<std::chrono::milliseconds>(context.lease_left, 10ms, 2s)};
            }
            [[fallthrough]];
        case ErrorKind::not_ready:
            return park_within_limit(std::max(error.retry_after, parked_delay(context.attempts)), context);
        case ErrorKind::mapping_missing:
        case ErrorKind::needs_decision:
            return {FateKind::hold};
        case ErrorKind::rejected:
        case ErrorKind::malformed:
            return {FateKind::dead_letter};
        case ErrorKind::bug:
            return context.bug_tries < kBugTriesMax ? Fate{FateKind::retry, 1s} : Fate{FateKind::dead_letter};
    }
    return {FateKind::dead_letter};
}

std::span<const FateRow> fate_table() {
    return kTable;
}

}  // namespace syncline::kit
