// Which orders Shopify has that never came here, or came older. Pure functions.
//
// Every scan asks Shopify for the orders changed since `watermark - overlap`. The watermark is a time of Shopify's own clock: the
// newest change that a scan has seen and settled. So our clock may be wrong by any amount without a gap, changes of one and the
// same second are asked for again, and what Shopify's search index shows late is still found while it is within the overlap.
#pragma once

#include <syncline/core/clock.h>
#include <syncline/core/error.h>
#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace reconciliation {

namespace core = syncline::core;

struct GapRules {
    std::chrono::seconds overlap{600};
    // A change younger than this may still come by itself: it is left to its webhook, and the watermark stays before it.
    std::chrono::seconds grace{120};
    std::chrono::seconds skew{120};
    // Orders older than this can be read only with read_all_orders.
    std::chrono::days readable{60};
};

// What Shopify says of an order.
struct ListedOrder {
    std::int64_t order_id = 0;
    core::SystemTime updated_at;
};

// What is known of an order from its events: one row of our own ledger.
struct ReceivedOrder {
    std::optional<core::SystemTime> updated_at;  // Of the newest snapshot; none if only facts came.
    std::optional<core::SystemTime> created_at;  // When the order was made, as a snapshot told.
    std::string content_hash;                    // Of that snapshot.
    bool fetched = false;                        // That snapshot was fetched: it settles every tie.
    // Since when snapshots of one version contradict each other.
    std::optional<core::SystemTime> undecidable_since;
    // An edit was committed then, and no snapshot of that time or later has come.
    std::optional<core::SystemTime> edit_waits_since;
    // Shopify said that it is gone, and nobody has looked.
    std::optional<core::SystemTime> deletion_waits_since;
    friend bool operator==(const ReceivedOrder&, const ReceivedOrder&) = default;
};

struct SeenSnapshot {
    core::SystemTime updated_at;
    core::SystemTime observed_at;
    std::string content_hash;
    bool fetched = false;
    std::optional<core::SystemTime> created_at = {};
};
// The ledger's row after an event. Events come in any order and again: the end is the same.
void apply_snapshot(ReceivedOrder& row, const SeenSnapshot& snapshot);
void apply_edit(ReceivedOrder& row, core::SystemTime committed_at);
void apply_deletion(ReceivedOrder& row, core::SystemTime observed_at, bool confirmed);

// asked: by a backfill, whatever came before.
enum class FetchReason : std::uint8_t { missing, outdated, undecidable, edited, deleted, asked };
[[nodiscard]] std::string_view to_string(FetchReason reason);
[[nodiscard]] FetchReason fetch_reason_from(std::string_view text);

// Where a scan begins.
[[nodiscard]] core::SystemTime scan_from(core::SystemTime watermark, const GapRules& rules);
// Before the first scan there is no watermark: this far back.
[[nodiscard]] core::SystemTime first_watermark(core::SystemTime now, std::chrono::hours lookback, const GapRules& rules);

class GapScan {
public:
    GapScan(core::SystemTime now, core::SystemTime watermark, GapRules rules)
        : now_(now), watermark_(watermark), newest_(watermark), rules_(rules) {}
    // Each listed order with our row of it (nullptr: none). Why it must be fetched, if it must.
    [[nodiscard]] std::optional<FetchReason> look(const ListedOrder& listed, const ReceivedOrder* received);
    // Of the whole scan, once all pages are through and what was missing has been published. Never goes back.
    [[nodiscard]] core::SystemTime watermark() const;
    [[nodiscard]] std::uint64_t left_to_webhooks() const { return left_; }
    // By our clock: whatever was placed before it is known once all that this scan found has been fetched. The search index of
    // Shopify may lag by the overlap, its clock may differ by the skew.
    [[nodiscard]] core::SystemTime covered() const;

private:
    core::SystemTime now_;
    core::SystemTime watermark_;
    core::SystemTime newest_;
    std::optional<core::SystemTime> oldest_left_;
    std::uint64_t left_ = 0;
    GapRules rules_;
};

// What a row waits for, if it has waited long enough.
[[nodiscard]] std::optional<FetchReason> due_fetch(const ReceivedOrder& row, core::SystemTime now, const GapRules& rules);

// Whether it has come meanwhile: what was found as missing or older is not fetched any more.
[[nodiscard]] bool still_wanted(FetchReason reason, const std::optional<core::SystemTime>& listed_at, const ReceivedOrder* row,
                                core::SystemTime now, const GapRules& rules);

// Shopify answers "no such order" also for one that is too old for the app to read. Whether the answer proves that it is gone.
[[nodiscard]] bool proves_deletion(const ReceivedOrder* row, bool reads_all_orders, core::SystemTime now, const GapRules& rules);

// How long until an order that could not be fetched is tried again: 10 s, 20 s … an hour.
[[nodiscard]] std::chrono::seconds next_try_after(int tries);

// A backfill from `since`: kind needs_decision, code "needs_read_all_orders", where the app may not read so far back.
[[nodiscard]] core::Result<void> check_backfill(core::SystemTime since, core::SystemTime now, bool reads_all_orders,
                                                const GapRules& rules);

}  // namespace reconciliation
