#include "app/send_stock.h"

#include <algorithm>

namespace inventory_sync {
namespace {

constexpr std::chrono::milliseconds kPause{1'000};
constexpr std::chrono::milliseconds kPauseMax{60'000};
// One batch in so many goes by age, so that what is never urgent is sent all the same.
constexpr std::uint64_t kByAgeEvery = 4;

}  // namespace

Step SendStock::failed(std::string_view event, const core::Error& error) {
    events_.failed(event, error);
    return {.did = false, .wait = std::max(kPause, error.retry_after)};
}

Step SendStock::send(const std::string& shop) {
    const auto claimed_until = clock_.now() + options_.call_timeout + options_.claim_margin;
    auto batch = store_.due_batch(shop, claimed_until);
    if (!batch) {
        return failed("stock_store_failed", batch.error());
    }
    if (!*batch) {
        const bool by_age = formed_.fetch_add(1, std::memory_order_relaxed) % kByAgeEvery == kByAgeEvery - 1;
        batch = store_.form_batch(
            shop, options_.batch_max, by_age, claimed_until,
            [&](QuantityName name, const std::vector<Write>& writes) { return shops_.form(shop, name, writes); });
        if (!batch) {
            return failed("stock_batch_not_formed", batch.error());
        }
    }
    if (!*batch) {
        return {};
    }
    if (clock_.now() - (*batch)->formed_at > options_.key_remembered) {
        // Shopify may have forgotten the key: nothing is certain but what it shows.
        const auto done = store_.dropped(**batch);
        return done ? Step{.did = true} : failed("stock_store_failed", done.error());
    }
    const auto sent = shops_.send(shop, (*batch)->body, core::Deadline(clock_, options_.call_timeout));
    events_.sent(**batch, sent, clock_.now());
    return settle(**batch, sent);
}

Step SendStock::settle(const Batch& batch, const Sent& sent) {
    core::Result<void> done;
    switch (sent.fate) {
        case SendFate::applied:
            done = store_.applied(batch);
            break;
        case SendFate::refused:
            done = store_.refused(batch, sent.problems);
            break;
        case SendFate::form_anew:
            done = store_.dropped(batch);
            break;
        case SendFate::give_up:
            done = store_.given_up(batch, sent.code);
            break;
        case SendFate::not_done:
            done = store_.released(batch);
            return done ? Step{.did = false, .wait = std::max(kPause, sent.retry_after)}
                        : failed("stock_store_failed", done.error());
        case SendFate::again: {
            const auto pause = sent.retry_after.count() > 0
                                   ? sent.retry_after
                                   : std::min(kPauseMax, kPause * (1 << std::clamp(batch.tries - 1, 0, 6)));
            done = store_.postponed(batch, clock_.now() + pause);
            return done ? Step{.did = false, .wait = std::min(pause, kPause)} : failed("stock_store_failed", done.error());
        }
    }
    // If the outcome could not be kept, the claim runs out and the same bytes are sent again: Shopify answers the same.
    return done ? Step{.did = true} : failed("stock_store_failed", done.error());
}

Step SendStock::look(const std::string& shop) {
    const auto looks = store_.looks(shop, options_.batch_max);
    if (!looks) {
        return failed("stock_store_failed", looks.error());
    }
    if (looks->empty()) {
        return {};
    }
    const auto levels = shops_.read(shop, *looks, core::Deadline(clock_, options_.call_timeout));
    if (!levels) {
        return failed("stock_not_read", levels.error());
    }
    std::vector<Seen> seen;
    for (std::size_t i = 0; i < levels->size(); ++i) {
        const auto& look = (*looks)[i];
        const auto& level = (*levels)[i];
        const auto unaccounted = look.counts_committed ? level.committed - look.known_open : 0;
        seen.push_back({.look = look,
                        .stocked = level.stocked,
                        .belief = level.stocked ? looked(look.belief, level.quantity, unaccounted) : look.belief});
    }
    const auto fallen = store_.looked(shop, seen);
    if (!fallen) {
        return failed("stock_store_failed", fallen.error());
    }
    events_.fell(shop, *fallen);
    return {.did = !seen.empty()};
}

}  // namespace inventory_sync
