#include "adapters/stock_routes.h"

#include <syncline/core/hash.h>
#include <syncline/core/parse.h>
#include <syncline/json/document.h>
#include <syncline/json/writer.h>
#include <algorithm>

namespace reconciliation {
namespace {

namespace json = syncline::json;
using syncline::kit::AdminReply;
using syncline::kit::AdminRequest;

constexpr int kBadRequest = 400;
constexpr int kAccepted = 202;
constexpr int kRunsMax = 1'000;
constexpr int kRowsMax = 10'000;

AdminReply answered(const core::Result<std::string>& text) {
    return text ? AdminReply::json(*text) : AdminReply::problem(text.error());
}

std::string text_in(const json::Value& body, std::string_view name) {
    const auto member = body.get_present(name);
    if (!member) {
        return {};
    }
    if (const auto text = member->string()) {
        return std::string(*text);
    }
    return member->number_text() ? std::string(*member->number_text()) : std::string();
}

core::Result<std::int64_t> number_in(const AdminRequest& request, const std::string& name, std::int64_t otherwise,
                                     std::int64_t most) {
    const auto text = request.query_value(name);
    if (text.empty()) {
        return otherwise;
    }
    const auto number = core::parse_int<std::int64_t>(text);
    if (!number || *number < 0 || *number > most) {
        return core::fail(core::ErrorKind::rejected, "bad_" + name, name + " must be a number up to " + std::to_string(most));
    }
    return *number;
}

// What a person asks for, or why not.
core::Result<StockRun> asked_run(const json::Value& body, const StockRules* rules) {
    StockRun run{.id = core::uuid_v4(), .shop = text_in(body, "shop"), .kind = RunKind::asked};
    run.location = text_in(body, "location");
    run.source = text_in(body, "source");
    const auto accept = body.get_present("accept_size");
    run.accept_size = accept && accept->boolean().value_or(false);
    const auto shop =
        rules == nullptr ? std::map<std::string, ShopRules, std::less<>>::const_iterator{} : rules->shops.find(run.shop);
    if (rules == nullptr || shop == rules->shops.end()) {
        return core::fail(core::ErrorKind::rejected, "shop_unknown", "shop must be an alias that the mapping of stock names");
    }
    if (!run.location.empty() && !shop->second.locations.contains(run.location)) {
        return core::fail(core::ErrorKind::rejected, "location_unknown",
                          "location must be Shopify's id of a location that the mapping names");
    }
    if (!run.source.empty() && run.source != kOwnSide && !rules->sources.contains(run.source)) {
        return core::fail(core::ErrorKind::rejected, "source_unknown", "source must be syncline or one that the mapping names");
    }
    return run;
}

}  // namespace

void add_stock_routes(syncline::kit::AdminRouter& router, StockRuns& runs, PgStockReports& reports,
                      std::function<std::shared_ptr<const StockRules>()> rules) {
    router.route("POST", "/admin/stock-runs",
                 "Compares the stock of a shop now. Body: shop, reason; location, source, accept_size if wanted.",
                 [&runs, &reports, rules = std::move(rules)](const AdminRequest& request) {
                     const auto body = json::Document::parse(request.body);
                     if (!body) {
                         return AdminReply::problem(body.error());
                     }
                     const auto current = rules();
                     const auto run = asked_run(body->root(), current.get());
                     if (!run) {
                         return AdminReply::problem(run.error());
                     }
                     const auto reason = text_in(body->root(), "reason");
                     if (reason.empty()) {
                         return AdminReply::problem(kBadRequest, "reason_missing", "say why: reason is part of the record");
                     }
                     if (const auto noted = reports.note_asked(*run, request.actor, reason); !noted) {
                         return AdminReply::problem(noted.error());
                     }
                     if (const auto planned = runs.plan(*run, request.actor, reason); !planned) {
                         return AdminReply::problem(planned.error());
                     }
                     json::Writer out;
                     out.begin_object().member("id", run->id).end_object();
                     return AdminReply::json(std::move(out).take(), kAccepted);
                 });
    router.route(
        "GET", "/admin/stock-runs", "Comparison runs, newest first. Query: shop, state, limit.",
        [&reports](const AdminRequest& request) {
            const auto limit = number_in(request, "limit", 100, kRunsMax);
            if (!limit) {
                return AdminReply::problem(limit.error());
            }
            return answered(reports.list(
                {.shop = request.query_value("shop"), .state = request.query_value("state"), .limit = static_cast<int>(*limit)}));
        });
    router.route("GET", "/admin/stock-runs/{id}", "One run: how far it is, and what each comparison counted.",
                 [&reports](const AdminRequest& request) { return answered(reports.show(request.path_value("id"))); });
    router.route(
        "GET", "/admin/stock-runs/{id}/report/{side}",
        "The differences from one side. Query: format (json, csv, table), after (how many to pass over), limit.",
        [&reports](const AdminRequest& request) {
            const auto limit = number_in(request, "limit", 1'000, kRowsMax);
            const auto after = number_in(request, "after", 0, std::int64_t{1} << 40U);
            if (!limit || !after) {
                return AdminReply::problem(!limit ? limit.error() : after.error());
            }
            const auto name = request.query_value("format");
            if (!name.empty() && name != "json" && name != "csv" && name != "table") {
                return AdminReply::problem(kBadRequest, "bad_format", "format must be json, csv or table");
            }
            const auto format = name == "csv" ? ReportFormat::csv : name == "table" ? ReportFormat::table : ReportFormat::json;
            const auto text =
                reports.report(request.path_value("id"), request.path_value("side"), format, *after, static_cast<int>(*limit));
            auto reply = answered(text);
            if (text && format != ReportFormat::json) {
                reply.content_type = format == ReportFormat::csv ? "text/csv; charset=utf-8" : "text/plain; charset=utf-8";
            }
            return reply;
        });
    router.route("POST", "/admin/stock-runs/{id}/approve", "Lets a braked run correct what it wanted to. Body: reason.",
                 [&reports](const AdminRequest& request) {
                     const auto body = json::Document::parse(request.body);
                     const auto reason = body ? text_in(body->root(), "reason") : std::string();
                     if (reason.empty()) {
                         return AdminReply::problem(kBadRequest, "reason_missing", "say why: reason is part of the record");
                     }
                     return answered(reports.approve(request.path_value("id"), request.actor, reason));
                 });
}

}  // namespace reconciliation
