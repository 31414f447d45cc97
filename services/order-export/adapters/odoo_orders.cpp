#include "adapters/odoo_orders.h"

#include <syncline/json/writer.h>
#include <syncline/telemetry/log.h>
#include <algorithm>

#include "adapters/odoo_fields.h"

namespace order_export {
namespace {

namespace json = syncline::json;
using core::ErrorKind;
using core::fail;
using core::Result;

std::string line_id(const SalesDocument& document, std::string_view key) {
    return external_id(document.key.external_name()) + "_" + std::string(key);
}

DocumentState state_of(std::string_view state) {
    if (state == "cancel") {
        return DocumentState::cancelled;
    }
    return state == "sale" || state == "done" ? DocumentState::confirmed : DocumentState::quotation;
}

// The cells of a line in the order of line_columns().
odoo::Row line_cells(const SalesDocument& document, const DocumentLine& line, std::size_t sequence) {
    return {line_id(document, line.key),
            line.product,
            line.name,
            line.quantity.to_string(),
            line.unit_price.to_string(),
            joined(line.taxes),
            line.note ? "line_note" : "",
            std::to_string(sequence)};
}

std::vector<std::string> line_columns(const std::string& prefix, const std::string& taxes) {
    return {prefix + "id",         prefix + "product_id/.id", prefix + "name",         prefix + "product_uom_qty",
            prefix + "price_unit", prefix + taxes + "/.id",   prefix + "display_type", prefix + "sequence"};
}

void write_ids(json::Writer& out, const std::vector<TargetId>& ids) {
    out.begin_array();
    for (const auto& id : ids) {
        out.integer(odoo_id(id));
    }
    out.end_array();
}

}  // namespace

Result<TargetId> OdooOrders::create_once(const SalesDocument& document, const ErpContacts& contacts, const kit::Lease& lease) {
    const auto facts = odoo_.facts(until(lease));
    if (!facts) {
        return std::unexpected(facts.error());
    }
    odoo::LoadRequest request{.model = "sale.order", .scope = scope_of(document.company, document.language)};
    request.columns = {
        "id",     "partner_id/.id", "partner_invoice_id/.id", "partner_shipping_id/.id", "pricelist_id/.id", "client_order_ref",
        "origin", "date_order"};
    odoo::Row cells{external_id(document.key.external_name()),
                    contacts.contact,
                    contacts.invoice,
                    contacts.delivery,
                    document.pricelist,
                    document.reference,
                    document.stamp(),
                    odoo_datetime(document.ordered_at)};
    // An empty cell would be an explicit empty: without a warehouse the column is left out.
    if (document.warehouse && facts->order_warehouse) {
        request.columns.push_back("warehouse_id/.id");
        cells.push_back(*document.warehouse);
    }
    const auto width = cells.size();
    std::ranges::copy(line_columns("order_line/", facts->line_taxes), std::back_inserter(request.columns));
    odoo::Record record;
    for (std::size_t i = 0; i < document.lines.size(); ++i) {
        odoo::Row row = i == 0 ? cells : odoo::Row(width, "");
        std::ranges::move(line_cells(document, document.lines[i], i + 1), std::back_inserter(row));
        record.push_back(std::move(row));
    }
    if (record.empty()) {
        cells.resize(request.columns.size());
        record.push_back(std::move(cells));
    }
    request.records.push_back(std::move(record));
    auto ids = odoo_.create_once(std::move(request), lease.until());
    if (!ids) {
        if (ids.error().code == "value_refused") {
            odoo_.forget_facts();
        }
        return std::unexpected(std::move(ids.error()));
    }
    return std::to_string(ids->front());
}

Result<std::optional<ErpDocument>> OdooOrders::read(const TargetId& id, const TargetId& company, bool with_progress,
                                                    const core::Deadline& deadline) {
    odoo::ReadRequest request{.model = "sale.order", .scope = scope_of(company), .ids = {odoo_id(id)}};
    request.fields = {"name", "state", "origin", "amount_total", "currency_id"};
    if (with_progress) {
        const auto facts = odoo_.facts(deadline);
        if (!facts) {
            return std::unexpected(facts.error());
        }
        request.fields.emplace_back("order_line");
        if (facts->order_locked) {
            request.fields.emplace_back("locked");
        }
    }
    auto records = odoo_.read(std::move(request), deadline);
    if (!records) {
        return std::unexpected(std::move(records.error()));
    }
    if (records->empty()) {
        return std::optional<ErpDocument>{};
    }
    const auto& record = records->front();
    auto total = total_of(record);
    if (!total) {
        return std::unexpected(std::move(total.error()));
    }
    const auto state = odoo::text(record.value()->get("state"));
    ErpDocument document{.id = id,
                         .name = odoo::text(record.value()->get("name")),
                         .state = state_of(state),
                         .stamp = odoo::text(record.value()->get("origin")),
                         .total = std::move(*total)};
    if (with_progress) {
        document.locked = odoo::truth(record.value()->get("locked")) || state == "done";
        auto lines = odoo_.read({.model = "sale.order.line",
                                 .scope = scope_of(company),
                                 .ids = odoo::ids(record.value()->get("order_line")),
                                 .fields = {"qty_delivered", "qty_invoiced"}},
                                deadline);
        if (!lines) {
            return std::unexpected(std::move(lines.error()));
        }
        for (const auto& line : *lines) {
            document.delivered = document.delivered || !quantity_of(line, "qty_delivered").is_zero();
            document.invoiced = document.invoiced || !quantity_of(line, "qty_invoiced").is_zero();
        }
    }
    return document;
}

Result<std::map<std::string, std::int64_t>> OdooOrders::lines_by_key(const SalesDocument& document,
                                                                     const std::vector<std::int64_t>& ids,
                                                                     const core::Deadline& deadline) {
    std::map<std::string, std::int64_t> found;
    if (ids.empty()) {
        return found;
    }
    const auto answer = odoo_.call({.model = "sale.order.line",
                                    .method = "get_external_id",
                                    .ids = ids,
                                    .on_records = true,
                                    .context = odoo::context_of(scope_of(document.company))},
                                   deadline);
    if (!answer) {
        return std::unexpected(answer.error());
    }
    const auto prefix = line_id(document, "");
    if (answer->value()) {
        for (const auto member : answer->value()->members()) {
            const auto name = odoo::text(member.value);
            if (name.starts_with(prefix)) {
                found.emplace(name.substr(prefix.size()), odoo_id(std::string(member.name)));
            }
        }
    }
    return found;
}

Result<std::vector<std::int64_t>> OdooOrders::load_lines(const TargetId& id, const SalesDocument& document,
                                                         const std::vector<const DocumentLine*>& lines, const kit::Lease& lease) {
    const auto facts = odoo_.facts(until(lease));
    if (!facts) {
        return std::unexpected(facts.error());
    }
    odoo::LoadRequest request{.model = "sale.order.line", .scope = scope_of(document.company, document.language)};
    request.columns = line_columns("", facts->line_taxes);
    request.columns.emplace_back("order_id/.id");
    for (const auto* const line : lines) {
        const auto position = std::ranges::find_if(document.lines, [&](const DocumentLine& l) { return l.key == line->key; });
        auto row = line_cells(document, *line, static_cast<std::size_t>(position - document.lines.begin()) + 1);
        row.push_back(id);
        request.records.push_back({std::move(row)});
    }
    return odoo_.create_once(std::move(request), lease.until());
}

Result<void> OdooOrders::change(const TargetId& id, const SalesDocument& document, const ErpContacts& contacts,
                                const std::vector<KnownLine>& known, const std::string& known_header, const kit::Lease& lease) {
    const auto deadline = until(lease);
    const auto facts = odoo_.facts(deadline);
    if (!facts) {
        return std::unexpected(facts.error());
    }
    auto records = odoo_.read(
        {.model = "sale.order", .scope = scope_of(document.company), .ids = {odoo_id(id)}, .fields = {"state", "order_line"}},
        deadline);
    if (!records) {
        return std::unexpected(std::move(records.error()));
    }
    if (records->empty()) {
        return fail(ErrorKind::needs_decision, "document_vanished", "the document does not exist any more");
    }
    const auto& order = *records->front().value();
    const bool quotation = state_of(odoo::text(order.get("state"))) == DocumentState::quotation;
    const auto standing = lines_by_key(document, odoo::ids(order.get("order_line")), deadline);
    if (!standing) {
        return std::unexpected(standing.error());
    }
    const auto known_line = [&](std::string_view key) {
        const auto found = std::ranges::find_if(known, [&](const KnownLine& line) { return line.key == key; });
        return found == known.end() ? nullptr : &*found;
    };
    std::vector<const DocumentLine*> fresh;
    json::Writer commands;
    commands.begin_array();
    bool removes = false;
    bool any = false;
    for (const auto& line : document.lines) {
        const auto at = standing->find(line.key);
        if (at == standing->end()) {
            fresh.push_back(&line);
            continue;
        }
        const auto* const before = known_line(line.key);
        if (before != nullptr && before->hash == line.hash) {
            continue;
        }
        any = true;
        if (!quotation && before != nullptr && before->product != line.product) {
            return fail(ErrorKind::needs_decision, "product_changed_on_confirmed",
                        "a line of a confirmed document would need another product");
        }
        commands.begin_array().integer(1).integer(at->second).begin_object();
        commands.member("name", line.name);
        if (!line.note) {
            commands.member("product_uom_qty", line.quantity).member("price_unit", line.unit_price);
            commands.key(facts->line_taxes).begin_array().begin_array().integer(6).integer(0);
            write_ids(commands, line.taxes);
            commands.end_array().end_array();
            if (quotation) {
                commands.member("product_id", odoo_id(line.product));
            }
        }
        commands.end_object().end_array();
    }
    for (const auto& [key, line] : *standing) {
        const bool wanted = std::ranges::any_of(document.lines, [&](const DocumentLine& l) { return l.key == key; });
        // With a known document the rounding line stays; its price is corrected after the totals have been read.
        if (wanted || (key == "rounding" && !known.empty())) {
            continue;
        }
        any = true;
        // A line of a confirmed order cannot be deleted, only emptied.
        if (quotation) {
            removes = true;
            commands.begin_array().integer(2).integer(line).integer(0).end_array();
        } else {
            commands.begin_array().integer(1).integer(line).begin_object().member("product_uom_qty", 0).end_object().end_array();
        }
    }
    commands.end_array();
    if (!fresh.empty()) {
        if (auto loaded = load_lines(id, document, fresh, lease); !loaded) {
            return std::unexpected(std::move(loaded.error()));
        }
    }
    json::Writer values;
    values.begin_object();
    if (known_header != document.header_hash) {
        values.member("client_order_ref", document.reference);
        values.member("partner_shipping_id", odoo_id(contacts.delivery)).member("partner_invoice_id", odoo_id(contacts.invoice));
        if (quotation) {
            values.member("partner_id", odoo_id(contacts.contact)).member("pricelist_id", odoo_id(document.pricelist));
            values.member("date_order", odoo_datetime(document.ordered_at));
            if (document.warehouse && facts->order_warehouse) {
                values.member("warehouse_id", odoo_id(*document.warehouse));
            }
        }
    }
    if (any) {
        values.key("order_line").raw(commands.view());
    }
    // The stamp goes last and with everything else: it says what the document holds.
    values.member("origin", document.stamp()).end_object();
    auto written = odoo_.write({.model = "sale.order",
                                .scope = scope_of(document.company, document.language),
                                .id = odoo_id(id),
                                .values = std::move(values).take(),
                                .repeatable = !removes},
                               lease.until());
    if (!written && written.error().kind == ErrorKind::rejected && !quotation) {
        // Odoo refuses changes of confirmed documents for reasons of its own (locked, in a picking): a person decides.
        written.error().kind = ErrorKind::needs_decision;
    }
    return written;
}

Result<void> OdooOrders::round(const TargetId& id, const SalesDocument& document, const TargetId& product, const Decimal& price,
                               const kit::Lease& lease) {
    DocumentLine line{.key = "rounding",
                      .product = product,
                      .sku = {},
                      .name = "Rounding",
                      .quantity = Decimal(1),
                      .unit_price = price,
                      .taxes = {},
                      .note = false,
                      .hash = {}};
    auto loaded = load_lines(id, document, {&line}, lease);
    if (!loaded) {
        return std::unexpected(std::move(loaded.error()));
    }
    // The line may have stood already, with another price.
    json::Writer values;
    values.begin_object().member("product_uom_qty", 1).member("price_unit", price).end_object();
    return odoo_.write({.model = "sale.order.line",
                        .scope = scope_of(document.company),
                        .id = loaded->front(),
                        .values = std::move(values).take()},
                       lease.until());
}

Result<void> OdooOrders::confirm(const TargetId& id, const TargetId& company, core::SystemTime ordered_at,
                                 const kit::Lease& lease) {
    auto done = odoo_.act({.model = "sale.order",
                           .method = "action_confirm",
                           .scope = scope_of(company),
                           .id = odoo_id(id),
                           .done_states = {"sale", "done"},
                           .context = {}},
                          lease.until());
    if (!done) {
        return done;
    }
    json::Writer values;
    values.begin_object().member("date_order", odoo_datetime(ordered_at)).end_object();
    auto dated =
        odoo_.write({.model = "sale.order", .scope = scope_of(company), .id = odoo_id(id), .values = std::move(values).take()},
                    lease.until());
    if (!dated && dated.error().kind == ErrorKind::rejected) {
        // Where Odoo locks what is confirmed, the date stays that of the confirmation; the order itself is right.
        syncline::telemetry::log::warn("order_date_not_restored", {{"document", id}, {"code", dated.error().code}});
        return {};
    }
    return dated;
}

Result<void> OdooOrders::cancel(const TargetId& id, const TargetId& company, const kit::Lease& lease) {
    return odoo_.act({.model = "sale.order",
                      .method = "action_cancel",
                      .scope = scope_of(company),
                      .id = odoo_id(id),
                      .done_states = {"cancel"},
                      .context = R"("disable_cancel_warning":true)"},
                     lease.until());
}

}  // namespace order_export
