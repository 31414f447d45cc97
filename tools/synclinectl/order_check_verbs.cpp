#include "verbs.h"

#include <fmt/format.h>
#include <syncline/core/clock.h>
#include <syncline/json/writer.h>
#include <condition_variable>
#include <mutex>
#include <ostream>

namespace synclinectl {
namespace {

using syncline::json::Document;
using syncline::json::Value;

constexpr std::chrono::milliseconds kLook{500};
constexpr std::string_view kRuns = "/admin/order-checks/runs";

void pause(std::chrono::milliseconds time) {
    std::mutex mutex;
    std::condition_variable never;
    std::unique_lock lock(mutex);
    auto& clock = syncline::core::system_clock();
    clock.wait_until(lock, never, clock.steady() + time, [] { return false; });
}

std::string body_of(const Options& options, const OrderWindow& window) {
    syncline::json::Writer body;
    body.begin_object().member("kind", window.kind).member("shop", options.shop).member("since", options.since);
    if (!window.until.empty()) {
        body.member("until", window.until);
    }
    body.member("dry_run", options.dry_run).member("reason", options.reason.empty() ? "dry run" : options.reason).end_object();
    return std::move(body).take();
}

std::string progress_of(const Value& run) {
    return fmt::format("{}: {} listed up to {}, {} found, {} to fetch, {} sent", field(run, "state"), field(run, "listed"),
                       field(run, "listed_until"), field(run, "found"), field(run, "to_fetch"), field(run, "published"));
}

int shown(Services& services, const Value& run, bool dry_run) {
    Table table{.columns = {"run", "shop", "kind", "state", "listed", "found", "published", "came", "gone", "failed", "code"},
                .rows = {}};
    table.rows.push_back({field(run, "id"), field(run, "shop"), field(run, "kind"), field(run, "state"), field(run, "listed"),
                          field(run, "found"), field(run, "published"), field(run, "came"), field(run, "gone"),
                          field(run, "failed"), field(run, "code")});
    const auto code = services.finish(table);
    if (dry_run) {
        for (const auto& id : items(run, "orders")) {
            services.err() << "would be fetched: " << field(run, "shop") << '/' << id.string().value_or("") << '\n';
        }
    }
    if (field(run, "state") == "failed") {
        services.err() << "synclinectl: " << field(run, "message") << '\n';
        return kNothing;
    }
    return code;
}

}  // namespace

int check_orders(Services& services, const OrderWindow& window) {
    const auto& options = services.options();
    const auto body = body_of(options, window);
    auto begun = services.the_one([&](AdminPort& port) { return port.post(kRuns, body); });
    if (!begun) {
        return services.failed(begun.error());
    }
    // What a dry run would find is known only at its end.
    if (!window.wait && !options.dry_run) {
        return shown(services, begun->answer.root(), false);
    }
    const auto path = std::string(kRuns) + "/" + percent_encoded(field(begun->answer.root(), "id"));
    const syncline::core::Deadline limit(syncline::core::system_clock(), window.wait_at_most);
    std::string said;
    auto run = std::move(begun->answer);
    while (field(run.root(), "state") == "running") {
        if (limit.passed()) {
            services.err() << "synclinectl: the run goes on; see it again with: synclinectl reconcile order-run "
                           << field(run.root(), "id") << '\n';
            return kNothing;
        }
        pause(kLook);
        auto answer = services.of(begun->deployment, [&](AdminPort& port) { return port.get(path); });
        if (!answer) {
            return services.failed(answer.error());
        }
        run = std::move(*answer);
        if (auto progress = progress_of(run.root()); progress != said) {
            services.err() << progress << '\n';
            said = std::move(progress);
        }
    }
    return shown(services, run.root(), options.dry_run);
}

int show_order_check(Services& services, const std::string& run) {
    const auto found =
        services.the_one([&](AdminPort& port) { return port.get(std::string(kRuns) + "/" + percent_encoded(run)); });
    return found ? shown(services, found->answer.root(), field(found->answer.root(), "dry_run") == "true")
                 : services.failed(found.error());
}

}  // namespace synclinectl
