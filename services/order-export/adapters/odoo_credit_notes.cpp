#include "adapters/odoo_credit_notes.h"

#include "adapters/odoo_fields.h"

namespace order_export {
namespace {

using core::ErrorKind;
using core::fail;
using core::Result;

}  // namespace

Result<TargetId> OdooCreditNotes::create_once(const CreditNote& note, const TargetId& order, const kit::Lease& lease) {
    const core::Deadline deadline(clock_, lease.until());
    const auto scope = scope_of(note.company);
    auto orders = odoo_.read({.model = "sale.order",
                              .scope = scope,
                              .ids = {odoo_id(order)},
                              .fields = {"name", "partner_invoice_id", "currency_id", "invoice_ids"}},
                             deadline);
    if (!orders) {
        return std::unexpected(std::move(orders.error()));
    }
    if (orders->empty()) {
        return fail(ErrorKind::needs_decision, "document_vanished", "the refund's order does not exist in the target any more");
    }
    const auto& record = *orders->front().value();
    const auto partner_member = record.get("partner_invoice_id");
    const auto currency_member = record.get("currency_id");
    if (!partner_member || !currency_member) {
        return fail(ErrorKind::conflict, "reply_unexpected", "Odoo left out partner or currency of an order");
    }
    const auto partner = odoo::reference(*partner_member);
    const auto currency = odoo::reference(*currency_member);
    if (!partner || !*partner || !currency || !*currency) {
        return fail(ErrorKind::conflict, "reply_unexpected", "an order has no invoice address or no currency");
    }
    std::int64_t invoice = 0;
    if (const auto invoices = odoo::ids(record.get("invoice_ids")); !invoices.empty()) {
        auto moves =
            odoo_.read({.model = "account.move", .scope = scope, .ids = invoices, .fields = {"state", "move_type"}}, deadline);
        if (!moves) {
            return std::unexpected(std::move(moves.error()));
        }
        for (const auto& move : *moves) {
            if (odoo::text(move.value()->get("state")) == "posted" &&
                odoo::text(move.value()->get("move_type")) == "out_invoice") {
                const auto id = move.value()->get("id");
                invoice = id ? id->int64().value_or(0) : 0;
                break;
            }
        }
    }
    odoo::LoadRequest request{.model = "account.move", .scope = scope};
    request.columns = {"id", "move_type", "partner_id/.id", "invoice_date", "ref", "currency_id/.id", "invoice_origin"};
    odoo::Row cells{external_id(note.external_name()),
                    "out_refund",
                    std::to_string((*partner)->id),
                    odoo_date(note.date),
                    note.reference,
                    std::to_string((*currency)->id),
                    odoo::text(record.get("name"))};
    if (!note.journal.empty()) {
        request.columns.emplace_back("journal_id/.id");
        cells.push_back(note.journal);
    }
    if (invoice != 0) {
        request.columns.emplace_back("reversed_entry_id/.id");
        cells.push_back(std::to_string(invoice));
    }
    const auto width = cells.size();
    for (const auto* const column : {"id", "product_id/.id", "name", "quantity", "price_unit", "tax_ids/.id"}) {
        request.columns.push_back(std::string("invoice_line_ids/") + column);
    }
    odoo::Record rows;
    for (const auto& line : note.lines) {
        odoo::Row row = rows.empty() ? cells : odoo::Row(width, "");
        for (auto cell : {external_id(note.external_name()) + "_" + line.key, line.product, line.name, line.quantity.to_string(),
                          line.unit_price.to_string(), joined(line.taxes)}) {
            row.push_back(std::move(cell));
        }
        rows.push_back(std::move(row));
    }
    request.records.push_back(std::move(rows));
    auto ids = odoo_.create_once(std::move(request), lease.until());
    if (!ids) {
        return std::unexpected(std::move(ids.error()));
    }
    return std::to_string(ids->front());
}

Result<std::optional<ErpCreditNote>> OdooCreditNotes::read(const TargetId& id, const TargetId& company,
                                                           const core::Deadline& deadline) {
    auto records = odoo_.read({.model = "account.move",
                               .scope = scope_of(company),
                               .ids = {odoo_id(id)},
                               .fields = {"name", "state", "amount_total", "currency_id"}},
                              deadline);
    if (!records) {
        return std::unexpected(std::move(records.error()));
    }
    if (records->empty()) {
        return std::optional<ErpCreditNote>{};
    }
    auto total = total_of(records->front());
    if (!total) {
        return std::unexpected(std::move(total.error()));
    }
    const auto state = odoo::text(records->front().value()->get("state"));
    return ErpCreditNote{.id = id,
                         .name = odoo::text(records->front().value()->get("name")),
                         .posted = state == "posted",
                         .cancelled = state == "cancel",
                         .total = std::move(*total)};
}

Result<void> OdooCreditNotes::post(const TargetId& id, const TargetId& company, const kit::Lease& lease) {
    auto posted = odoo_.act({.model = "account.move",
                             .method = "action_post",
                             .scope = scope_of(company),
                             .id = odoo_id(id),
                             .done_states = {"posted"},
                             .context = {}},
                            lease.until());
    if (!posted && posted.error().kind == ErrorKind::rejected) {
        // The document stands as a draft: an inactive currency or a missing account is for a person, not for the dead letters.
        posted.error().kind = ErrorKind::needs_decision;
        posted.error().code = "posting_refused";
    }
    return posted;
}

}  // namespace order_export
