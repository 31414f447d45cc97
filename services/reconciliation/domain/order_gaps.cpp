#include "domain/order_gaps.h"

#include <algorithm>

namespace reconciliation {

void apply_snapshot(ReceivedOrder& row, const SeenSnapshot& snapshot) {
    if (snapshot.created_at) {
        row.created_at = row.created_at ? std::min(*row.created_at, *snapshot.created_at) : snapshot.created_at;
    }
    if (row.updated_at && snapshot.updated_at < *row.updated_at) {
        return;
    }
    const bool tie = row.updated_at && snapshot.updated_at == *row.updated_at;
    if (!tie) {
        row.updated_at = snapshot.updated_at;
        row.content_hash = snapshot.content_hash;
        row.fetched = snapshot.fetched;
        row.undecidable_since.reset();
    } else if (snapshot.fetched) {
        row.content_hash = snapshot.content_hash;
        row.fetched = true;
        row.undecidable_since.reset();
    } else if (!row.fetched && snapshot.content_hash != row.content_hash) {
        // The smaller hash stands for both, so that the row does not depend on which came first.
        row.content_hash = std::min(row.content_hash, snapshot.content_hash);
        row.undecidable_since =
            row.undecidable_since ? std::min(*row.undecidable_since, snapshot.observed_at) : snapshot.observed_at;
    }
    if (row.edit_waits_since && *row.updated_at >= *row.edit_waits_since) {
        row.edit_waits_since.reset();
    }
    // It was there after Shopify had said it was gone.
    if (snapshot.fetched && row.deletion_waits_since && snapshot.observed_at > *row.deletion_waits_since) {
        row.deletion_waits_since.reset();
    }
}

void apply_edit(ReceivedOrder& row, core::SystemTime committed_at) {
    if (!row.updated_at || *row.updated_at < committed_at) {
        row.edit_waits_since = row.edit_waits_since ? std::max(*row.edit_waits_since, committed_at) : committed_at;
    }
}

void apply_deletion(ReceivedOrder& row, core::SystemTime observed_at, bool confirmed) {
    if (confirmed) {
        row.deletion_waits_since.reset();
        row.edit_waits_since.reset();
        row.undecidable_since.reset();
    } else {
        row.deletion_waits_since = row.deletion_waits_since ? std::max(*row.deletion_waits_since, observed_at) : observed_at;
    }
}

std::string_view to_string(FetchReason reason) {
    switch (reason) {
        case FetchReason::missing:
            return "missing";
        case FetchReason::outdated:
            return "outdated";
        case FetchReason::undecidable:
            return "undecidable";
        case FetchReason::edited:
            return "edited";
        case FetchReason::deleted:
            return "deleted";
        case FetchReason::asked:
            break;
    }
    return "asked";
}

FetchReason fetch_reason_from(std::string_view text) {
    for (const auto reason :
         {FetchReason::missing, FetchReason::outdated, FetchReason::undecidable, FetchReason::edited, FetchReason::deleted}) {
        if (text == to_string(reason)) {
            return reason;
        }
    }
    return FetchReason::asked;
}

core::SystemTime scan_from(core::SystemTime watermark, const GapRules& rules) {
    return std::chrono::floor<std::chrono::seconds>(watermark - rules.overlap);
}

core::SystemTime first_watermark(core::SystemTime now, std::chrono::hours lookback, const GapRules& rules) {
    return now - std::min<std::chrono::nanoseconds>(lookback, rules.readable);
}

std::optional<FetchReason> GapScan::look(const ListedOrder& listed, const ReceivedOrder* received) {
    newest_ = std::max(newest_, listed.updated_at);
    if (received != nullptr && received->updated_at && *received->updated_at >= listed.updated_at) {
        return std::nullopt;
    }
    const auto age = now_ - listed.updated_at;
    if (age < rules_.grace && age >= -rules_.skew) {
        oldest_left_ = oldest_left_ ? std::min(*oldest_left_, listed.updated_at) : listed.updated_at;
        ++left_;
        return std::nullopt;
    }
    return received != nullptr && received->updated_at ? FetchReason::outdated : FetchReason::missing;
}

core::SystemTime GapScan::watermark() const {
    // A time from the far future must not become the watermark: everything of today would lie before it.
    const auto newest = std::min<core::SystemTime>(newest_, now_ + rules_.skew);
    return std::max(watermark_, oldest_left_ ? std::min(newest, *oldest_left_) : newest);
}

core::SystemTime GapScan::covered() const {
    const auto listed = now_ - rules_.overlap;
    return (oldest_left_ ? std::min<core::SystemTime>(listed, *oldest_left_) : listed) - rules_.skew;
}

std::optional<FetchReason> due_fetch(const ReceivedOrder& row, core::SystemTime now, const GapRules& rules) {
    const auto waited = [&](const std::optional<core::SystemTime>& since) {
        return since && (now - *since >= rules.grace || *since - now > rules.skew);
    };
    if (waited(row.deletion_waits_since)) {
        return FetchReason::deleted;
    }
    if (waited(row.edit_waits_since)) {
        return FetchReason::edited;
    }
    if (waited(row.undecidable_since)) {
        return FetchReason::undecidable;
    }
    return std::nullopt;
}

bool still_wanted(FetchReason reason, const std::optional<core::SystemTime>& listed_at, const ReceivedOrder* row,
                  core::SystemTime now, const GapRules& rules) {
    switch (reason) {
        case FetchReason::asked:
            return true;
        case FetchReason::missing:
        case FetchReason::outdated:
            return row == nullptr || !row->updated_at || !listed_at || *row->updated_at < *listed_at;
        case FetchReason::undecidable:
        case FetchReason::edited:
        case FetchReason::deleted:
            break;
    }
    return row != nullptr && due_fetch(*row, now, rules).has_value();
}

bool proves_deletion(const ReceivedOrder* row, bool reads_all_orders, core::SystemTime now, const GapRules& rules) {
    // A day less than Shopify's own limit: an order must not grow too old between the look and the answer.
    return reads_all_orders ||
           (row != nullptr && row->created_at && now - *row->created_at < rules.readable - std::chrono::days{1});
}

std::chrono::seconds next_try_after(int tries) {
    constexpr int kDoublingsMax = 9;
    return std::min(std::chrono::seconds{10} * (1 << std::clamp(tries - 1, 0, kDoublingsMax)), std::chrono::seconds{3600});
}

core::Result<void> check_backfill(core::SystemTime since, core::SystemTime now, bool reads_all_orders, const GapRules& rules) {
    if (!reads_all_orders && now - since > rules.readable) {
        return core::fail(core::ErrorKind::needs_decision, "needs_read_all_orders",
                          "orders older than " + std::to_string(rules.readable.count()) +
                              " days cannot be read: Shopify would leave them out without saying so",
                          "have read_all_orders granted to the app, or begin later");
    }
    return {};
}

}  // namespace reconciliation
