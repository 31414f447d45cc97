#include "app/check_orders.h"

#include <syncline/core/time.h>
#include <algorithm>

namespace reconciliation {
namespace {

using core::ErrorKind;

// Shopify's clock may be ahead of ours; what it says of tomorrow is listed too.
constexpr std::chrono::hours kAhead{24};
// Shopify refuses to page beyond 25,000 orders of one query: then the query begins anew where it stands.
constexpr int kPagesOfQuery = 90;
constexpr int kWaitingAtOnce = 500;
// An order that is too old for the app to read: nothing changes that soon.
constexpr std::chrono::hours kUnprovablePause{24};

// Errors of the shop as a whole: no other order would fare better.
bool of_shop(const core::Error& error) {
    return error.kind == ErrorKind::transient || error.kind == ErrorKind::throttled || error.kind == ErrorKind::unauthorized ||
           error.code == "admin_not_configured" || error.code == "shop_unknown";
}

std::vector<std::int64_t> ids_of(const std::vector<ListedOrder>& orders) {
    std::vector<std::int64_t> ids;
    ids.reserve(orders.size());
    for (const auto& order : orders) {
        ids.push_back(order.order_id);
    }
    return ids;
}

const ReceivedOrder* row_of(const std::map<std::int64_t, ReceivedOrder>& rows, std::int64_t id) {
    const auto found = rows.find(id);
    return found == rows.end() ? nullptr : &found->second;
}

}  // namespace

core::Result<ScanEnd> CheckOrders::scan(const std::string& shop, const StillOurs& ours) {
    const auto current = checks_.ledger_current();
    if (!current) {
        return std::unexpected(current.error());
    }
    if (!*current) {
        return ScanEnd::ledger_behind;
    }
    const auto state = checks_.state(shop);
    if (!state) {
        return std::unexpected(state.error());
    }
    const auto now = clock_.now();
    const auto watermark = state->watermark.value_or(first_watermark(now, options_.lookback, options_.rules));
    GapScan scan(now, watermark, options_.rules);
    auto from = scan_from(watermark, options_.rules);
    auto newest = from;
    std::optional<std::string> after;
    int pages = 0;
    while (true) {
        auto page = shops_.changed(shop, from, now + kAhead, after, Purpose::gap, soon());
        if (!page) {
            return std::unexpected(std::move(page.error()));
        }
        const auto rows = checks_.received(shop, ids_of(page->orders));
        if (!rows) {
            return std::unexpected(rows.error());
        }
        std::vector<Lookup> found;
        for (const auto& order : page->orders) {
            newest = std::max(newest, order.updated_at);
            if (const auto reason = scan.look(order, row_of(*rows, order.order_id))) {
                found.push_back({.order_id = order.order_id, .run = {}, .reason = *reason, .listed_at = order.updated_at});
            }
        }
        if (!ours()) {
            return ScanEnd::not_ours;
        }
        // Pages come oldest change first, so what lies before the watermark is noted or known.
        if (auto noted = note(shop, found, scan.watermark()); !noted) {
            return std::unexpected(std::move(noted.error()));
        }
        after = std::move(page->next);
        if (!after) {
            break;
        }
        if (++pages >= kPagesOfQuery && newest > from + std::chrono::seconds{1}) {
            from = std::chrono::floor<std::chrono::seconds>(newest);
            after.reset();
            pages = 0;
        }
    }
    if (auto noted = note_waiting(shop); !noted) {
        return std::unexpected(std::move(noted.error()));
    }
    if (auto noted = checks_.note_pass(shop, scan.covered()); !noted) {
        return std::unexpected(std::move(noted.error()));
    }
    if (const auto after_scan = checks_.state(shop)) {
        events_.scanned(shop, *after_scan);
    }
    return ScanEnd::whole;
}

core::Result<void> CheckOrders::note_waiting(const std::string& shop) {
    const auto now = clock_.now();
    const auto waiting = checks_.waiting(shop, now - options_.rules.grace + std::chrono::seconds{1}, kWaitingAtOnce);
    if (!waiting) {
        return std::unexpected(waiting.error());
    }
    std::vector<Lookup> found;
    for (const auto& [id, row] : *waiting) {
        if (const auto reason = due_fetch(row, now, options_.rules)) {
            found.push_back({.order_id = id, .run = {}, .reason = *reason, .listed_at = {}});
        }
    }
    return found.empty() ? core::Result<void>{} : note(shop, found, {});
}

core::Result<void> CheckOrders::note(const std::string& shop, const std::vector<Lookup>& found,
                                     const std::optional<core::SystemTime>& watermark) {
    const auto fresh = checks_.note_page(shop, found, watermark);
    if (!fresh) {
        return std::unexpected(fresh.error());
    }
    for (const auto& lookup : found) {
        if (std::ranges::find(*fresh, lookup.order_id) != fresh->end()) {
            events_.found(shop, lookup.reason, 1);
        }
    }
    return {};
}

core::Result<bool> CheckOrders::look_up(const std::string& shop, const StillOurs& ours) {
    const auto due = checks_.due(shop, options_.lookups_at_once);
    if (!due) {
        return std::unexpected(due.error());
    }
    for (const auto& lookup : *due) {
        if (!ours()) {
            return false;
        }
        if (auto done = look_up_one(shop, lookup); !done) {
            if (of_shop(done.error())) {
                return std::unexpected(std::move(done.error()));
            }
            events_.failed(shop, "order_not_fetched", done.error());
            events_.fetched(shop, "failed");
            const auto until = clock_.now() + next_try_after(lookup.tries + 1);
            if (auto kept = checks_.postpone(shop, lookup, until, done.error().code); !kept) {
                return std::unexpected(std::move(kept.error()));
            }
        }
    }
    return due->size() == static_cast<std::size_t>(options_.lookups_at_once);
}

core::Result<void> CheckOrders::look_up_one(const std::string& shop, const Lookup& lookup) {
    const auto rows = checks_.received(shop, {lookup.order_id});
    if (!rows) {
        return std::unexpected(rows.error());
    }
    const auto* row = row_of(*rows, lookup.order_id);
    if (!still_wanted(lookup.reason, lookup.listed_at, row, clock_.now(), options_.rules)) {
        return settle(shop, lookup, LookupEnd::came);
    }
    // That an order is still there must reach whoever was told that it is gone, although its state is the same.
    const auto occasion = row != nullptr && row->deletion_waits_since
                              ? "still there/" + core::format_rfc3339_utc(*row->deletion_waits_since)
                              : std::string();
    auto order = shops_.fetch(shop, lookup.order_id, lookup.purpose, occasion, soon());
    if (!order) {
        return std::unexpected(std::move(order.error()));
    }
    if (!*order) {
        return settle_gone(shop, lookup, row);
    }
    if (lookup.listed_at && (*order)->updated_at < *lookup.listed_at) {
        return core::fail(ErrorKind::conflict, "order_stale", "the order was read in an older state than it was listed in");
    }
    const auto sent = checks_.publish(shop, lookup, **order);
    if (!sent) {
        return std::unexpected(sent.error());
    }
    events_.fetched(shop, "fetched");
    events_.published(shop, lookup.reason, *sent);
    return {};
}

core::Result<void> CheckOrders::settle_gone(const std::string& shop, const Lookup& lookup, const ReceivedOrder* row) {
    if (row == nullptr) {
        // Nobody was ever told of it.
        return settle(shop, lookup, LookupEnd::gone);
    }
    if (!row->deletion_waits_since) {
        // No webhook told of a deletion. That Shopify knows no such order now is not enough to cancel documents: it is told in
        // the metrics and looked at again.
        events_.fetched(shop, "unprovable");
        return checks_.postpone(shop, lookup, clock_.now() + kUnprovablePause, "deletion_not_told");
    }
    bool reads_all = false;
    if (!proves_deletion(row, false, clock_.now(), options_.rules)) {
        const auto answer = shops_.reads_all(shop, soon());
        if (!answer) {
            return std::unexpected(answer.error());
        }
        reads_all = *answer;
    }
    if (!proves_deletion(row, reads_all, clock_.now(), options_.rules)) {
        events_.fetched(shop, "unprovable");
        return checks_.postpone(shop, lookup, clock_.now() + kUnprovablePause, "deletion_unprovable");
    }
    if (auto sent = checks_.publish_gone(shop, lookup); !sent) {
        return sent;
    }
    events_.fetched(shop, "gone");
    events_.published(shop, FetchReason::deleted, 1);
    return {};
}

core::Result<void> CheckOrders::settle(const std::string& shop, const Lookup& lookup, LookupEnd end) {
    if (auto done = checks_.settle(shop, lookup, end); !done) {
        return done;
    }
    events_.fetched(shop, end == LookupEnd::came ? "came" : "gone");
    return {};
}

core::Result<bool> CheckOrders::run_step(const std::string& shop) {
    const auto open = checks_.open_run(shop);
    if (!open) {
        return std::unexpected(open.error());
    }
    if (!*open) {
        return false;
    }
    const auto& run = **open;
    if (run.listed) {
        if (run.open > 0) {
            return false;
        }
        const auto ended = checks_.end_run(run, {});
        return ended ? core::Result<bool>(true) : std::unexpected(ended.error());
    }
    if (run.open >= options_.run_lookups_max) {
        return false;
    }
    auto page = shops_.changed(shop, run.position, run.until, run.after, run.purpose, soon());
    if (!page) {
        if (of_shop(page.error())) {
            return std::unexpected(std::move(page.error()));
        }
        events_.failed(shop, "orders_not_listed", page.error());
        if (run.after) {
            // A cursor that is no good any more: from the last change that was listed.
            const auto noted = checks_.note_step(run, RunStep{.position = run.position});
            return noted ? core::Result<bool>(true) : std::unexpected(noted.error());
        }
        const auto ended = checks_.end_run(run, page.error());
        return ended ? core::Result<bool>(true) : std::unexpected(ended.error());
    }
    std::map<std::int64_t, ReceivedOrder> rows;
    if (run.purpose == Purpose::gap) {
        auto received = checks_.received(shop, ids_of(page->orders));
        if (!received) {
            return std::unexpected(std::move(received.error()));
        }
        rows = std::move(*received);
    }
    GapScan scan(clock_.now(), run.since, options_.rules);
    RunStep step{.found = {},
                 .listed = static_cast<std::int64_t>(page->orders.size()),
                 .position = run.position,
                 .after = std::move(page->next),
                 .pages = run.pages + 1,
                 .end = false};
    step.end = !step.after;
    for (const auto& order : page->orders) {
        if (step.after && step.pages >= kPagesOfQuery && order.updated_at > run.position + std::chrono::seconds{1}) {
            step.position = std::max<core::SystemTime>(step.position, std::chrono::floor<std::chrono::seconds>(order.updated_at));
        }
        const auto reason =
            run.purpose == Purpose::backfill ? std::optional(FetchReason::asked) : scan.look(order, row_of(rows, order.order_id));
        if (reason) {
            step.found.push_back({.order_id = order.order_id,
                                  .run = run.id,
                                  .purpose = run.purpose,
                                  .reason = *reason,
                                  .listed_at = order.updated_at});
        }
    }
    if (step.position != run.position) {
        step.after.reset();
        step.pages = 0;
    }
    const auto noted = checks_.note_step(run, step);
    return noted ? core::Result<bool>(true) : std::unexpected(noted.error());
}

}  // namespace reconciliation
