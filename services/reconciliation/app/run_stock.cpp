#include "app/run_stock.h"

#include <syncline/core/hash.h>
#include <syncline/core/time.h>
#include <algorithm>
#include <utility>

#include "app/schedule.h"

namespace reconciliation {
namespace {

using core::ErrorKind;

constexpr std::chrono::milliseconds kIdle{1'000};
constexpr std::chrono::milliseconds kAtOnce{0};
constexpr std::chrono::minutes kRetryFirst{1};
constexpr std::chrono::minutes kRetryMax{30};
constexpr std::size_t kKeptAtOnce = 1'000;

bool later(const core::Error& error) {
    return error.kind == ErrorKind::transient || error.kind == ErrorKind::throttled || error.kind == ErrorKind::conflict ||
           error.kind == ErrorKind::unknown_outcome;
}

core::Error stopped() {
    return {.kind = ErrorKind::transient, .code = "run_stopped", .message = "the service stops, or another instance goes on"};
}

}  // namespace

std::string_view to_string(RunKind kind) {
    switch (kind) {
        case RunKind::nightly:
            return "nightly";
        case RunKind::changed:
            return "changed";
        case RunKind::asked:
            break;
    }
    return "asked";
}

std::string_view to_string(RunState state) {
    switch (state) {
        case RunState::waiting:
            return "waiting";
        case RunState::comparing:
            return "comparing";
        case RunState::announcing:
            return "announcing";
        case RunState::braked:
            return "braked";
        case RunState::approved:
            return "approved";
        case RunState::done:
            return "done";
        case RunState::failed:
            break;
    }
    return "failed";
}

RunState run_state_from(std::string_view name) {
    for (const auto state :
         {RunState::waiting, RunState::comparing, RunState::announcing, RunState::braked, RunState::approved, RunState::done}) {
        if (name == to_string(state)) {
            return state;
        }
    }
    return RunState::failed;
}

RunStock::RunStock(StockSides& sides, StockRuns& runs, StockEvents& events, core::Clock& clock, RunStockOptions options,
                   ZoneOf zone_of)
    : sides_(sides), runs_(runs), events_(events), clock_(clock), options_(std::move(options)), zone_of_(std::move(zone_of)) {}

std::chrono::milliseconds RunStock::step(const std::string& shop, const StillOurs& ours) {
    if (!sides_.serves(shop)) {
        return kIdle;
    }
    plan(shop);
    const auto run = runs_.claim(shop);
    if (!run) {
        events_.failed("stock_run_not_claimed", shop, run.error());
        return kIdle;
    }
    if (!*run) {
        return kIdle;
    }
    if ((*run)->state == RunState::comparing) {
        if ((*run)->attempts > options_.attempts_max) {
            give_up(**run, {.kind = ErrorKind::rejected,
                            .code = "too_many_attempts",
                            .message = "the run was begun " + std::to_string((*run)->attempts) + " times and never ended"});
            return kAtOnce;
        }
        if (const auto done = compare(**run, ours); !done) {
            give_up(**run, done.error());
            return kAtOnce;
        }
    }
    if (const auto done = announce(**run, ours); !done) {
        // The run stays as it is: whoever claims it next goes on.
        events_.failed("stock_run_not_announced", shop, done.error());
        return kIdle;
    }
    return kAtOnce;
}

void RunStock::plan(const std::string& shop) {
    const auto now = clock_.now();
    const auto add = [&](StockRun run) {
        run.id = core::uuid_v4();
        run.shop = shop;
        if (const auto planned = runs_.plan(run, "schedule", ""); !planned) {
            events_.failed("stock_run_not_planned", shop, planned.error());
        }
    };
    if (!options_.nightly.empty()) {
        const auto last = runs_.last_began(shop, RunKind::nightly);
        const auto night = last_night(now, options_.nightly, zone_of_(shop));
        // A service that was away for a day makes up for one night, not for all.
        if (last && night && now - night->due < std::chrono::hours(24) && (!*last || **last < night->due)) {
            add({.kind = RunKind::nightly, .night = night->date});
        }
    }
    if (options_.changed_every > std::chrono::milliseconds{0}) {
        const auto last = runs_.last_began(shop, RunKind::changed);
        const auto until = runs_.compared_until(shop);
        // Without a full run before it there is nothing it could go on from.
        if (last && until && *until && now - **until >= options_.changed_every &&
            (!*last || now - **last >= options_.changed_every)) {
            // What was still in flight for the run before is looked at again, by whatever clock it was dated.
            add({.kind = RunKind::changed, .changed_since = **until - options_.sync_delay - 2 * options_.skew});
        }
    }
}

core::Result<void> RunStock::compare(const StockRun& run, const StillOurs& ours) {
    const auto shopify = sides_.shopify(run, [&](const std::string& bulk_id) { return runs_.bulk_begun(run, bulk_id); }, ours);
    if (!shopify) {
        return std::unexpected(shopify.error());
    }
    if (run.kind != RunKind::changed && !run.accept_size) {
        const auto before = runs_.rows_before(run, "shopify");
        if (!before) {
            return std::unexpected(before.error());
        }
        if (auto fits = check_size((*shopify)->levels(), *before, options_.shrink_percent); !fits) {
            return fits;
        }
    }
    HealingWish wish;
    std::vector<ComparisonResult> results;
    std::optional<std::string> brake;
    for (const auto& side : sides_.others(run.shop)) {
        // Sources give snapshots of everything: what changed since is not to be seen in them.
        if ((!run.source.empty() && run.source != side) || (run.kind == RunKind::changed && side != kOwnSide)) {
            continue;
        }
        auto result = compare_side(run, side, **shopify, wish, ours);
        if (!ours()) {
            return std::unexpected(stopped());
        }
        if (result.error && (result.error->code == "run_lost" || (side == kOwnSide && later(*result.error)))) {
            return std::unexpected(*result.error);
        }
        events_.compared(run, result);
        if (side == kOwnSide && !result.error) {
            auto pairs = std::max(result.totals.pairs, result.all_rows);
            if (run.kind == RunKind::changed) {
                // It looks at a part of the pairs; the brake measures by all of them.
                const auto all = runs_.rows_before(run, "shopify");
                if (!all) {
                    return std::unexpected(all.error());
                }
                pairs = std::max(pairs, *all);
            }
            brake = brake_reason(wish, pairs, options_.brake);
            std::uint64_t all = 0;
            for (const auto count : result.totals.by_class) {
                all += count;
            }
            if (!brake && result.kept >= options_.differences_max && all > result.kept) {
                brake = "has more differences than are kept (" + std::to_string(options_.differences_max) + ")";
            }
        }
        results.push_back(std::move(result));
    }
    if (results.empty()) {
        return core::fail(ErrorKind::rejected, "nothing_to_compare",
                          run.source.empty() ? "neither inventory-sync nor a source's snapshot can be compared"
                                             : run.source + " has no snapshot that can be compared");
    }
    if (std::ranges::all_of(results, [](const auto& result) { return result.error.has_value(); })) {
        return std::unexpected(*results.front().error);
    }
    return runs_.compared(run, (*shopify)->levels(), results, options_.healing, brake);
}

ComparisonResult RunStock::compare_side(const StockRun& run, const std::string& side, ShopSnapshot& shopify, HealingWish& wish,
                                        const StillOurs& ours) {
    ComparisonResult result{.side = side, .error = {}, .totals = {}, .all_rows = 0, .kept = 0};
    const auto failed = [&](const core::Error& error) {
        result.error = error;
        return result;
    };
    auto other = sides_.other(run, side, shopify, ours);
    if (!other) {
        return failed(other.error());
    }
    auto rows = shopify.open(other->locations);
    if (!rows) {
        return failed(rows.error());
    }
    const auto now = clock_.now();
    CompareOptions options{// Everything that changed since Shopify's snapshot was begun may still be seen on one side only.
                           .rules = {.now_ns = core::nanos_since_epoch(now),
                                     .sync_delay_ns = std::chrono::nanoseconds(options_.sync_delay).count() +
                                                      std::chrono::nanoseconds(now - std::min(now, shopify.begun_at())).count(),
                                     .skew_ns = std::chrono::nanoseconds(options_.skew).count(),
                                     .policy = {}},
                           .other_same_key = other->same_key,
                           .policy_of = other->policy_of};
    std::vector<KeptDifference> waiting;
    HealingWish wished;
    const auto flush = [&]() -> core::Result<void> {
        if (!ours()) {
            return std::unexpected(stopped());
        }
        auto kept = runs_.keep(run, waiting);
        waiting.clear();
        return kept;
    };
    const DifferenceSink sink = [&](const Difference& difference) -> core::Result<void> {
        if (side == kOwnSide) {
            wished.add(difference);
        }
        // Policies explain themselves and may concern every pair: they are counted.
        if (difference.kind == DivergenceClass::policy || result.kept >= options_.differences_max) {
            return {};
        }
        auto mode = options_.healing;
        if (side != kOwnSide && mode == HealingMode::correct) {
            mode = HealingMode::propose;
        }
        KeptDifference kept{.number = static_cast<std::int64_t>(++result.kept),
                            .side = side,
                            .difference = difference,
                            .cause = std::string(difference.cause),
                            .healing = healing_of(difference, mode, false)};
        waiting.push_back(std::move(kept));
        return waiting.size() < kKeptAtOnce ? core::Result<void>{} : flush();
    };
    const auto totals = compare_stock(**rows, *other->rows, options, sink);
    if (!totals) {
        return failed(totals.error());
    }
    if (auto flushed = flush(); !flushed) {
        return failed(flushed.error());
    }
    result.totals = *totals;
    result.all_rows = other->count;
    if (run.kind != RunKind::changed && !run.accept_size) {
        const auto before = runs_.rows_before(run, side);
        if (!before) {
            return failed(before.error());
        }
        if (const auto fits = check_size(result.all_rows, *before, options_.shrink_percent); !fits) {
            return failed(fits.error());
        }
    }
    wish.changes += wished.changes;
    wish.zeroings += wished.zeroings;
    return result;
}

core::Result<bool> RunStock::announce(const StockRun& run, const StillOurs& ours) {
    for (;;) {
        if (!ours()) {
            return std::unexpected(stopped());
        }
        const auto more = runs_.announce(run);
        if (!more) {
            return more;
        }
        if (!*more) {
            return true;
        }
    }
}

void RunStock::give_up(const StockRun& run, const core::Error& error) {
    if (error.code == "run_lost" || error.code == "run_stopped") {
        // Whoever has the shop next finds the run as it was left.
        events_.failed("stock_run_left", run.shop, error);
        return;
    }
    const bool retry = later(error) && run.attempts < options_.attempts_max;
    const auto wait = std::min<std::chrono::milliseconds>(
        std::max<std::chrono::milliseconds>(kRetryFirst * (1U << std::min(run.attempts, 8)) / 2, error.retry_after), kRetryMax);
    const auto kept = retry ? runs_.again_later(run, clock_.now() + wait, error,
                                                error.code.starts_with("bulk_") && error.code != "bulk_running")
                            : runs_.failed(run, error);
    if (!kept) {
        events_.failed("stock_run_not_kept", run.shop, kept.error());
    }
    events_.ended(run, retry ? RunState::waiting : RunState::failed, &error);
}

}  // namespace reconciliation
