#include "verbs.h"

#include <fmt/format.h>
#include <syncline/core/clock.h>
#include <syncline/json/writer.h>
#include <condition_variable>
#include <mutex>
#include <ostream>

namespace synclinectl {
namespace {

using syncline::core::ErrorKind;
using syncline::core::Result;
using syncline::json::Document;
using syncline::json::Value;

constexpr std::string_view kRuns = "/admin/stock-runs";
constexpr int kPage = 5'000;
constexpr std::chrono::milliseconds kLook{500};

std::string path_of(const std::string& run) {
    return fmt::format("{}/{}", kRuns, percent_encoded(run));
}

void pause(std::chrono::milliseconds time) {
    std::mutex mutex;
    std::condition_variable never;
    std::unique_lock lock(mutex);
    auto& clock = syncline::core::system_clock();
    clock.wait_until(lock, never, clock.steady() + time, [] { return false; });
}

bool over(const std::string& state) {
    return state == "done" || state == "failed" || state == "braked";
}

// The differences of every side that came to its end, as one table.
Result<Table> report_of(Services& services, const std::string& deployment, const std::string& run, const Value& shown) {
    Table table{.columns = {"side", "sku", "location", "shopify", "other", "class", "age_s", "likely_cause", "wanted", "healing"},
                .rows = {}};
    for (const auto& side : items(shown, "comparisons")) {
        const auto name = field(side, "side");
        if (!field(side, "error_code").empty()) {
            services.err() << fmt::format("warning: {} was not compared: {}: {}\n", name, field(side, "error_code"),
                                          field(side, "error"));
            continue;
        }
        for (std::size_t after = 0;;) {
            const auto page = services.of(deployment, [&](AdminPort& port) {
                return port.get(fmt::format("{}/report/{}", path_of(run), percent_encoded(name)),
                                {{"after", std::to_string(after)}, {"limit", std::to_string(kPage)}});
            });
            if (!page) {
                return std::unexpected(page.error());
            }
            const auto rows = items(page->root(), "differences");
            for (const auto& row : rows) {
                table.rows.push_back({name, field(row, "sku"), field(row, "location"), field(row, "shopify"), field(row, "other"),
                                      field(row, "class"), field(row, "age_s"), field(row, "likely_cause"), field(row, "wanted"),
                                      field(row, "healing")});
            }
            after += rows.size();
            if (rows.size() < kPage) {
                break;
            }
        }
    }
    return table;
}

std::string counts_of(const Value& side) {
    std::string text;
    if (const auto counts = side.get_present("by_class")) {
        for (const auto member : counts->members()) {
            const auto count = std::string(member.value.number_text().value_or("0"));
            if (count != "0") {
                text += fmt::format("{}{} {}", text.empty() ? "" : ", ", member.name, count);
            }
        }
    }
    return text;
}

void say(Services& services, const Value& run) {
    auto& err = services.err();
    err << fmt::format("run {} of {}: {}", field(run, "id"), field(run, "shop"), field(run, "state"));
    if (const auto code = field(run, "error_code"); !code.empty()) {
        err << fmt::format(": {}: {}", code, field(run, "error"));
    }
    err << '\n';
    for (const auto& side : items(run, "comparisons")) {
        const auto counts = counts_of(side);
        err << fmt::format("  {}: {} pairs, {}\n", field(side, "side"), field(side, "pairs"),
                           !field(side, "error_code").empty() ? "not compared: " + field(side, "error_code")
                           : counts.empty()                   ? std::string("no difference")
                                                              : counts);
    }
    if (const auto brake = field(run, "brake"); !brake.empty() && field(run, "state") == "braked") {
        err << fmt::format("  stopped: {}\n  to go on: synclinectl reconcile approve {} --reason …\n", brake, field(run, "id"));
    }
}

// Waits, says what came of it, prints the report; the exit code.
int follow(Services& services, const std::string& deployment, const std::string& run, std::chrono::seconds at_most) {
    const syncline::core::Deadline deadline(syncline::core::system_clock(), at_most);
    for (;;) {
        const auto shown = services.of(deployment, [&](AdminPort& port) { return port.get(path_of(run)); });
        if (!shown) {
            return services.failed(shown.error());
        }
        const auto state = field(shown->root(), "state");
        if (over(state)) {
            say(services, shown->root());
            const auto report = report_of(services, deployment, run, shown->root());
            if (!report) {
                return services.failed(report.error());
            }
            print(services.out(), *report, services.options().format);
            return state == "done" ? kOk : kNothing;
        }
        if (deadline.passed()) {
            services.err() << fmt::format("synclinectl: the run is {} still; look with: synclinectl reconcile show {}\n", state,
                                          run);
            return kNothing;
        }
        pause(kLook);
    }
}

}  // namespace

int reconcile_stock(Services& services, const StockRunWish& wish) {
    const auto& options = services.options();
    Table table{.columns = {"run", "shop", "service", "result"}, .rows = {}};
    if (options.dry_run) {
        // Nobody is asked to do anything: whether somebody could is what can be told.
        const auto found =
            services.the_one([&](AdminPort& port) { return port.get(kRuns, {{"shop", options.shop}, {"limit", "1"}}); });
        if (!found) {
            return services.failed(found.error());
        }
        table.rows.push_back({"", options.shop, found->deployment, "would compare"});
        return services.finish(table);
    }
    syncline::json::Writer body;
    body.begin_object().member("shop", options.shop).member("reason", options.reason);
    body.member("location", wish.location).member("source", wish.source).member("accept_size", wish.accept_size).end_object();
    const auto text = std::move(body).take();
    const auto begun = services.the_one([&](AdminPort& port) { return port.post(kRuns, text); });
    if (!begun) {
        return services.failed(begun.error());
    }
    const auto run = field(begun->answer.root(), "id");
    if (wish.wait) {
        return follow(services, begun->deployment, run, wish.wait_at_most);
    }
    table.rows.push_back({run, options.shop, begun->deployment, "begun"});
    return services.finish(table);
}

int list_stock_runs(Services& services) {
    const auto& options = services.options();
    Table table{.columns = {"run", "shop", "kind", "state", "created_at", "compared_at", "differences", "events", "corrections",
                            "asked_by", "what"},
                .rows = {}};
    services.each(
        [&](AdminPort& port) {
            return port.get(kRuns, {{"shop", options.shop}, {"state", options.state}, {"limit", std::to_string(options.limit)}});
        },
        [&](const std::string&, const Value& root) {
            for (const auto& run : items(root, "items")) {
                const auto brake = field(run, "brake");
                table.rows.push_back({field(run, "id"), field(run, "shop"), field(run, "kind"), field(run, "state"),
                                      field(run, "created_at"), field(run, "compared_at"), field(run, "differences"),
                                      field(run, "events"), field(run, "corrections"), field(run, "asked_by"),
                                      brake.empty() ? field(run, "error_code") : brake});
            }
        });
    return services.finish(table);
}

int show_stock_run(Services& services, const std::string& run) {
    const auto found = services.the_one([&](AdminPort& port) { return port.get(path_of(run)); });
    if (!found) {
        return services.failed(found.error());
    }
    say(services, found->answer.root());
    const auto report = report_of(services, found->deployment, run, found->answer.root());
    if (!report) {
        return services.failed(report.error());
    }
    print(services.out(), *report, services.options().format);
    return services.exit_code(kOk);
}

int approve_stock_run(Services& services, const std::string& run) {
    const auto found = services.the_one([&](AdminPort& port) { return port.get(path_of(run)); });
    if (!found) {
        return services.failed(found.error());
    }
    const auto& options = services.options();
    Table table{.columns = {"run", "shop", "service", "result"}, .rows = {}};
    const auto shop = field(found->answer.root(), "shop");
    if (options.dry_run) {
        say(services, found->answer.root());
        table.rows.push_back({run, shop, found->deployment, "would approve"});
        return services.finish(table);
    }
    syncline::json::Writer body;
    body.begin_object().member("reason", options.reason).end_object();
    const auto text = std::move(body).take();
    const auto answer =
        services.of(found->deployment, [&](AdminPort& port) { return port.post(path_of(run) + "/approve", text); });
    if (!answer) {
        return services.failed(answer.error());
    }
    table.rows.push_back({run, shop, found->deployment, field(answer->root(), "corrections") + " corrections begun"});
    return services.finish(table);
}

}  // namespace synclinectl
