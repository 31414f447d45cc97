#include "adapters/admin_routes.h"

#include <syncline/core/parse.h>
#include <syncline/core/time.h>
#include <syncline/json/writer.h>

namespace order_export {
namespace {

namespace json = syncline::json;

constexpr std::chrono::seconds kDoctorTimeout{30};

void write_time(json::Writer& out, std::string_view name, core::SystemTime time) {
    if (time != core::SystemTime{}) {
        out.member(name, core::format_rfc3339_utc(time));
    }
}

std::string as_json(const std::string& connection, const LedgerEntry& entry) {
    json::Writer out;
    out.begin_object();
    out.member("connection", connection).member("shop", entry.key.shop.value()).member("order_id", entry.key.id.text());
    out.member("state", to_string(entry.state)).member("deleted", entry.deleted);
    if (!entry.reason.empty()) {
        out.member("reason", entry.reason);
    }
    if (entry.has_document()) {
        out.key("document").begin_object();
        out.member("external_key", "syncline." + entry.key.external_name())
            .member("target_id", entry.document)
            .member("name", entry.document_name);
        out.member("lines", static_cast<std::uint64_t>(entry.lines.size()));
        out.member("expected_total", entry.expected_total.amount.to_string()).member("currency", entry.expected_total.currency);
        out.member("rounding", entry.rounding.to_string()).member("content_hash", entry.document_hash);
        out.end_object();
    }
    if (entry.version) {
        write_time(out, "source_updated_at", core::time_from_nanos(entry.version->updated_ns));
        write_time(out, "observed_at", core::time_from_nanos(entry.version->observed_ns));
    }
    out.member("financial_status", to_string(entry.financial_status))
        .member("risk", to_string(entry.risk))
        .member("risk_accepted", entry.accepted_risk);
    write_time(out, "placed_at", entry.placed_at);
    write_time(out, "exported_at", entry.exported_at);
    out.member("mapping_version", entry.mapping_version);
    out.key("refunds").begin_array();
    for (const auto& refund : entry.refunds) {
        out.begin_object()
            .member("refund_id", refund.id.text())
            .member("state", refund.state)
            .member("target_id", refund.document);
        out.member("name", refund.document_name).member("code", refund.code).end_object();
    }
    out.end_array().end_object();
    return std::move(out).take();
}

}  // namespace

void add_admin_routes(kit::AdminRouter& router, const std::string& connection, ExportLedger& ledger,
                      syncline::odoo::Gateway& odoo, RulesSource rules, const core::Clock& clock) {
    router.route("GET", "/admin/orders/{shop}/{id}", "What this connection knows of one order.",
                 [connection, &ledger](const kit::AdminRequest& request) {
                     const auto shop = core::parse_shop_alias(request.path_value("shop"));
                     const auto id = core::parse_int<std::uint64_t>(request.path_value("id"));
                     if (!shop || !id) {
                         return kit::AdminReply::problem(400, "bad_order", "the path is /admin/orders/<shop>/<order id>");
                     }
                     const auto entry = ledger.find({.shop = *shop, .id = core::OrderId(*id)});
                     if (!entry) {
                         return kit::AdminReply::problem(entry.error());
                     }
                     if (entry->state == DocumentState::none && !entry->version && entry->refunds.empty()) {
                         return kit::AdminReply::problem(404, "order_unknown",
                                                         "this connection has settled nothing about the order");
                     }
                     return kit::AdminReply::json(as_json(connection, *entry));
                 });
    router.route("GET", "/admin/doctor", "Whether the target is as the mapping expects it.",
                 [&odoo, rules = std::move(rules), &clock](const kit::AdminRequest&) {
                     const auto current = rules();
                     const Rules none;
                     const auto findings =
                         examine(odoo, current.rules ? *current.rules : none, core::Deadline(clock, kDoctorTimeout));
                     json::Writer out;
                     bool good = true;
                     out.begin_object().key("checks").begin_array();
                     for (const auto& finding : findings) {
                         good = good && finding.good;
                         out.begin_object()
                             .member("check", finding.check)
                             .member("good", finding.good)
                             .member("advice", finding.advice)
                             .member("text", finding.text)
                             .end_object();
                     }
                     out.end_array().member("good", good).member("mapping_version", current.version).end_object();
                     return kit::AdminReply::json(std::move(out).take());
                 });
}

}  // namespace order_export
