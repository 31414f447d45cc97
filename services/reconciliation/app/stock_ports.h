// What a run of the comparison of stock needs: the sides that are compared, and the record of runs.
#pragma once

#include <syncline/core/clock.h>
#include <syncline/core/error.h>
#include <array>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "app/shop_lanes.h"
#include "domain/compare_stock.h"
#include "domain/healing.h"
#include "domain/stock_rows.h"

namespace reconciliation {

enum class RunKind : std::uint8_t { nightly, changed, asked };
enum class RunState : std::uint8_t {
    waiting,  // For its turn, or for its next try.
    comparing,
    announcing,  // The comparison counts; its events leave step by step.
    braked,      // It wants to change too much: a person decides.
    approved,    // A person said yes; the corrections are announced.
    done,
    failed,
};
[[nodiscard]] std::string_view to_string(RunKind kind);
[[nodiscard]] std::string_view to_string(RunState state);
[[nodiscard]] RunState run_state_from(std::string_view name);

inline constexpr std::string_view kOwnSide = "syncline";

struct StockRun {
    std::string id;
    std::string shop;
    RunKind kind = RunKind::asked;
    std::string night;     // Local date of a nightly run.
    std::string location;  // Shopify's location id; empty: all.
    std::string source;    // Compared with this side alone; empty: with all.
    std::optional<core::SystemTime> changed_since;
    bool accept_size = false;
    RunState state = RunState::waiting;
    int attempts = 0;
    std::string bulk_id;  // Of a bulk query begun for this run.
    std::optional<core::SystemTime> bulk_at;
    std::optional<core::SystemTime> started_at;
};

// Shopify's levels of one shop, sorted, to be read any number of times.
class ShopSnapshot {
public:
    virtual ~ShopSnapshot() = default;
    // Rows of these locations (and of items); empty: of all.
    [[nodiscard]] virtual core::Result<std::unique_ptr<StockRows>> open(const std::vector<std::string>& locations) = 0;
    [[nodiscard]] virtual std::uint64_t levels() const = 0;
    [[nodiscard]] virtual core::SystemTime begun_at() const = 0;  // No value is older than it was then.
};

struct OtherSnapshot {
    std::unique_ptr<StockRows> rows;     // Sorted.
    std::uint64_t count = 0;             // Of all rows, before a changed run leaves out what it does not look at.
    std::vector<std::string> locations;  // That are compared; empty: all of the mapping.
    SameKey same_key = SameKey::parts;
    std::function<StockPolicy(std::string_view sku, std::string_view location)> policy_of;
};

class StockSides {
public:
    virtual ~StockSides() = default;
    // Whether the shop's stock is kept at all: the mapping names it.
    [[nodiscard]] virtual bool serves(const std::string& shop) const = 0;
    // Blocks for as long as Shopify needs. `begun` keeps the id of the bulk query before it is waited for.
    // Errors: transient and throttled (later); code beginning with "bulk_" (a new query is needed).
    [[nodiscard]] virtual core::Result<std::unique_ptr<ShopSnapshot>> shopify(
        const StockRun& run, const std::function<core::Result<void>(const std::string& bulk_id)>& begun,
        const StillOurs& ours) = 0;
    // kOwnSide first, then the sources whose snapshots can be compared.
    [[nodiscard]] virtual std::vector<std::string> others(const std::string& shop) const = 0;
    // `shopify`: of a changed run, the pairs to look at.
    [[nodiscard]] virtual core::Result<OtherSnapshot> other(const StockRun& run, const std::string& side, ShopSnapshot& shopify,
                                                            const StillOurs& ours) = 0;
};

// One side's comparison as it is kept.
struct ComparisonResult {
    std::string side;
    std::optional<core::Error> error;
    CompareTotals totals;
    std::uint64_t all_rows = 0;  // Of the other side.
    std::uint64_t kept = 0;      // Differences in the record.
};

struct KeptDifference {
    std::int64_t number = 0;  // From 1, of its side.
    std::string side;
    Difference difference;
    std::string cause;  // Owns the text of difference.cause.
    Healing healing = Healing::none;
};

// Every writing member but plan() works only while the run is this owner's: kind conflict, code "run_lost", otherwise.
class StockRuns {
public:
    virtual ~StockRuns() = default;
    // Adds a run; nothing if that night has one, or an unfinished one of the same kind waits already. True: added.
    [[nodiscard]] virtual core::Result<bool> plan(const StockRun& run, const std::string& by, const std::string& reason) = 0;
    // When a run of that kind last began; nullopt: never.
    [[nodiscard]] virtual core::Result<std::optional<core::SystemTime>> last_began(const std::string& shop, RunKind kind) = 0;
    // From when the next changed run must look: the begin of the last one, or of the last full one, that came to its end.
    [[nodiscard]] virtual core::Result<std::optional<core::SystemTime>> compared_until(const std::string& shop) = 0;
    // The next run that is due becomes this owner's; one that a dead instance left comes first. What its comparison had kept is
    // forgotten unless it is beyond comparing.
    [[nodiscard]] virtual core::Result<std::optional<StockRun>> claim(const std::string& shop) = 0;
    [[nodiscard]] virtual core::Result<void> bulk_begun(const StockRun& run, const std::string& bulk_id) = 0;
    // Of the last full run of the same scope that was believed; 0: none.
    [[nodiscard]] virtual core::Result<std::uint64_t> rows_before(const StockRun& run, const std::string& side) = 0;
    [[nodiscard]] virtual core::Result<void> keep(const StockRun& run, const std::vector<KeptDifference>& differences) = 0;
    // All comparisons are through: `brake` says why the corrections wait, if they do.
    [[nodiscard]] virtual core::Result<void> compared(const StockRun& run, std::uint64_t shopify_rows,
                                                      const std::vector<ComparisonResult>& results, HealingMode mode,
                                                      const std::optional<std::string>& brake) = 0;
    // The next events of the run leave through the outbox. False: there were no more, and the run has its last state.
    [[nodiscard]] virtual core::Result<bool> announce(const StockRun& run) = 0;
    [[nodiscard]] virtual core::Result<void> again_later(const StockRun& run, core::SystemTime due, const core::Error& error,
                                                         bool new_bulk) = 0;
    [[nodiscard]] virtual core::Result<void> failed(const StockRun& run, const core::Error& error) = 0;
};

// What is counted and logged.
class StockEvents {
public:
    virtual ~StockEvents() = default;
    virtual void compared(const StockRun& run, const ComparisonResult& result) = 0;
    virtual void ended(const StockRun& run, RunState state, const core::Error* error) = 0;
    virtual void failed(std::string_view what, const std::string& shop, const core::Error& error) = 0;
};

}  // namespace reconciliation
