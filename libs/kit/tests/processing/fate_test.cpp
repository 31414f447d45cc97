// The table of fates, row by row.
#include "src/processing/fate.h"

#include <catch2/catch_test_macros.hpp>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <set>
#include <source_location>
#include <string>

using namespace syncline;
using namespace syncline::kit;
using namespace std::chrono_literals;
using core::ErrorKind;

namespace {

core::Error error(ErrorKind kind, std::chrono::milliseconds retry_after = 0ms) {
    return {.kind = kind, .code = "code", .retry_after = retry_after};
}

}  // namespace

TEST_CASE("fate: a target that is away keeps its events at the head of their lanes, never by count to the dead letters",
          "[unit]") {
    for (const auto kind : {ErrorKind::transient, ErrorKind::throttled, ErrorKind::unauthorized}) {
        CHECK(decide_fate(error(kind), {.attempts = 1}).kind == FateKind::wait_for_circuit);
        CHECK(decide_fate(error(kind), {.attempts = 1000, .age = 1000h, .circuit_open = true}).kind ==
              FateKind::wait_for_circuit);
    }
    CHECK(decide_fate(error(ErrorKind::throttled, 90s), {.attempts = 1}).delay == 90s);
    CHECK(decide_fate(error(ErrorKind::transient), {.attempts = 1}).delay == 1s);
    CHECK(decide_fate(error(ErrorKind::transient), {.attempts = 30, .circuit_open = true}).delay == 30s);
}

TEST_CASE("fate: one key that stays transient while others succeed is parked, as is every key of a service without a target",
          "[unit]") {
    CHECK(decide_fate(error(ErrorKind::transient), {.attempts = kTransientAttemptsMax}) == Fate{FateKind::park, 15min});
    CHECK(decide_fate(error(ErrorKind::transient), {.attempts = 90, .age = 1000h}).kind == FateKind::park);
    CHECK(decide_fate(error(ErrorKind::transient), {.attempts = 1, .has_target = false}) == Fate{FateKind::park, 5s});
    CHECK(decide_fate(error(ErrorKind::transient, 90s), {.attempts = 9, .has_target = false}) == Fate{FateKind::park, 90s});
}

TEST_CASE("fate: an unknown outcome is sent again only where the target creates once", "[unit]") {
    CHECK(decide_fate(error(ErrorKind::unknown_outcome), {.attempts = 1, .creates_once = true}) == Fate{FateKind::retry, 0ms});
    CHECK(decide_fate(error(ErrorKind::unknown_outcome), {.attempts = 2, .creates_once = true}) == Fate{FateKind::retry, 0ms});
    CHECK(decide_fate(error(ErrorKind::unknown_outcome), {.attempts = 3, .creates_once = true}) == Fate{FateKind::park, 5s});
    CHECK(decide_fate(error(ErrorKind::unknown_outcome), {.attempts = 1, .longest_request = 120s}) ==
          Fate{FateKind::park, 120s, true});
    CHECK(decide_fate(error(ErrorKind::unknown_outcome), {.attempts = 9, .age = 24h}).kind == FateKind::dead_letter);
}

TEST_CASE("fate: conflict and not_ready park the key on the schedule, for a day at most", "[unit]") {
    for (const auto kind : {ErrorKind::conflict, ErrorKind::not_ready}) {
        CHECK(decide_fate(error(kind), {.attempts = 1}) == Fate{FateKind::park, 5s});
        CHECK(decide_fate(error(kind), {.attempts = 6, .age = 23h}) == Fate{FateKind::park, 1h});
        CHECK(decide_fate(error(kind), {.attempts = 6, .age = 24h}).kind == FateKind::dead_letter);
    }
    CHECK(decide_fate(error(ErrorKind::conflict), {.lease_busy = true, .lease_left = 30s}) == Fate{FateKind::wait_for_lease, 2s});
    CHECK(decide_fate(error(ErrorKind::conflict), {.lease_busy = true, .lease_left = 100ms}) ==
          Fate{FateKind::wait_for_lease, 100ms});
    CHECK(decide_fate(error(ErrorKind::conflict), {.lease_busy = true, .lease_left = -5s}) ==
          Fate{FateKind::wait_for_lease, 10ms});
}

TEST_CASE("fate: mappings and decisions hold without a limit, rejected and malformed are dead at once, bugs after three tries",
          "[unit]") {
    CHECK(decide_fate(error(ErrorKind::mapping_missing), {.attempts = 99, .age = 1000h}).kind == FateKind::hold);
    CHECK(decide_fate(error(ErrorKind::needs_decision), {.attempts = 99, .age = 1000h}).kind == FateKind::hold);
    CHECK(decide_fate(error(ErrorKind::rejected), {}).kind == FateKind::dead_letter);
    CHECK(decide_fate(error(ErrorKind::malformed), {}).kind == FateKind::dead_letter);
    CHECK(decide_fate(error(ErrorKind::bug), {.bug_tries = 1}) == Fate{FateKind::retry, 1s});
    CHECK(decide_fate(error(ErrorKind::bug), {.bug_tries = 2}) == Fate{FateKind::retry, 1s});
    CHECK(decide_fate(error(ErrorKind::bug), {.bug_tries = 3}).kind == FateKind::dead_letter);
}

TEST_CASE("fate: parked keys come back after 5 s, 15 s, 1 m, 5 m, 15 m and then every hour", "[unit]") {
    const std::array<std::chrono::milliseconds, 8> expected{5s, 15s, 1min, 5min, 15min, 1h, 1h, 1h};
    for (std::size_t i = 0; i < expected.size(); ++i) {
        CHECK(parked_delay(static_cast<int>(i) + 1) == expected[i]);
    }
    CHECK(parked_delay(0) == 5s);
    CHECK(parked_delay(1'000'000) == 1h);
}

TEST_CASE("fate: every kind has a row, and docs/architecture.md has every row", "[unit]") {
    std::set<ErrorKind> kinds;
    for (const auto& row : fate_table()) {
        kinds.insert(row.kind);
    }
    CHECK(kinds.size() == 11);
    const auto root = std::filesystem::path(SYNCLINE_SOURCE_DIR);
    std::ifstream file(root / "docs" / "architecture.md");
    REQUIRE(file.good());
    const std::string text{std::istreambuf_iterator<char>(file), {}};
    for (const auto& row : fate_table()) {
        const auto line =
            "| " + std::string(core::to_string(row.kind)) + " | " + std::string(row.when) + " | " + std::string(row.fate) + " |";
        INFO(line);
        CHECK(text.find(line) != std::string::npos);
    }
}
