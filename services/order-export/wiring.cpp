// order-export: one ERP sales document per order, however often Kafka redelivers its events.
#include "wiring.h"

#include <syncline/kit/admin.h>
#include <syncline/kit/mappings.h>
#include <syncline/telemetry/log.h>
#include <syncline/topics.h>

#include "adapters/admin_routes.h"
#include "adapters/event_mapping.h"
#include "adapters/kit_results.h"
#include "adapters/mapping_file.h"
#include "adapters/odoo_credit_notes.h"
#include "adapters/odoo_document_feeds.h"
#include "adapters/odoo_orders.h"
#include "adapters/odoo_parties.h"
#include "adapters/odoo_products.h"
#include "adapters/pg_document_memory.h"
#include "adapters/pg_export_ledger.h"
#include "app/export_order.h"
#include "app/record_facts.h"
#include "app/watch_documents.h"
#include "config.h"

namespace order_export {

using kit::Outcome;
namespace topics = syncline::topics;

void wire(kit::Service& service) {
    const auto config = service.config<Config>();
    auto& clock = service.clock();
    auto& mappings =
        service.mappings(config.connection, [](std::string_view text) { return kit::as_parsed(parse_mapping(text)); });
    const RulesSource rules = [&mappings] {
        const auto snapshot = mappings.snapshot();
        return CurrentRules{.rules = std::static_pointer_cast<const Rules>(snapshot->entries), .version = snapshot->version};
    };
    service.migration("0001_export_ledger", kLedgerSchema);
    service.migration("0002_document_memory", kDocumentMemorySchema);
    service.migration("0003_kit_leases", kKitLeasesSchema);
    auto& memory = service.own<PgDocumentMemory>(service.postgres(), clock, config.connection, config.group());
    auto& ledger = service.own<PgExportLedger>(service.postgres(), clock, config.connection);
    auto& odoo = service.own<syncline::odoo::Gateway>(service.http(), config.target(), config.calls, clock, service.metrics());
    auto& external_ids = service.own<OdooExternalIds>(odoo);
    auto& orders = service.own<OdooOrders>(odoo, external_ids, clock);
    auto& notes = service.own<OdooCreditNotes>(odoo, clock);
    auto& parties = service.own<OdooParties>(odoo, external_ids, clock);
    auto& products = service.own<OdooProducts>(odoo, clock, config.remembered_products_max);
    auto& results = service.own<KitResults>(
        config.connection, clock, service.metrics(), [&memory](const LedgerEntry& entry, const std::string& subject) {
            if (const auto done = memory.remember_hold(entry.key, subject, entry.version); !done) {
                // The hold is announced all the same; only its end without an export would not be.
                syncline::telemetry::log::failure(syncline::telemetry::log::Level::warn, "hold_not_remembered", done.error());
            }
        });
    auto& feeds = service.own<OdooDocumentFeeds>(odoo);
    auto& watch_documents = service.own<WatchDocuments>(feeds, memory, clock, config.watch);
    auto& watch = service.own<DocumentWatch>(
        watch_documents, memory, clock, config.watch, [](std::string_view what, const core::Error& error) {
            syncline::telemetry::log::failure(syncline::telemetry::log::Level::warn, what, error);
        });
    service.runnable("documents", [&watch] { watch.start(); }, [&watch](core::Deadline) { watch.stop(); });
    auto& contacts = service.own<ResolveContacts>(parties, clock, config.remembered_contacts_max);
    auto& export_refund = service.own<ExportRefund>(ledger, notes, results, rules);
    auto& export_order =
        service.own<ExportOrder>(ExportOrder::Ports{.ledger = ledger,
                                                    .orders = orders,
                                                    .products = products,
                                                    .contacts = contacts,
                                                    .refunds = export_refund,
                                                    .results = results,
                                                    .rules = rules,
                                                    .contact_key = [key = config.contact_key] { return key.current(); },
                                                    .clock = clock});
    auto& assess_risk = service.own<AssessRisk>(ledger, orders, results, rules, clock);
    auto& delete_order = service.own<DeleteOrder>(ledger, orders, results);
    auto& record_money = service.own<RecordMoney>(ledger);

    service.target({.connection = config.connection,
                    .probe = [&odoo](core::Deadline deadline) { return odoo.probe(deadline); },
                    .longest_request = config.longest_request});
    service.holds_resolve_by([rules, &ledger](std::string_view waits_for) {
        // A refund waits for its money, which is reported by a fact of its own.
        if (const auto money = awaited_money(waits_for)) {
            const auto entry = ledger.find(money->order);
            return entry && entry->money.contains(money->transaction);
        }
        if (const auto gone = awaited_deletion(waits_for)) {
            const auto entry = ledger.find(*gone);
            return entry && entry->deleted;
        }
        const auto current = rules();
        return current.rules && resolves(*current.rules, waits_for);
    });
    service.publishes(
        topics::exports,
        {exports_v1::OrderExported::descriptor()->full_name(), exports_v1::OrderExportHeld::descriptor()->full_name(),
         exports_v1::OrderExportFailed::descriptor()->full_name(), exports_v1::RefundExported::descriptor()->full_name(),
         exports_v1::RefundExportHeld::descriptor()->full_name(), exports_v1::RefundExportFailed::descriptor()->full_name(),
         exports_v1::ExportHoldEnded::descriptor()->full_name(), exports_v1::DocumentStateChanged::descriptor()->full_name()});

    service.on<orders_v1::OrderChanged>({.topic = topics::orders,
                                         .consumer_group = config.group(),
                                         .family = kit::Family::snapshot,
                                         .resource = {},
                                         .version = version_of,
                                         .handle = [&](const orders_v1::OrderChanged& event, kit::Delivery& delivery) {
                                             auto order = to_order(event);
                                             return order ? export_order.run(*order, delivery)
                                                          : Outcome::failed(std::move(order.error()));
                                         }});
    service.on<orders_v1::RefundRecorded>(
        {.topic = topics::orders,
         .consumer_group = config.group(),
         .family = kit::Family::fact,
         .resource = [](const auto& event) { return "refund/" + std::to_string(event.refund().refund_id()); },
         .version = {},
         .handle =
             [&](const orders_v1::RefundRecorded& event, kit::Delivery& delivery) {
                 auto fact = to_refund(event);
                 return fact ? export_refund.run(fact->key, fact->refund, delivery) : Outcome::failed(std::move(fact.error()));
             }});
    service.on<orders_v1::PaymentTransactionRecorded>(
        {.topic = topics::orders,
         .consumer_group = config.group(),
         .family = kit::Family::fact,
         .resource = [](const auto& event) { return "transaction/" + std::to_string(event.transaction().transaction_id()); },
         .version = {},
         .handle =
             [&](const orders_v1::PaymentTransactionRecorded& event, kit::Delivery& delivery) {
                 const auto fact = to_money(event);
                 return record_money.run(fact.key, fact.transaction, fact.of_refund, fact.state, delivery);
             }});
    service.on<orders_v1::OrderRiskAssessed>({.topic = topics::orders,
                                              .consumer_group = config.group(),
                                              .family = kit::Family::fact,
                                              .resource = [](const auto&) { return std::string("risk"); },
                                              .version = {},
                                              .handle =
                                                  [&](const orders_v1::OrderRiskAssessed& event, kit::Delivery& delivery) {
                                                      return assess_risk.run(to_assessment(event), delivery);
                                                  }});
    service.on<orders_v1::OrderDeleted>(
        {.topic = topics::orders,
         .consumer_group = config.group(),
         .family = kit::Family::fact,
         // The confirmed one must not wait behind the one that is held.
         .resource = [](const auto& event) { return std::string(event.confirmed() ? "deletion/confirmed" : "deletion"); },
         .version = {},
         .handle =
             [&](const orders_v1::OrderDeleted& event, kit::Delivery& delivery) {
                 return delete_order.run(to_deletion(event), delivery);
             }});
    service.on<orders_v1::OrderEditNoticed>(
        {.topic = topics::orders,
         .consumer_group = config.group(),
         .family = kit::Family::fact,
         .resource = [](const auto& event) { return "edit/" + std::to_string(event.order_edit_id()); },
         .version = {},
         // The snapshot that follows says what has changed.
         .handle =
             [](const orders_v1::OrderEditNoticed&, kit::Delivery&) {
                 return Outcome::skip("edit_noticed");
             }});
    add_admin_routes(service.admin(), config.connection, ledger, odoo, rules, clock);
}

}  // namespace order_export
