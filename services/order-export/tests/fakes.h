// Hand-written fakes with behaviour for the use cases: an ERP that loses answers after it has accepted, a ledger that keeps rows
// only when the event was settled, intents that close with it.
#pragma once

#include <deque>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "app/export_order.h"
#include "app/record_facts.h"

namespace order_export::testing {

using core::Error;
using core::ErrorKind;
using kit::Outcome;
using namespace std::chrono_literals;

inline Decimal dec(std::string_view text) {
    return Decimal::parse(text).value();
}

// ---- An order: 2 × 10.00 with 20 % on top, shipping 5.00 with 20 %: 30.00.
inline Order an_order(std::uint64_t id = 5001) {
    Order order;
    order.key = {.shop = core::ShopAlias("eu"), .id = core::OrderId(id)};
    order.name = "#1001";
    order.version = {.updated_ns = 100, .observed_ns = 1, .fetched = false};
    order.placed_at = core::SystemTime{1'759'999'990s};
    order.source = "web";
    order.financial_status = FinancialStatus::paid;
    order.currency = "EUR";
    order.country = "FR";
    const TaxLine tax{.title = "TVA", .rate = dec("0.2"), .amount = dec("4"), .included = false, .channel_liable = false};
    order.lines.push_back({.id = LineId(91),
                           .variant_id = 7,
                           .sku = core::Sku("SKU-1"),
                           .name = "Shirt",
                           .kind = LineKind::product,
                           .quantity = dec("2"),
                           .current_quantity = dec("2"),
                           .unit_price = dec("10"),
                           .discount = {},
                           .taxes = {tax},
                           .duties = {},
                           .group_id = 0});
    order.shipping.push_back({.id = 5, .title = "Standard", .price = dec("5"), .discount = {}, .taxes = {tax}, .removed = false});
    order.total = dec("30");
    order.current_total = dec("30");
    order.buyer = {.customer_id = 77,
                   .company_id = 0,
                   .first_name = "Ann",
                   .last_name = "Example",
                   .email = "Ann@Example.com",
                   .phone = {},
                   .locale = "fr",
                   .billing = Address{.first_name = "Ann",
                                      .last_name = "Example",
                                      .company = {},
                                      .address1 = "1 Road",
                                      .address2 = {},
                                      .city = "Paris",
                                      .zip = "75001",
                                      .province_code = {},
                                      .country_code = "FR",
                                      .phone = {}},
                   .shipping = {}};
    return order;
}

inline Rules some_rules() {
    Rules rules;
    rules.taxes.push_back({.country = "FR",
                           .province = {},
                           .rate = dec("0.2"),
                           .included = false,
                           .channel_liable = false,
                           .title = {},
                           .target = "120"});
    rules.taxes.push_back({.country = "FR",
                           .province = {},
                           .rate = dec("0.2"),
                           .included = true,
                           .channel_liable = false,
                           .title = {},
                           .target = "121"});
    rules.pricelists = {{"EUR", "1"}, {"USD", "2"}};
    rules.products = {{"SKU-1", "501"}, {"SKU-2", "502"}};
    for (int i = 0; i <= static_cast<int>(Extra::adjustment); ++i) {
        rules.extras[static_cast<Extra>(i)] = std::to_string(900 + i);
    }
    return rules;
}

class FakeErp final : public ErpOrders, public ErpCreditNotes, public ErpParties, public ErpProducts {
public:
    struct Document {
        TargetId id;
        std::string name;
        DocumentState state = DocumentState::quotation;
        std::string stamp;
        std::string currency;
        std::map<std::string, DocumentLine> lines;
        bool locked = false;
        bool delivered = false;
        bool invoiced = false;
        core::SystemTime ordered_at{};
        bool posted = false;
    };

    // Errors of the next calls: refused before anything happens, or lost after it has happened.
    std::deque<Error> refuse;
    int lose_answers = 0;
    Decimal skew;  // What the ERP's rounding makes of totals.
    std::vector<std::string> calls;
    std::map<std::string, Document> orders;  // By external name.
    std::map<std::string, Document> notes;
    std::map<std::string, TargetId> parties;  // By external name.
    std::map<std::string, TargetId> emails;
    std::map<core::Sku, TargetId> products;

    [[nodiscard]] std::size_t count(std::string_view call) const {
        return static_cast<std::size_t>(std::ranges::count(calls, call));
    }
    Document* of(const TargetId& id) {
        for (auto* table : {&orders, &notes}) {
            for (auto& [name, document] : *table) {
                if (document.id == id) {
                    return &document;
                }
            }
        }
        return nullptr;
    }

    core::Result<std::optional<TargetId>> find(const OrderKey& order, const core::Deadline&) override {
        if (auto error = before("find", nullptr)) {
            return std::unexpected(*error);
        }
        const auto known = orders.find(order.external_name());
        return known == orders.end() ? std::optional<TargetId>{} : std::optional(known->second.id);
    }
    core::Result<TargetId> create_once(const SalesDocument& document, const ErpContacts&, const kit::Lease& lease) override {
        if (auto error = before("create", &lease)) {
            return std::unexpected(*error);
        }
        auto& standing = orders[document.key.external_name()];
        if (standing.id.empty()) {
            standing = {.id = next_id(),
                        .name = "S000" + document.key.id.text(),
                        .stamp = document.stamp(),
                        .currency = document.expected_total.currency,
                        .ordered_at = document.ordered_at};
            for (const auto& line : document.lines) {
                standing.lines[line.key] = line;
            }
        }
        return answer(standing.id);
    }
    core::Result<std::optional<ErpDocument>> read(const TargetId& id, const TargetId&, bool with_progress,
                                                  const core::Deadline&) override {
        if (auto error = before("read", nullptr)) {
            return std::unexpected(*error);
        }
        const auto* document = of(id);
        if (document == nullptr) {
            return std::optional<ErpDocument>{};
        }
        return ErpDocument{.id = id,
                           .name = document->name,
                           .state = document->state,
                           .stamp = document->stamp,
                           .total = {.amount = total(*document), .currency = document->currency},
                           .locked = with_progress && document->locked,
                           .delivered = with_progress && document->delivered,
                           .invoiced = with_progress && document->invoiced};
    }
    core::Result<void> change(const TargetId& id, const SalesDocument& wanted, const ErpContacts&,
                              const std::vector<KnownLine>& known, const std::string&, const kit::Lease& lease) override {
        if (auto error = before("change", &lease)) {
            return std::unexpected(*error);
        }
        auto& document = *of(id);
        auto rounding = document.lines.extract("rounding");
        document.lines.clear();
        for (const auto& line : wanted.lines) {
            document.lines[line.key] = line;
        }
        if (!rounding.empty() && !known.empty()) {
            document.lines.insert(std::move(rounding));
        }
        document.stamp = wanted.stamp();
        return done();
    }
    core::Result<void> round(const TargetId& id, const SalesDocument&, const TargetId&, const Decimal& price,
                             const kit::Lease& lease) override {
        if (auto error = before("round", &lease)) {
            return std::unexpected(*error);
        }
        of(id)->lines["rounding"] = {.key = "rounding",
                                     .product = {},
                                     .sku = {},
                                     .name = "Rounding",
                                     .quantity = Decimal(1),
                                     .unit_price = price,
                                     .taxes = {},
                                     .note = false,
                                     .hash = {}};
        return done();
    }
    core::Result<void> confirm(const TargetId& id, const TargetId&, core::SystemTime ordered_at,
                               const kit::Lease& lease) override {
        if (auto error = before("confirm", &lease)) {
            return std::unexpected(*error);
        }
        of(id)->state = DocumentState::confirmed;
        of(id)->ordered_at = ordered_at;
        return done();
    }
    core::Result<void> cancel(const TargetId& id, const TargetId&, const kit::Lease& lease) override {
        if (auto error = before("cancel", &lease)) {
            return std::unexpected(*error);
        }
        of(id)->state = DocumentState::cancelled;
        return done();
    }

    core::Result<TargetId> create_once(const CreditNote& note, const TargetId&, const kit::Lease& lease) override {
        if (auto error = before("credit", &lease)) {
            return std::unexpected(*error);
        }
        auto& standing = notes[note.external_name()];
        if (standing.id.empty()) {
            standing = {.id = next_id(), .name = "/", .currency = note.expected_total.currency};
            for (const auto& line : note.lines) {
                standing.lines[line.key] = line;
            }
        }
        return answer(standing.id);
    }
    core::Result<std::optional<ErpCreditNote>> read(const TargetId& id, const TargetId&, const core::Deadline&) override {
        if (auto error = before("read_note", nullptr)) {
            return std::unexpected(*error);
        }
        const auto* document = of(id);
        if (document == nullptr) {
            return std::optional<ErpCreditNote>{};
        }
        return ErpCreditNote{.id = id,
                             .name = document->name,
                             .posted = document->posted,
                             .cancelled = document->state == DocumentState::cancelled,
                             .total = {.amount = total(*document), .currency = document->currency}};
    }
    core::Result<void> post(const TargetId& id, const TargetId&, const kit::Lease& lease) override {
        if (auto error = before("post", &lease)) {
            return std::unexpected(*error);
        }
        of(id)->posted = true;
        of(id)->name = "RINV/" + id;
        return done();
    }

    core::Result<std::optional<TargetId>> find(const ContactPlan& contact, const core::Deadline&) override {
        if (auto error = before("find_party", nullptr)) {
            return std::unexpected(*error);
        }
        if (const auto known = parties.find(contact.external_name); known != parties.end()) {
            return std::optional(known->second);
        }
        const auto known = emails.find(contact.email);
        return known == emails.end() ? std::optional<TargetId>{} : std::optional(known->second);
    }
    core::Result<ErpContacts> create_once(const ContactPlan& contact, const std::optional<TargetId>& existing,
                                          const kit::Lease& lease) override {
        if (auto error = before("create_party", &lease)) {
            return std::unexpected(*error);
        }
        ErpContacts contacts;
        contacts.contact = existing ? *existing : party(contact.external_name);
        contacts.invoice = contact.invoice ? party(contact.invoice->external_name) : contacts.contact;
        contacts.delivery = contact.delivery ? party(contact.delivery->external_name) : contacts.contact;
        if (lose_answers > 0) {
            --lose_answers;
            return std::unexpected(lost());
        }
        return contacts;
    }
    core::Result<std::map<core::Sku, TargetId>> find(const std::vector<core::Sku>& skus, const TargetId&,
                                                     const core::Deadline&) override {
        if (auto error = before("find_product", nullptr)) {
            return std::unexpected(*error);
        }
        std::map<core::Sku, TargetId> found;
        for (const auto& sku : skus) {
            if (const auto known = products.find(sku); known != products.end()) {
                found.insert(*known);
            }
        }
        return found;
    }

    // Half-up per line: 120 is 20 % on top, 121 is 20 % inside.
    [[nodiscard]] Decimal total(const Document& document) const {
        Decimal sum = skew;
        for (const auto& [key, line] : document.lines) {
            const auto net = (line.quantity * line.unit_price).value();
            sum = (sum + net).value();
            if (std::ranges::count(line.taxes, "120") > 0) {
                sum = (sum + (net * dec("0.2")).value().rounded(2, core::Rounding::half_up)).value();
            }
        }
        return sum;
    }
    static Error lost() { return {.kind = ErrorKind::unknown_outcome, .code = "no_answer", .message = "the answer was lost"}; }

private:
    std::optional<Error> before(std::string call, const kit::Lease* lease) {
        calls.push_back(std::move(call));
        if (!refuse.empty()) {
            auto error = refuse.front();
            refuse.pop_front();
            return error;
        }
        if (lease != nullptr && !lease->still_held()) {
            return Error{.kind = ErrorKind::conflict, .code = "lease_expired", .message = "not sent"};
        }
        return std::nullopt;
    }
    core::Result<TargetId> answer(TargetId id) {
        if (lose_answers > 0) {
            --lose_answers;
            return std::unexpected(lost());
        }
        return id;
    }
    core::Result<void> done() {
        if (lose_answers > 0) {
            --lose_answers;
            return std::unexpected(lost());
        }
        return {};
    }
    TargetId party(const std::string& name) {
        auto& id = parties[name];
        if (id.empty()) {
            id = next_id();
        }
        return id;
    }
    TargetId next_id() { return std::to_string(++last_id_); }
    int last_id_ = 1000;
};

class FakeLedger final : public ExportLedger {
public:
    std::map<OrderKey, LedgerEntry> entries;

    core::Result<LedgerEntry> find(const OrderKey& key) override {
        const auto known = entries.find(key);
        return known == entries.end() ? LedgerEntry{.key = key} : known->second;
    }
    void record(kit::Delivery&, const LedgerEntry& entry) override { staged_orders_.push_back(entry); }
    void record(kit::Delivery&, const OrderKey& key, const RefundEntry& refund) override {
        staged_refunds_.emplace_back(key, refund);
    }
    void record_money(kit::Delivery&, const OrderKey& key, std::uint64_t transaction, MoneyState state) override {
        staged_money_.push_back({key, transaction, state});
    }
    core::Result<void> remember_risk(const OrderKey& key, const std::string& provider, RiskLevel level, core::SystemTime,
                                     bool accepted) override {
        auto& entry = at(key);
        risks_[{key, provider}] = level;
        entry.risk = RiskLevel::unknown;
        for (const auto& [who, known] : risks_) {
            if (who.first == key) {
                entry.risk = std::max(entry.risk, known);
            }
        }
        entry.accepted_risk = entry.accepted_risk || accepted;
        return {};
    }

    void settle(bool keep) {
        if (keep) {
            for (auto& entry : staged_orders_) {
                auto& standing = at(entry.key);
                const auto refunds = standing.refunds;
                const auto risk = standing.risk;
                standing = entry;
                standing.refunds = refunds;
                standing.risk = risk;
            }
            for (auto& [key, refund] : staged_refunds_) {
                auto& entry = at(key);
                std::erase_if(entry.refunds, [&](const RefundEntry& known) { return known.id == refund.id; });
                entry.refunds.push_back(refund);
            }
            for (const auto& [key, transaction, state] : staged_money_) {
                at(key).money[transaction] = state;
            }
        }
        staged_orders_.clear();
        staged_refunds_.clear();
        staged_money_.clear();
    }

private:
    struct Money {
        OrderKey key;
        std::uint64_t transaction;
        MoneyState state;
    };
    LedgerEntry& at(const OrderKey& key) { return entries.try_emplace(key, LedgerEntry{.key = key}).first->second; }
    std::vector<LedgerEntry> staged_orders_;
    std::vector<std::pair<OrderKey, RefundEntry>> staged_refunds_;
    std::vector<Money> staged_money_;
    std::map<std::pair<OrderKey, std::string>, RiskLevel> risks_;
};

class FakeResults final : public ExportResults {
public:
    std::vector<ExportAction> exported;
    std::vector<std::string> refused;  // Codes.
    std::vector<std::string> refunds;
    std::vector<std::string> refunds_refused;
    int ties = 0;

    void order_exported(kit::Delivery&, const LedgerEntry&, ExportAction action, const core::Money&) override {
        exported.push_back(action);
    }
    void order_refused(kit::Delivery&, const LedgerEntry&, const Error& error) override { refused.push_back(error.code); }
    void refund_exported(kit::Delivery&, const LedgerEntry&, const RefundEntry& refund, const core::Money& amount) override {
        refunds.push_back(refund.id.text() + " " + amount.amount.to_string());
    }
    void refund_refused(kit::Delivery&, const LedgerEntry&, core::RefundId, const Error& error) override {
        refunds_refused.push_back(error.code);
    }
    void undecidable(const OrderKey&) override { ++ties; }
};

struct Intent {
    kit::Version version;
    kit::EffectRecord record;
};

class FakeDelivery final : public kit::Delivery {
public:
    FakeDelivery(core::Clock& clock, std::map<std::string, Intent>& closed, std::set<std::string>& busy)
        : clock_(clock), closed_(closed), busy_(busy) {}
    bool is_timer = false;
    bool is_verify = false;
    std::string code;
    std::chrono::nanoseconds lease = 30s;
    std::map<std::string, Intent> taken;

    const kit::EventHeaders& headers() const override { return headers_; }
    int attempt() const override { return 1; }
    core::Deadline deadline() const override { return core::Deadline(clock_, 30s); }
    bool timer() const override { return is_timer; }
    bool verify() const override { return is_verify; }
    std::string_view override_code() const override { return code; }
    core::Result<kit::EffectRecord> effect(const kit::EffectOptions& options, const EffectCall& call) override {
        if (busy_.contains(options.external_key)) {
            return core::fail(ErrorKind::conflict, "intent_busy", "another is writing");
        }
        if (const auto known = closed_.find(options.external_key); known != closed_.end() && !is_verify) {
            if (options.any_version || known->second.version >= options.version) {
                auto record = known->second.record;
                record.already_done = true;
                return record;
            }
        }
        auto record = call(kit::Lease(clock_, clock_.steady() + lease));
        if (record) {
            (options.scope == kit::EffectScope::shared ? closed_ : taken)[options.external_key] = {.version = options.version,
                                                                                                   .record = *record};
        }
        return record;
    }
    void write(kit::RowWrite) override {}
    void publish(kit::OutgoingEvent, const google::protobuf::MessageLite&) override {}
    void publish_if_held(kit::OutgoingEvent, const google::protobuf::MessageLite&) override {}
    void publish_if_dead(kit::OutgoingEvent, const google::protobuf::MessageLite&) override {}

private:
    core::Clock& clock_;
    std::map<std::string, Intent>& closed_;
    std::set<std::string>& busy_;
    kit::EventHeaders headers_{.id = "event-1"};
};

// Everything one connection is made of, with the closing transaction of the kit played by settle().
struct World {
    core::ManualClock clock;
    FakeErp erp;
    FakeLedger ledger;
    FakeResults results;
    std::map<std::string, Intent> closed;
    std::set<std::string> busy;
    std::shared_ptr<Rules> rules = std::make_shared<Rules>(some_rules());
    RulesSource source = [this] {
        return CurrentRules{.rules = rules, .version = "v1"};
    };
    ResolveContacts contacts{erp, clock, 100};
    ExportRefund export_refund{ledger, erp, results, source};
    ExportOrder export_order{{.ledger = ledger,
                              .orders = erp,
                              .products = erp,
                              .contacts = contacts,
                              .refunds = export_refund,
                              .results = results,
                              .rules = source,
                              .contact_key = [] { return std::string("k"); },
                              .clock = clock}};
    AssessRisk assess_risk{ledger, erp, results, source, clock};
    DeleteOrder delete_order{ledger, erp, results};
    RecordMoney record_money{ledger};
    bool crash_before_closing = false;

    FakeDelivery delivery() { return {clock, closed, busy}; }
    template <typename Call>
    Outcome run(Call call, std::string_view override_code = {}, bool timer = false, bool verify = false) {
        auto d = delivery();
        d.code = override_code;
        d.is_timer = timer;
        d.is_verify = verify;
        auto outcome = call(d);
        const bool keep = outcome.ok() && !crash_before_closing;
        if (keep) {
            for (auto& [key, intent] : d.taken) {
                closed[key] = intent;
            }
        }
        ledger.settle(keep);
        return outcome;
    }
    Outcome deliver(const Order& order, std::string_view override_code = {}) {
        return run([&](kit::Delivery& d) { return export_order.run(order, d); }, override_code);
    }
    Outcome deliver_timer(const Order& order) {
        return run([&](kit::Delivery& d) { return export_order.run(order, d); }, {}, true);
    }
    Outcome deliver_verify(const Order& order) {
        return run([&](kit::Delivery& d) { return export_order.run(order, d); }, {}, false, true);
    }
    Outcome deliver(const OrderKey& key, const Refund& refund, std::string_view override_code = {}) {
        return run([&](kit::Delivery& d) { return export_refund.run(key, refund, d); }, override_code);
    }
    FakeErp::Document& document(std::uint64_t id = 5001) { return erp.orders.at("eu_order_" + std::to_string(id)); }
};

// "done", "skip unchanged", "failed needs_decision totals_differ", "until risk_silence"
inline std::string words(const Outcome& outcome) {
    if (const auto* skipped = std::get_if<Outcome::Skipped>(&outcome.value())) {
        return "skip " + skipped->reason;
    }
    if (const auto* until = std::get_if<Outcome::DoneUntil>(&outcome.value())) {
        return "until " + until->reason;
    }
    if (const auto* error = std::get_if<Outcome::Failed>(&outcome.value())) {
        return "failed " + std::string(core::to_string(error->kind)) + " " + error->code;
    }
    return "done";
}

inline const Error& error_of(const Outcome& outcome) {
    return std::get<Outcome::Failed>(outcome.value());
}

}  // namespace order_export::testing
