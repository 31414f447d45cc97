#include <catch2/catch_test_macros.hpp>

#include <syncline/core/time.h>
#include <algorithm>
#include <array>
#include <functional>

#include "domain/order_gaps.h"

namespace {

using namespace reconciliation;
using namespace std::chrono_literals;

const auto kNow = core::parse_rfc3339("2026-11-20T12:00:00Z").value();
const GapRules kRules;

ReceivedOrder received(core::SystemTime at) {
    ReceivedOrder row;
    apply_snapshot(row, {.updated_at = at, .observed_at = at, .content_hash = "a"});
    return row;
}

}  // namespace

TEST_CASE("order gaps: what never came or came older is fetched, what came is not", "[reconciliation][unit]") {
    GapScan scan(kNow, kNow - 1h, kRules);
    const auto row = received(kNow - 30min);
    CHECK(scan.look({1, kNow - 20min}, nullptr) == FetchReason::missing);
    CHECK(scan.look({2, kNow - 20min}, &row) == FetchReason::outdated);
    CHECK_FALSE(scan.look({3, kNow - 30min}, &row));
    CHECK_FALSE(scan.look({4, kNow - 40min}, &row));
    // Facts alone are no snapshot.
    ReceivedOrder facts;
    apply_edit(facts, kNow - 20min);
    CHECK(scan.look({5, kNow - 20min}, &facts) == FetchReason::missing);
    CHECK(scan.watermark() == kNow - 20min);
}

TEST_CASE("order gaps: a change of the watermark's own second is asked for again", "[reconciliation][unit]") {
    const auto watermark = core::parse_rfc3339("2026-11-20T11:30:07.9Z").value();
    CHECK(scan_from(watermark, kRules) <= watermark - 10min);
    CHECK(scan_from(watermark, kRules) == core::parse_rfc3339("2026-11-20T11:20:07Z").value());
    GapScan scan(kNow, kNow - 30min, kRules);
    CHECK(scan.look({1, kNow - 30min}, nullptr) == FetchReason::missing);
    CHECK(scan.watermark() == kNow - 30min);
}

TEST_CASE("order gaps: a young change is left to its webhook, and the watermark waits before it", "[reconciliation][unit]") {
    GapScan scan(kNow, kNow - 1h, kRules);
    CHECK_FALSE(scan.look({1, kNow - 60s}, nullptr));
    CHECK_FALSE(scan.look({2, kNow - 90s}, nullptr));
    const auto row = received(kNow - 10s);
    CHECK_FALSE(scan.look({3, kNow - 10s}, &row));
    CHECK(scan.left_to_webhooks() == 2);
    CHECK(scan.watermark() == kNow - 90s);
    // Two minutes later it is found, whatever the watermark became meanwhile.
    GapScan later(kNow + 60s, scan.watermark(), kRules);
    CHECK(later.look({1, kNow - 60s}, nullptr) == FetchReason::missing);
}

TEST_CASE("order gaps: clocks two minutes apart leave no gap, in either direction", "[reconciliation][unit]") {
    for (const auto skew : {-120s, 0s, 120s}) {
        // Shopify's time is ours plus the skew. One order every ten seconds for an hour, every seventh webhook lost.
        core::SystemTime watermark = kNow + skew - 1min;
        std::vector<ListedOrder> all;
        std::map<std::int64_t, ReceivedOrder> ledger;
        for (int minute = 0; minute < 70; minute += 5) {
            const auto our_time = kNow + std::chrono::minutes(minute);
            while (all.size() < static_cast<std::size_t>(minute) * 6 && all.size() < 360) {
                const auto id = static_cast<std::int64_t>(all.size());
                all.push_back({id, kNow + skew + std::chrono::seconds(10 * id)});
                if (id % 7 != 0) {
                    ledger[id] = received(all.back().updated_at);
                }
            }
            GapScan scan(our_time, watermark, kRules);
            for (const auto& order : all) {
                if (order.updated_at < scan_from(watermark, kRules)) {
                    continue;
                }
                const auto found = ledger.find(order.order_id);
                if (scan.look(order, found == ledger.end() ? nullptr : &found->second)) {
                    ledger[order.order_id] = received(order.updated_at);
                }
            }
            CHECK(scan.watermark() >= watermark);
            watermark = scan.watermark();
        }
        CHECK(ledger.size() == all.size());
    }
}

TEST_CASE("order gaps: a change from a distant future is fetched rather than waited for", "[reconciliation][unit]") {
    GapScan scan(kNow, kNow - 1h, kRules);
    CHECK_FALSE(scan.look({1, kNow + 119s}, nullptr));
    CHECK(scan.look({2, kNow + 10min}, nullptr) == FetchReason::missing);
}

TEST_CASE("order gaps: the night the clocks go back has no gap and nothing twice", "[reconciliation][unit]") {
    // 02:30 comes twice in Berlin; as moments they are an hour apart.
    const auto first = core::parse_rfc3339("2026-10-25T02:30:00+02:00").value();
    const auto second = core::parse_rfc3339("2026-10-25T02:30:00+01:00").value();
    GapScan scan(second + 1h, first, kRules);
    const auto row = received(first);
    CHECK_FALSE(scan.look({1, first}, &row));
    CHECK(scan.look({2, second}, &row) == FetchReason::outdated);
    CHECK(scan.watermark() == second);
}

TEST_CASE("received orders: events in any order, and again, end in the same row", "[reconciliation][unit]") {
    const std::array<std::function<void(ReceivedOrder&)>, 6> events{
        [](ReceivedOrder& row) { apply_snapshot(row, {kNow - 9min, kNow - 9min, "a"}); },
        [](ReceivedOrder& row) { apply_snapshot(row, {kNow - 5min, kNow - 5min, "b"}); },
        [](ReceivedOrder& row) { apply_snapshot(row, {kNow - 5min, kNow - 4min, "c"}); },
        [](ReceivedOrder& row) { apply_edit(row, kNow - 7min); },
        [](ReceivedOrder& row) { apply_edit(row, kNow - 3min); },
        [](ReceivedOrder& row) {
            apply_deletion(row, kNow - 2min, false);
        }};
    std::array<std::size_t, 6> order{0, 1, 2, 3, 4, 5};
    std::optional<ReceivedOrder> expected;
    do {
        ReceivedOrder row;
        for (const auto at : order) {
            events[at](row);
        }
        CHECK(row.updated_at == kNow - 5min);
        CHECK(row.undecidable_since.has_value());
        CHECK(row.edit_waits_since == kNow - 3min);
        CHECK(row.deletion_waits_since == kNow - 2min);
        CHECK(row.content_hash == "b");
        const auto before = row;
        for (const auto at : order) {
            events[at](row);
        }
        CHECK(row.edit_waits_since == before.edit_waits_since);
        CHECK(row.updated_at == before.updated_at);
    } while (std::ranges::next_permutation(order).found);
}

TEST_CASE("received orders: undecidable versions, edits and deletions are looked up after two minutes, once",
          "[reconciliation][unit]") {
    auto row = received(kNow);
    apply_snapshot(row, {kNow, kNow + 1s, "other"});
    CHECK_FALSE(due_fetch(row, kNow + 60s, kRules));
    CHECK(due_fetch(row, kNow + 121s, kRules) == FetchReason::undecidable);
    apply_snapshot(row, {kNow, kNow + 121s, "truth", true});
    CHECK_FALSE(due_fetch(row, kNow + 1h, kRules));
    // A late webhook of the same version opens it no more.
    apply_snapshot(row, {kNow, kNow, "late"});
    CHECK_FALSE(due_fetch(row, kNow + 1h, kRules));

    apply_edit(row, kNow + 5min);
    CHECK_FALSE(due_fetch(row, kNow + 6min, kRules));
    CHECK(due_fetch(row, kNow + 7min, kRules) == FetchReason::edited);
    apply_snapshot(row, {kNow + 5min, kNow + 5min, "edited"});
    CHECK_FALSE(due_fetch(row, kNow + 1h, kRules));

    apply_deletion(row, kNow + 10min, false);
    CHECK(due_fetch(row, kNow + 12min, kRules) == FetchReason::deleted);
    auto alive = row;
    apply_snapshot(alive, {kNow + 5min, kNow + 13min, "edited", true});
    CHECK_FALSE(due_fetch(alive, kNow + 1h, kRules));
    apply_deletion(row, kNow + 13min, true);
    CHECK_FALSE(due_fetch(row, kNow + 1h, kRules));
}

TEST_CASE("backfill: beyond sixty days it refuses without the scope", "[reconciliation][unit]") {
    CHECK(check_backfill(kNow - 60 * 24h, kNow, false, kRules));
    const auto refused = check_backfill(kNow - 60 * 24h - 1s, kNow, false, kRules);
    REQUIRE_FALSE(refused);
    CHECK(refused.error().code == "needs_read_all_orders");
    CHECK(check_backfill(kNow - 900 * 24h, kNow, true, kRules));
    CHECK(first_watermark(kNow, std::chrono::hours(24 * 90), kRules) == kNow - 60 * 24h);
}
