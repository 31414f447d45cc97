#include "app/export_order.h"

namespace order_export {

using core::Error;
using core::ErrorKind;
using core::fail;
using core::Result;
using kit::Outcome;

// What one run of the use case knows.
struct ExportOrder::Work {
    const Order& order;
    kit::Delivery& delivery;
    CurrentRules current;
    LedgerEntry entry;
    ContactPlan contact_plan{};
    SalesDocument document{};
    ErpContacts contacts{};
    Confirmation decision = Confirmation::not_by_rule;
    // Set by apply().
    std::optional<ErpDocument> now{};
    ExportAction action = ExportAction::updated;
    bool superseded = false;

    [[nodiscard]] const Rules& rules() const { return *current.rules; }
    [[nodiscard]] std::string effect_key() const {
        // A run without a newer snapshot has an intent of its own: the snapshot's is closed.
        auto key = "syncline." + order.key.external_name();
        if (delivery.timer()) {
            key += "/timer";
        } else if (!delivery.override_code().empty()) {
            key += "/" + std::string(delivery.override_code());
        } else if (entry.version == order.version && entry.has_document() && entry.document_hash != document.hash) {
            // Two contents of one version: the last arrival is written, whatever was settled for that version.
            key += "/" + document.hash.substr(0, 12);
        }
        return key;
    }
};

std::optional<Error> touched(const ErpDocument& document) {
    const auto hold = [](std::string code, std::string what) {
        return Error{.kind = ErrorKind::needs_decision,
                     .code = std::move(code),
                     .message = "the document has been " + what + " in the target and is not changed any more",
                     .hint = "change it there by hand and discard, or undo the step and release"};
    };
    if (document.delivered) {
        return hold("document_delivered", "delivered");
    }
    if (document.invoiced) {
        return hold("document_invoiced", "invoiced");
    }
    if (document.locked) {
        return hold("document_locked", "locked");
    }
    return std::nullopt;
}

kit::Version kit_version(const SnapshotVersion& version) {
    return {.source_updated_at_ns = version.updated_ns, .observed_at_ns = version.observed_ns, .fetched = version.fetched};
}

Outcome ExportOrder::run(const Order& order, kit::Delivery& delivery) {
    auto entry = ports_.ledger.find(order.key);
    if (!entry) {
        return Outcome::failed(std::move(entry.error()));
    }
    Work work{.order = order, .delivery = delivery, .current = ports_.rules(), .entry = std::move(*entry)};
    if (!work.current.rules) {
        return Outcome::failed(
            Error{.kind = ErrorKind::conflict, .code = "mapping_not_loaded", .message = "no mapping file has been read yet"});
    }
    if (work.entry.deleted) {
        return Outcome::skip("deleted");
    }
    if (work.entry.version && order.version < *work.entry.version) {
        return Outcome::skip("superseded");
    }
    if (!work.entry.has_document()) {
        if (auto reason = exclusion(work.rules(), order)) {
            work.entry.reason = *reason;
            settle(work, DocumentState::excluded);
            return Outcome::skip(std::move(*reason));
        }
        if (order.cancelled && !work.rules().create_cancelled) {
            // A hold or a lost answer may have left a document that the ledger does not know.
            auto standing = ports_.orders.find(order.key, delivery.deadline());
            if (!standing) {
                return Outcome::failed(std::move(standing.error()));
            }
            if (!*standing) {
                settle(work, DocumentState::cancelled_before_export);
                return Outcome::skip("cancelled_before_export");
            }
            work.entry.document = std::move(**standing);
            work.entry.company = shop_of(work.rules(), order.key.shop).company;
            return cancel(work);
        }
    } else if (order.cancelled) {
        return cancel(work);
    }
    return bring(work);
}

Outcome ExportOrder::bring(Work& work) {
    auto& [order, delivery, current, entry, contact_plan, document, contacts, decision, now, action, superseded] = work;
    contact_plan = plan_contacts(order, work.rules(), ports_.contact_key());
    auto plan = plan_order(order, work.rules(), contact_plan.hash);
    if (!plan) {
        return refuse(work, std::move(plan.error()));
    }
    document = std::move(*plan);
    const bool silent = entry.has_document() && ports_.clock.now() >= entry.exported_at + work.rules().confirm.risk_wait;
    const bool accepted = entry.accepted_risk;
    decision = order.cancelled
                   ? Confirmation::not_by_rule
                   : confirmation(work.rules().confirm, order.financial_status, accepted ? RiskLevel::none : entry.risk, silent);
    const bool same = entry.has_document() && entry.document_hash == document.hash;
    if (entry.version == order.version && entry.has_document() && !same && delivery.override_code().empty()) {
        ports_.results.undecidable(order.key);
    }
    if (same && !delivery.verify() && delivery.override_code().empty() &&
        (entry.state == DocumentState::confirmed || decision != Confirmation::now)) {
        return finish(work, true);
    }
    auto found = ports_.contacts.run(contact_plan, delivery);
    if (!found) {
        return refuse(work, std::move(found.error()));
    }
    contacts = std::move(found->contacts);
    const bool contacts_looked_up = found->looked_up;
    if (auto resolved = resolve_products(work); !resolved) {
        return refuse(work, std::move(resolved.error()));
    }
    auto record = delivery.effect(
        {.external_key = work.effect_key(), .version = kit_version(order.version), .creates_once = !entry.has_document()},
        [&](const kit::Lease& lease) { return apply(work, lease); });
    if (!record) {
        if (record.error().code == "unknown_reference" && !contacts_looked_up) {
            // Somebody may have deleted or merged a contact that we remembered: the next run asks the target again.
            ports_.contacts.doubt(contact_plan);
            record.error().kind = ErrorKind::conflict;
        }
        return refuse(work, std::move(record.error()));
    }
    if (superseded) {
        return Outcome::skip("superseded");
    }
    if (!now) {
        // An equal version was settled before under this key; nothing was called.
        return Outcome::skip("unchanged");
    }
    return finish(work, false);
}

core::Result<void> ExportOrder::resolve_products(Work& work) {
    std::vector<core::Sku> wanted;
    for (const auto& line : work.document.lines) {
        if (line.product.empty() && !line.note) {
            wanted.push_back(line.sku);
        }
    }
    if (wanted.empty()) {
        return {};
    }
    auto found = ports_.products.find(wanted, work.document.company, work.delivery.deadline());
    if (!found) {
        return std::unexpected(std::move(found.error()));
    }
    for (auto& line : work.document.lines) {
        if (!line.product.empty() || line.note) {
            continue;
        }
        const auto product = found->find(line.sku);
        if (product == found->end()) {
            return std::unexpected(product_missing(line));
        }
        line.product = product->second;
    }
    return {};
}

core::Result<kit::EffectRecord> ExportOrder::apply(Work& work, const kit::Lease& lease) {
    auto& [order, delivery, current, entry, contact_plan, document, contacts, decision, now, action, superseded] = work;
    auto& erp = ports_.orders;
    const bool known = entry.has_document();
    TargetId id = entry.document;
    if (!known) {
        // Never for a document that the ledger knows: the external id of a deleted document is free, and load would make a new
        // one.
        auto created = erp.create_once(document, contacts, lease);
        if (!created) {
            return std::unexpected(std::move(created.error()));
        }
        id = std::move(*created);
        action = ExportAction::created;
    }
    const auto read = [&](bool with_progress) -> Result<void> {
        auto found = erp.read(id, document.company, with_progress, delivery.deadline());
        if (!found) {
            return std::unexpected(std::move(found.error()));
        }
        if (!*found) {
            return fail(ErrorKind::needs_decision, "document_vanished",
                        "the document was exported and does not exist in the target any more",
                        "restore it there, or decide that the order stays without one");
        }
        now = std::move(**found);
        return {};
    };
    if (auto done = read(known); !done) {
        return std::unexpected(std::move(done.error()));
    }
    if (now->stamp != document.stamp()) {
        const auto standing = version_in_stamp(now->stamp);
        if (standing && *standing > document.version) {
            superseded = true;
            return kit::EffectRecord{.target_id = id, .name = now->name, .detail = {}};
        }
        const bool equal_content = standing && now->stamp.ends_with("/" + document.hash.substr(0, 12) + "]");
        if (!equal_content && now->state != DocumentState::cancelled) {
            if (!known) {
                action = ExportAction::adopted;
                if (auto done = read(true); !done) {
                    return std::unexpected(std::move(done.error()));
                }
            }
            if (auto hold = touched(*now)) {
                return std::unexpected(std::move(*hold));
            }
            // Where the document is not as the ledger left it (a crash, an old call that arrived late), every line is written.
            const bool as_left = known && now->stamp.ends_with("/" + entry.document_hash.substr(0, 12) + "]");
            const std::vector<KnownLine> none;
            if (auto changed =
                    erp.change(id, document, contacts, as_left ? entry.lines : none, as_left ? entry.header_hash : "", lease);
                !changed) {
                return std::unexpected(std::move(changed.error()));
            }
            if (!as_left) {
                entry.rounding = Decimal{};
            }
            if (auto done = read(false); !done) {
                return std::unexpected(std::move(done.error()));
            }
        }
    }
    if (order.cancelled) {
        if (now->state != DocumentState::cancelled) {
            if (auto done = erp.cancel(id, document.company, lease); !done) {
                return std::unexpected(std::move(done.error()));
            }
            now->state = DocumentState::cancelled;
        }
        return kit::EffectRecord{.target_id = id, .name = now->name, .detail = document.hash};
    }
    if (now->state == DocumentState::cancelled) {
        return fail(ErrorKind::needs_decision, "document_cancelled",
                    "the document was cancelled in the target, the order was not",
                    "set it back to a quotation there, or cancel the order in Shopify");
    }
    if (auto checked = check_totals(work, lease); !checked) {
        return std::unexpected(std::move(checked.error()));
    }
    // Also when it is confirmed already but not by a run that ended: the date may not have been restored.
    if (decision == Confirmation::now && (now->state == DocumentState::quotation || entry.state != DocumentState::confirmed)) {
        if (auto done = erp.confirm(id, document.company, document.ordered_at, lease); !done) {
            return std::unexpected(std::move(done.error()));
        }
        now->state = DocumentState::confirmed;
        if (known && entry.document_hash == document.hash) {
            action = ExportAction::confirmed;
        }
    }
    return kit::EffectRecord{.target_id = id, .name = now->name, .detail = document.hash};
}

core::Result<void> ExportOrder::check_totals(Work& work, const kit::Lease& lease) {
    auto& [order, delivery, current, entry, contact_plan, document, contacts, decision, now, action, superseded] = work;
    if (now->total.currency != document.expected_total.currency) {
        return fail(ErrorKind::needs_decision, "currency_differs", "the document stands in another currency than the order",
                    "check the pricelist's currency in the mapping");
    }
    if (delivery.override_code() == "totals_differ") {
        return {};
    }
    const auto& rule = work.rules().totals;
    const auto verdict = compare_totals(document.expected_total, now->total.amount, document.allowance);
    if (verdict == TotalsVerdict::equal ||
        (verdict == TotalsVerdict::within_allowance && rule.within_allowance == Difference::accept)) {
        return {};
    }
    const auto price =
        Result<Decimal>(entry.rounding) + Result<Decimal>(document.expected_total.amount) - Result<Decimal>(now->total.amount);
    // Several small corrections must not add up to a large one.
    if (verdict == TotalsVerdict::within_allowance && price && price->abs() <= document.allowance) {
        auto product = extra_of(work.rules(), Extra::rounding);
        if (!product) {
            return std::unexpected(std::move(product.error()));
        }
        if (auto rounded = ports_.orders.round(now->id, document, *product, *price, lease); !rounded) {
            return rounded;
        }
        auto again = ports_.orders.read(now->id, document.company, false, delivery.deadline());
        if (!again) {
            return std::unexpected(std::move(again.error()));
        }
        if (*again) {
            now = std::move(**again);
        }
        if (now->total.amount == document.expected_total.amount) {
            entry.rounding = *price;
            return {};
        }
    }
    return std::unexpected(totals_differ("totals_differ", document.expected_total, now->total.amount));
}

Outcome ExportOrder::finish(Work& work, bool unchanged) {
    auto& [order, delivery, current, entry, contact_plan, document, contacts, decision, now, action, superseded] = work;
    if (!unchanged) {
        if (entry.exported_at == core::SystemTime{}) {
            entry.exported_at = ports_.clock.now();
        }
        entry.document = now->id;
        entry.document_name = now->name;
        entry.document_hash = document.hash;
        entry.header_hash = document.header_hash;
        entry.expected_total = document.expected_total;
        entry.company = document.company;
        entry.reference = document.reference;
        entry.mapping_version = current.version;
        entry.lines.clear();
        for (const auto& line : document.lines) {
            entry.lines.push_back(
                {.key = line.key, .product = line.product, .name = line.name, .taxes = line.taxes, .hash = line.hash});
        }
    }
    for (const auto& refund : order.refunds) {
        if (auto credited = ports_.refunds.run_from_snapshot(entry, refund, current, delivery); !credited) {
            return Outcome::failed(std::move(credited.error()));
        }
    }
    const auto state = unchanged ? entry.state : now->state;
    settle(work, state);
    if (!unchanged) {
        ports_.results.order_exported(delivery, entry, state == DocumentState::cancelled ? ExportAction::cancelled : action,
                                      now->total);
    }
    if (decision == Confirmation::wait_for_risk && state == DocumentState::quotation) {
        return Outcome::done_until(entry.exported_at + work.rules().confirm.risk_wait, "risk_silence");
    }
    return unchanged ? Outcome::skip("unchanged") : Outcome::done();
}

Outcome ExportOrder::cancel(Work& work) {
    auto& entry = work.entry;
    auto& delivery = work.delivery;
    if (entry.state == DocumentState::cancelled && !delivery.verify()) {
        for (const auto& refund : work.order.refunds) {
            if (auto credited = ports_.refunds.run_from_snapshot(entry, refund, work.current, delivery); !credited) {
                return Outcome::failed(std::move(credited.error()));
            }
        }
        settle(work, DocumentState::cancelled);
        return Outcome::skip("unchanged");
    }
    const auto call = [&](const kit::Lease& lease) -> Result<kit::EffectRecord> {
        auto found = ports_.orders.read(entry.document, entry.company, true, delivery.deadline());
        if (!found) {
            return std::unexpected(std::move(found.error()));
        }
        if (!*found) {
            return fail(ErrorKind::needs_decision, "document_vanished",
                        "the document was exported and does not exist in the target any more");
        }
        work.now = std::move(**found);
        if (work.now->state != DocumentState::cancelled) {
            // A delivered order can be cancelled in the target, with the goods gone all the same (odoo.md §7.3).
            if (auto hold = touched(*work.now)) {
                return std::unexpected(std::move(*hold));
            }
            if (auto done = ports_.orders.cancel(entry.document, entry.company, lease); !done) {
                return std::unexpected(std::move(done.error()));
            }
            work.now->state = DocumentState::cancelled;
        }
        return kit::EffectRecord{.target_id = entry.document, .name = work.now->name, .detail = "cancelled"};
    };
    auto record = delivery.effect({.external_key = work.effect_key(), .version = kit_version(work.order.version)}, call);
    if (!record) {
        return refuse(work, std::move(record.error()));
    }
    for (const auto& refund : work.order.refunds) {
        if (auto credited = ports_.refunds.run_from_snapshot(entry, refund, work.current, delivery); !credited) {
            return Outcome::failed(std::move(credited.error()));
        }
    }
    settle(work, DocumentState::cancelled);
    ports_.results.order_exported(delivery, entry, ExportAction::cancelled, work.now ? work.now->total : entry.expected_total);
    return Outcome::done();
}

void ExportOrder::settle(Work& work, DocumentState state) {
    work.entry.key = work.order.key;
    work.entry.state = state;
    work.entry.version = work.order.version;
    work.entry.financial_status = work.order.financial_status;
    work.entry.placed_at = work.order.placed_at;
    work.entry.taxes_included = work.order.taxes_included;
    ports_.ledger.record(work.delivery, work.entry);
}

Outcome ExportOrder::refuse(Work& work, Error error) {
    work.entry.placed_at = work.order.placed_at;
    work.entry.version = work.order.version;
    work.entry.mapping_version = work.current.version;
    ports_.results.order_refused(work.delivery, work.entry, error);
    return Outcome::failed(std::move(error));
}

}  // namespace order_export
