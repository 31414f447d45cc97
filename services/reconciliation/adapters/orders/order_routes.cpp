#include "adapters/orders/order_routes.h"

#include <syncline/core/hash.h>
#include <syncline/core/time.h>
#include <syncline/json/document.h>
#include <syncline/json/writer.h>
#include <algorithm>
#include <memory>

namespace reconciliation {
namespace {

namespace json = syncline::json;
using core::ErrorKind;
using syncline::kit::AdminReply;
using syncline::kit::AdminRequest;

constexpr int kRunsShown = 50;
constexpr std::chrono::seconds kScopesTimeout{8};

void write_time(json::Writer& out, std::string_view name, const std::optional<core::SystemTime>& at) {
    out.key(name);
    if (at) {
        out.string(core::format_rfc3339_utc(*at));
    } else {
        out.null();
    }
}

void write_run(json::Writer& out, const RunReport& report) {
    const auto& run = report.run;
    out.begin_object()
        .member("id", run.id)
        .member("kind", run.purpose == Purpose::backfill ? "backfill" : "reconcile")
        .member("shop", run.shop)
        .member("dry_run", run.dry_run)
        .member("state", report.state)
        .member("listed", report.listed)
        .member("found", report.found)
        .member("to_fetch", run.open)
        .member("published", report.published)
        .member("came", report.came)
        .member("gone", report.gone)
        .member("failed", report.failed)
        .member("code", report.code)
        .member("message", report.message)
        .member("actor", report.actor);
    write_time(out, "since", run.since);
    write_time(out, "until", run.until);
    write_time(out, "listed_until", run.listed ? run.until : run.position);
    write_time(out, "created_at", report.created_at);
    write_time(out, "finished_at", report.finished_at);
    out.key("orders").begin_array();
    for (const auto id : report.sample) {
        out.string(std::to_string(id));
    }
    out.end_array().end_object();
}

AdminReply shown(const core::Result<RunReport>& report, int status) {
    if (!report) {
        return AdminReply::problem(report.error());
    }
    json::Writer out;
    write_run(out, *report);
    return AdminReply::json(std::move(out).take(), status);
}

core::Result<core::SystemTime> time_in(const json::Value& body, std::string_view name) {
    const auto text = body.string_of(name);
    auto time = text ? core::parse_rfc3339(*text) : core::Result<core::SystemTime>(std::unexpected(text.error()));
    return time ? time
                : core::fail(ErrorKind::rejected, "bad_time", std::string(name) + " must be a time such as 2026-11-20T08:15:30Z");
}

struct Asked {
    OrderRun run;
    std::string reason;
};
core::Result<Asked> asked_in(const json::Value& body, const OrderRoutes& routes) {
    const auto shop = body.string_of("shop");
    const auto served = routes.shops();
    if (!shop || std::ranges::find(served, *shop) == served.end()) {
        return core::fail(ErrorKind::rejected, "shop_unknown",
                          "shop must be the alias of a shop that is enabled and has an admin: section in shops.yaml");
    }
    const auto kind = body.string_of("kind");
    if (!kind || (*kind != "reconcile" && *kind != "backfill")) {
        return core::fail(ErrorKind::rejected, "bad_kind", "kind must be reconcile or backfill");
    }
    const auto reason = body.string_of("reason");
    if (!reason || reason->empty()) {
        return core::fail(ErrorKind::rejected, "reason_missing", "say why: reason is part of the record");
    }
    const auto since = time_in(body, "since");
    if (!since) {
        return std::unexpected(since.error());
    }
    const auto now = routes.clock.now();
    core::SystemTime until = now;
    if (body.get_present("until")) {
        const auto given = time_in(body, "until");
        if (!given) {
            return std::unexpected(given.error());
        }
        until = *given;
    }
    if (*since >= until) {
        return core::fail(ErrorKind::rejected, "bad_window", "since must be before until, and before now");
    }
    bool dry_run = false;
    if (const auto given = body.get_present("dry_run")) {
        const auto flag = given->boolean();
        if (!flag) {
            return core::fail(ErrorKind::rejected, "bad_dry_run", "dry_run must be true or false");
        }
        dry_run = *flag;
    }
    return Asked{.run = {.id = core::uuid_v4(),
                         .shop = std::string(*shop),
                         .purpose = *kind == "backfill" ? Purpose::backfill : Purpose::gap,
                         .dry_run = dry_run,
                         .since = *since,
                         .until = until},
                 .reason = std::string(*reason)};
}

AdminReply begin(const AdminRequest& request, const OrderRoutes& routes) {
    const auto body = json::Document::parse(request.body);
    if (!body) {
        return AdminReply::problem(body.error());
    }
    const auto asked = asked_in(body->root(), routes);
    if (!asked) {
        return AdminReply::problem(asked.error());
    }
    // Shopify is asked only where it matters.
    if (!check_backfill(asked->run.since, routes.clock.now(), false, routes.rules)) {
        const auto reads_all = routes.orders.reads_all(asked->run.shop, core::Deadline(routes.clock, kScopesTimeout));
        if (!reads_all) {
            return AdminReply::problem(reads_all.error());
        }
        if (const auto allowed = check_backfill(asked->run.since, routes.clock.now(), *reads_all, routes.rules); !allowed) {
            return AdminReply::problem(allowed.error());
        }
    }
    if (const auto begun = routes.checks.begin_run(asked->run, request.actor, asked->reason); !begun) {
        return AdminReply::problem(begun.error());
    }
    return shown(routes.checks.report(asked->run.id), 202);
}

AdminReply overview(const OrderRoutes& routes) {
    json::Writer out;
    out.begin_object().key("items").begin_array();
    for (const auto& shop : routes.shops()) {
        const auto state = routes.checks.state(shop);
        if (!state) {
            return AdminReply::problem(state.error());
        }
        out.begin_object().member("shop", shop).member("to_fetch", state->lookups);
        write_time(out, "watermark", state->watermark);
        write_time(out, "covered_until", state->covered_until);
        write_time(out, "passed_at", state->passed_at);
        write_time(out, "cleared_until", state->cleared_until);
        write_time(out, "published_at", state->published_at);
        out.end_object();
    }
    out.end_array().end_object();
    return AdminReply::json(std::move(out).take());
}

}  // namespace

void add_order_routes(syncline::kit::AdminRouter& router, OrderRoutes given) {
    const auto routes = std::make_shared<const OrderRoutes>(std::move(given));
    router.route("GET", "/admin/order-checks", "How far the check of orders is, by shop.",
                 [routes](const AdminRequest&) { return overview(*routes); });
    router.route(
        "POST", "/admin/order-checks/runs",
        "Looks at every order changed in a window (kind reconcile), or fetches and sends them again (kind backfill). Body: "
        "kind, shop, since, until, dry_run, reason.",
        [routes](const AdminRequest& request) { return begin(request, *routes); });
    router.route("GET", "/admin/order-checks/runs", "The newest runs.", [routes](const AdminRequest&) {
        const auto reports = routes->checks.reports(kRunsShown);
        if (!reports) {
            return AdminReply::problem(reports.error());
        }
        json::Writer out;
        out.begin_object().key("items").begin_array();
        for (const auto& report : *reports) {
            write_run(out, report);
        }
        out.end_array().end_object();
        return AdminReply::json(std::move(out).take());
    });
    router.route("GET", "/admin/order-checks/runs/{id}", "One run and how far it is.",
                 [routes](const AdminRequest& request) { return shown(routes->checks.report(request.path_value("id")), 200); });
}

}  // namespace reconciliation
