#include "adapters/odoo_document_feeds.h"

#include <syncline/core/time.h>
#include <syncline/json/writer.h>
#include <syncline/telemetry/log.h>
#include <algorithm>

#include "adapters/odoo_fields.h"

namespace order_export {
namespace {

namespace json = syncline::json;
using core::ErrorKind;
using core::Result;

constexpr std::int64_t kPage = 500;

struct Source {
    std::string model;
    std::string order_field;  // Which member names the order; empty: the record is the order, or its invoice.
    std::string domain;       // Further leaves.
};

Source source_of(Feed feed) {
    switch (feed) {
        case Feed::orders:
            return {.model = "sale.order", .order_field = "", .domain = ""};
        case Feed::transfers:
            return {.model = "stock.picking", .order_field = "sale_id", .domain = R"(["sale_id","!=",false],)"};
        case Feed::invoices:
            return {.model = "account.move", .order_field = "", .domain = R"(["move_type","=","out_invoice"],)"};
    }
    return {};
}

// "2026-11-20 10:15:30", UTC.
std::optional<core::SystemTime> time_in(const std::string& text) {
    if (text.size() < 19) {
        return std::nullopt;
    }
    auto iso = text.substr(0, 19) + "Z";
    iso[10] = 'T';
    const auto time = core::parse_rfc3339(iso);
    return time ? std::optional(*time) : std::nullopt;
}

std::string page_params(const Source& source, const std::string& since, std::int64_t after_id) {
    // Keyset: what has the stamp of the last record and a higher id, then what is younger.
    const auto stamp = after_id == 0 ? R"(["write_date",">=",")" + since + R"("])"
                                     : R"("|",["write_date",">",")" + since + R"("],"&",["write_date","=",")" + since +
                                           R"("],["id",">",)" + std::to_string(after_id) + "]";
    return R"({"domain":[)" + source.domain + stamp + R"(],"fields":["write_date")" +
           (source.order_field.empty() ? "" : ",\"" + source.order_field + "\"") +
           R"(],"order":"write_date asc, id asc","limit":)" + std::to_string(kPage) + "}";
}

std::string invoicing_from(const std::string& status) {
    return status == "to invoice" ? "to_invoice" : status;
}

}  // namespace

Result<FeedChanges> OdooDocumentFeeds::changed(Feed feed, core::SystemTime since, const core::Deadline& deadline) {
    FeedChanges changes;
    auto& absent = absent_[static_cast<std::size_t>(feed)];
    const auto facts = odoo_.facts(deadline);
    if (!facts) {
        return std::unexpected(facts.error());
    }
    if (absent || (feed == Feed::transfers && !facts->order_warehouse)) {
        return changes;
    }
    const auto source = source_of(feed);
    std::vector<std::int64_t> invoices;
    auto from = odoo_datetime(std::chrono::floor<std::chrono::seconds>(since));
    std::int64_t after = 0;
    for (;;) {
        const auto page = odoo_.call({.model = source.model,
                                      .method = "search_read",
                                      .params = page_params(source, from, after),
                                      .context = R"({"tz":"UTC"})"},
                                     deadline);
        if (!page) {
            // Without rights, or the module, there is nothing to see; everything else is tried again.
            if (page.error().kind == ErrorKind::needs_decision) {
                absent = true;
                syncline::telemetry::log::failure(syncline::telemetry::log::Level::warn, "document_feed_absent", page.error(),
                                                  {{"feed", to_string(feed)}});
                return FeedChanges{};
            }
            return std::unexpected(page.error());
        }
        if (!page->value() || !page->value()->is_array()) {
            return core::fail(ErrorKind::conflict, "reply_unexpected", "Odoo sent something else where a list belongs");
        }
        for (const auto record : page->value()->elements()) {
            const auto id = record.int64_of("id");
            const auto stamp = odoo::text(record.get("write_date"));
            const auto time = time_in(stamp);
            if (!id || !time) {
                return core::fail(ErrorKind::conflict, "reply_unexpected", "a record without id or write_date");
            }
            from = stamp.substr(0, 19);
            after = *id;
            changes.newest = changes.newest ? std::max(*changes.newest, *time) : *time;
            if (feed == Feed::orders) {
                changes.documents.push_back(std::to_string(*id));
            } else if (feed == Feed::invoices) {
                invoices.push_back(*id);
            } else if (const auto member = record.get(source.order_field)) {
                if (const auto order = odoo::reference(*member); order && *order) {
                    changes.documents.push_back(std::to_string((*order)->id));
                }
            }
        }
        if (static_cast<std::int64_t>(page->value()->size()) < kPage) {
            break;
        }
    }
    if (auto added = add_invoiced(invoices, changes, deadline); !added) {
        return std::unexpected(std::move(added.error()));
    }
    std::ranges::sort(changes.documents);
    const auto repeated = std::ranges::unique(changes.documents);
    changes.documents.erase(repeated.begin(), repeated.end());
    return changes;
}

Result<void> OdooDocumentFeeds::add_invoiced(const std::vector<std::int64_t>& invoices, FeedChanges& changes,
                                             const core::Deadline& deadline) {
    for (std::size_t begin = 0; begin < invoices.size(); begin += kPage) {
        const auto end = std::min(invoices.size(), begin + static_cast<std::size_t>(kPage));
        json::Writer params;
        params.begin_object().key("domain").begin_array().begin_array().string("invoice_ids").string("in").begin_array();
        for (auto at = begin; at < end; ++at) {
            params.integer(invoices[at]);
        }
        params.end_array().end_array().end_array().key("fields").begin_array().string("name").end_array().end_object();
        const auto orders =
            odoo_.call({.model = "sale.order", .method = "search_read", .params = std::move(params).take()}, deadline);
        if (!orders) {
            return std::unexpected(orders.error());
        }
        if (!orders->value()) {
            continue;
        }
        for (const auto order : orders->value()->elements()) {
            if (const auto id = order.int64_of("id")) {
                changes.documents.push_back(std::to_string(*id));
            }
        }
    }
    return {};
}

Result<std::vector<DocumentNow>> OdooDocumentFeeds::read(std::span<const TargetId> ids, const core::Deadline& deadline) {
    const auto facts = odoo_.facts(deadline);
    if (!facts) {
        return std::unexpected(facts.error());
    }
    odoo::ReadRequest request{.model = "sale.order", .scope = {}, .ids = {}, .fields = {"name", "state", "invoice_status"}};
    if (facts->order_delivery) {
        request.fields.emplace_back("delivery_status");
    }
    for (const auto& id : ids) {
        request.ids.push_back(odoo_id(id));
    }
    const auto records = odoo_.read(std::move(request), deadline);
    if (!records) {
        return std::unexpected(records.error());
    }
    std::vector<DocumentNow> found;
    for (const auto& record : *records) {
        const auto& value = *record.value();
        const auto id = value.int64_of("id");
        if (!id) {
            return core::fail(ErrorKind::conflict, "reply_unexpected", "a record without id");
        }
        found.push_back({.id = std::to_string(*id),
                         .name = odoo::text(value.get("name")),
                         .progress = {.state = odoo::text(value.get("state")),
                                      .invoicing = invoicing_from(odoo::text(value.get("invoice_status"))),
                                      .delivery = odoo::text(value.get("delivery_status"))}});
    }
    return found;
}

}  // namespace order_export
