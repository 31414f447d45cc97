#include "verbs.h"

#include <fmt/format.h>
#include <syncline/core/clock.h>
#include <syncline/json/writer.h>
#include <algorithm>
#include <condition_variable>
#include <mutex>
#include <ostream>

namespace synclinectl {
namespace {

using syncline::json::Value;

constexpr std::chrono::milliseconds kLook{500};

void pause(std::chrono::milliseconds time) {
    std::mutex mutex;
    std::condition_variable never;
    std::unique_lock lock(mutex);
    auto& clock = syncline::core::system_clock();
    clock.wait_until(lock, never, clock.steady() + time, [] { return false; });
}

std::int64_t count(const Value& state, std::string_view name) {
    return state.int64_of(name).value_or(0);
}

// What Shopify refuses, or a closed location keeps back, is no part of it: it may take for ever.
std::int64_t left_in(const Value& state) {
    return count(state, "to_be_read") + count(state, "unsent") + count(state, "on_their_way");
}

int shown(Services& services, const Value& state) {
    Table table{.columns = {"shop", "pairs", "to_be_read", "unsent", "on_their_way", "held"}, .rows = {}};
    table.rows.push_back({field(state, "shop"), field(state, "pairs"), field(state, "to_be_read"), field(state, "unsent"),
                          field(state, "on_their_way"), field(state, "held")});
    return services.finish(table);
}

}  // namespace

int backfill_stock(Services& services, const StockBackfill& wish) {
    const auto& options = services.options();
    const auto path = "/admin/stock/backfill/" + percent_encoded(options.shop);
    const AdminPort::Query query{{"location", wish.location}};
    auto found = services.the_one([&](AdminPort& port) { return port.get(path, query); });
    if (!found) {
        return services.failed(found.error());
    }
    if (options.dry_run) {
        services.err() << fmt::format("would read and send again: {} pairs\n", count(found->answer.root(), "pairs"));
        return shown(services, found->answer.root());
    }
    syncline::json::Writer body;
    body.begin_object().member("shop", options.shop).member("reason", options.reason);
    if (!wish.location.empty()) {
        body.key("location").number(wish.location);
    }
    body.end_object();
    const auto text = std::move(body).take();
    const auto begun = services.of(found->deployment, [&](AdminPort& port) { return port.post("/admin/stock/backfill", text); });
    if (!begun) {
        return services.failed(begun.error());
    }
    services.err() << fmt::format("{} pairs will be read and sent again\n", field(begun->root(), "pairs"));
    const syncline::core::Deadline limit(syncline::core::system_clock(), wish.wait_at_most);
    std::string said;
    for (;;) {
        auto state = services.of(found->deployment, [&](AdminPort& port) { return port.get(path, query); });
        if (!state) {
            return services.failed(state.error());
        }
        const auto root = state->root();
        if (!wish.wait || left_in(root) == 0) {
            return shown(services, root);
        }
        auto progress = fmt::format("{} to be read, {} unsent, {} on their way, {} held", count(root, "to_be_read"),
                                    count(root, "unsent"), count(root, "on_their_way"), count(root, "held"));
        if (progress != said) {
            services.err() << progress << '\n';
            said = std::move(progress);
        }
        if (limit.passed()) {
            services.err() << "synclinectl: it goes on by itself\n";
            return kNothing;
        }
        pause(kLook);
    }
}

}  // namespace synclinectl
