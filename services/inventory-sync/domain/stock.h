// What a source has told of one item at one of its places: an absolute level and the changes since.
//
// An absolute level observed at T replaces what was known before T. Changes later than T count on top of it, in whatever order
// they come, each once; changes up to T are in the level already. Arrival order decides nothing. Values, pure; any thread.
#pragma once

#include <syncline/core/clock.h>
#include <syncline/core/decimal.h>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>

namespace inventory_sync {

namespace core = syncline::core;
using core::Decimal;

// What the quantities of a source mean.
enum class Basis : std::uint8_t {
    physical,    // What lies on the shelf; written as on_hand, Shopify subtracts what it has committed.
    net_of_own,  // Net of the source's own orders; every order of the shops is still to be subtracted.
    net_of_all,  // Net of the shops' orders too, as far as the source knew them when it looked.
};

// A place as its source names it.
struct Place {
    std::string source;
    std::string location;
    friend auto operator<=>(const Place&, const Place&) = default;
};

struct Position {
    std::string sku;
    Place place;
    friend auto operator<=>(const Position&, const Position&) = default;
};

struct Level {
    Decimal quantity;
    core::SystemTime observed{};
    std::string epoch;           // Empty: the source has none.
    std::uint64_t sequence = 0;  // Within the epoch; 0: the source has none.
    std::string snapshot;        // The full snapshot it belongs to; empty: a single report.
};

struct Change {
    Decimal delta;
    core::SystemTime observed{};
    std::string id;  // The source's own; unique within its epoch.
    std::string epoch;
};

enum class Arrival : std::uint8_t {
    replaces,
    superseded,     // Observed before what is known.
    repeated,       // Known already.
    sequence_back,  // Later in time with a lower sequence: the source began anew without saying so (a new epoch or a snapshot).
};

// What becomes of a level that arrives while `known` is in force. `previous_epoch` is the one before that of `known`.
// Equal times without sequences: the lower quantity holds, so that the order of arrival does not matter and nothing is oversold.
[[nodiscard]] Arrival judge(const Level& known, const std::string& previous_epoch, const Level& arriving);

// The quantities that are taken: at most ±10^12 with nine places, so that no sum of them leaves the range of Decimal.
[[nodiscard]] core::Result<Decimal> acceptable(const Decimal& quantity);

// The state of one position.
class PositionState {
public:
    Arrival accept(const Level& level);
    // False: known already, or in the level already.
    bool accept(const Change& change);

    // Unknown before the first level.
    [[nodiscard]] std::optional<Decimal> quantity() const;
    // Up to when the source's own changes are in quantity(): the newest time of a level or change.
    [[nodiscard]] core::SystemTime known_until() const;
    [[nodiscard]] const std::optional<Level>& level() const { return level_; }

private:
    std::optional<Level> level_;
    std::string previous_epoch_;
    std::map<std::pair<std::string, std::string>, Change> changes_;  // By epoch and id.
};

}  // namespace inventory_sync
