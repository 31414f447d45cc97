// What the use cases of order-export need from outside. Each port has one real adapter (adapters/) and one fake (tests/fakes.h).
//
// All members may be called from any handler thread. Those that go to the target block for a gathered call (20 ms and more) up to
// the lease or deadline they are given; errors are of DESIGN's closed list and nothing is retried here.
#pragma once

#include <syncline/core/clock.h>
#include <syncline/core/error.h>
#include <syncline/kit/delivery.h>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "domain/contacts.h"
#include "domain/export_plan.h"
#include "domain/order.h"
#include "domain/refund_plan.h"
#include "domain/rules.h"

namespace order_export {

namespace kit = syncline::kit;

// The rules in force and the hash of the file they came from; taken once for each event.
struct CurrentRules {
    std::shared_ptr<const Rules> rules;
    std::string version;
};
using RulesSource = std::function<CurrentRules()>;

enum class DocumentState : std::uint8_t {
    none,                     // Nothing exported yet.
    excluded,                 // Not exported, by rule.
    cancelled_before_export,  // Not exported, cancelled first.
    quotation,
    confirmed,
    cancelled,
};
[[nodiscard]] std::string_view to_string(DocumentState state);
[[nodiscard]] DocumentState document_state_from(std::string_view name);

// What was done about one refund.
struct RefundEntry {
    core::RefundId id;
    std::string state;  // exported, skipped, waiting
    TargetId document;
    std::string document_name;
    std::string code;  // Why it was skipped or waits.
};

// What the ledger knows of one order on this connection.
struct LedgerEntry {
    OrderKey key;
    DocumentState state = DocumentState::none;
    std::string reason;                      // Of an exclusion.
    std::optional<SnapshotVersion> version;  // Newest snapshot that was settled.
    TargetId document;
    std::string document_name;
    std::string document_hash;
    std::string header_hash;
    std::vector<KnownLine> lines;
    Decimal rounding;  // Price of the rounding line, zero without one.
    core::Money expected_total;
    bool taxes_included = false;
    TargetId company;
    std::string reference;
    FinancialStatus financial_status = FinancialStatus::unknown;
    core::SystemTime placed_at{};
    core::SystemTime exported_at{};  // First acknowledgement of the target.
    bool deleted = false;            // Confirmed: terminal.
    std::string mapping_version;
    RiskLevel risk = RiskLevel::unknown;  // The worst of all assessments; `accepted_risk` overrules it.
    bool accepted_risk = false;
    std::vector<RefundEntry> refunds;
    std::map<std::uint64_t, MoneyState> money;  // Transactions of refunds that were reported by themselves.

    [[nodiscard]] bool has_document() const { return !document.empty(); }
    [[nodiscard]] const RefundEntry* refund(core::RefundId id) const;
};

class ExportLedger {
public:
    virtual ~ExportLedger() = default;
    // An entry in state none when nothing is known. Blocks for one gathered query.
    [[nodiscard]] virtual core::Result<LedgerEntry> find(const OrderKey& key) = 0;
    // Rows of the closing transaction: they exist if and only if the event is settled.
    virtual void record(kit::Delivery& delivery, const LedgerEntry& entry) = 0;
    virtual void record(kit::Delivery& delivery, const OrderKey& key, const RefundEntry& refund) = 0;
    virtual void record_money(kit::Delivery& delivery, const OrderKey& key, std::uint64_t transaction, MoneyState state) = 0;
    // At once and repeatable: an assessment must be known to later snapshots even while its own event is held. A level observed
    // earlier than the stored one of the same provider is ignored.
    virtual core::Result<void> remember_risk(const OrderKey& key, const std::string& provider, RiskLevel level,
                                             core::SystemTime observed, bool accepted) = 0;
};

// A sales document as it stands in the target.
struct ErpDocument {
    TargetId id;
    std::string name;
    DocumentState state = DocumentState::quotation;  // quotation, confirmed or cancelled
    std::string stamp;
    core::Money total;
    // Only when asked for.
    bool locked = false;
    bool delivered = false;  // Any unit.
    bool invoiced = false;
};

struct ErpContacts {
    TargetId contact;
    TargetId invoice;  // The contact itself when there is no address.
    TargetId delivery;
};

class ErpOrders {
public:
    virtual ~ErpOrders() = default;
    // The document under the order's external id, for an order that the ledger knows nothing of: an attempt may have been cut
    // off.
    [[nodiscard]] virtual core::Result<std::optional<TargetId>> find(const OrderKey& order, const core::Deadline& deadline) = 0;
    // Creates the document as a quotation, or finds the one that stands under its external id, which is left as it is.
    [[nodiscard]] virtual core::Result<TargetId> create_once(const SalesDocument& document, const ErpContacts& contacts,
                                                             const kit::Lease& lease) = 0;
    // nullopt: it has vanished.
    [[nodiscard]] virtual core::Result<std::optional<ErpDocument>> read(const TargetId& id, const TargetId& company,
                                                                        bool with_progress, const core::Deadline& deadline) = 0;
    // Makes the document say what `document` says: lines in `known` with the same hash are left alone, so that changes made by
    // hand stay; an empty `known` writes every line. Lines of ours that are no longer wanted are taken away.
    [[nodiscard]] virtual core::Result<void> change(const TargetId& id, const SalesDocument& document,
                                                    const ErpContacts& contacts, const std::vector<KnownLine>& known,
                                                    const std::string& known_header, const kit::Lease& lease) = 0;
    // Sets the price of the one rounding line, creating it if needed.
    [[nodiscard]] virtual core::Result<void> round(const TargetId& id, const SalesDocument& document, const TargetId& product,
                                                   const Decimal& price, const kit::Lease& lease) = 0;
    // "Already so" is success. Restores the date of the order, which the target overwrites with now.
    [[nodiscard]] virtual core::Result<void> confirm(const TargetId& id, const TargetId& company, core::SystemTime ordered_at,
                                                     const kit::Lease& lease) = 0;
    [[nodiscard]] virtual core::Result<void> cancel(const TargetId& id, const TargetId& company, const kit::Lease& lease) = 0;
};

struct ErpCreditNote {
    TargetId id;
    std::string name;
    bool posted = false;
    bool cancelled = false;
    core::Money total;  // Positive.
};

class ErpCreditNotes {
public:
    virtual ~ErpCreditNotes() = default;
    // Linked to the order's posted invoice where there is one.
    [[nodiscard]] virtual core::Result<TargetId> create_once(const CreditNote& note, const TargetId& order,
                                                             const kit::Lease& lease) = 0;
    [[nodiscard]] virtual core::Result<std::optional<ErpCreditNote>> read(const TargetId& id, const TargetId& company,
                                                                          const core::Deadline& deadline) = 0;
    [[nodiscard]] virtual core::Result<void> post(const TargetId& id, const TargetId& company, const kit::Lease& lease) = 0;
};

class ErpParties {
public:
    virtual ~ErpParties() = default;
    // By external id, then by e-mail; nullopt: neither.
    [[nodiscard]] virtual core::Result<std::optional<TargetId>> find(const ContactPlan& contact,
                                                                     const core::Deadline& deadline) = 0;
    // Contact and addresses, each once. With `existing`, the addresses go below that record and no contact is created.
    [[nodiscard]] virtual core::Result<ErpContacts> create_once(const ContactPlan& contact,
                                                                const std::optional<TargetId>& existing,
                                                                const kit::Lease& lease) = 0;
};

class ErpProducts {
public:
    virtual ~ErpProducts() = default;
    // What the target knows by SKU; a SKU that it does not know is absent. Error needs_decision, "product_ambiguous", when two
    // share one.
    [[nodiscard]] virtual core::Result<std::map<core::Sku, TargetId>> find(const std::vector<core::Sku>& skus,
                                                                           const TargetId& company,
                                                                           const core::Deadline& deadline) = 0;
};

enum class ExportAction : std::uint8_t { created, updated, confirmed, cancelled, adopted };

// Publishes what became of an event, with the closing transaction.
class ExportResults {
public:
    virtual ~ExportResults() = default;
    virtual void order_exported(kit::Delivery& delivery, const LedgerEntry& entry, ExportAction action,
                                const core::Money& document_total) = 0;
    // Both are announced; the fate of the event decides which one goes out.
    virtual void order_refused(kit::Delivery& delivery, const LedgerEntry& entry, const core::Error& error) = 0;
    virtual void refund_exported(kit::Delivery& delivery, const LedgerEntry& entry, const RefundEntry& refund,
                                 const core::Money& amount) = 0;
    virtual void refund_refused(kit::Delivery& delivery, const LedgerEntry& entry, core::RefundId refund,
                                const core::Error& error) = 0;
    // Two snapshots of one version with different contents.
    virtual void undecidable(const OrderKey& key) = 0;
};

}  // namespace order_export
