#include "adapters/event_mapping.h"

#include <syncline/core/time.h>

namespace order_export {
namespace {

namespace common_v1 = syncline::common::v1;
using core::Error;
using core::ErrorKind;
using core::fail;
using core::Result;

core::SystemTime time_of(const google::protobuf::Timestamp& time) {
    return core::SystemTime{std::chrono::seconds{time.seconds()} + std::chrono::nanoseconds{time.nanos()}};
}

void set_time(google::protobuf::Timestamp& out, std::int64_t nanos) {
    out.set_seconds(nanos / 1'000'000'000);
    out.set_nanos(static_cast<std::int32_t>(nanos % 1'000'000'000));
}

void set_money(common_v1::Money& out, const Decimal& amount, const std::string& currency) {
    const auto value = amount.to_units_nanos();
    out.set_currency_code(currency);
    out.set_units(value ? value->units : 0);
    out.set_nanos(value ? value->nanos : 0);
}

std::uint64_t unsigned_id(std::int64_t id) {
    return static_cast<std::uint64_t>(id);
}

// Reads amounts and remembers the first that cannot be read, so that the mapping itself stays a plain list.
class Reader {
public:
    Decimal shop(const common_v1::MoneyPair& pair) { return money(pair.shop()); }
    Decimal money(const common_v1::Money& money) { return keep(Decimal::from_units_nanos(money.units(), money.nanos())); }
    Decimal decimal(const common_v1::Decimal& value) {
        return value.value().empty() ? Decimal{} : keep(Decimal::parse(value.value()));
    }
    Decimal sum(const Decimal& a, const Decimal& b) { return keep(a + b); }

    std::vector<TaxLine> taxes(const google::protobuf::RepeatedPtrField<orders_v1::TaxLine>& lines) {
        std::vector<TaxLine> out;
        out.reserve(static_cast<std::size_t>(lines.size()));
        for (const auto& line : lines) {
            out.push_back({.title = line.title(),
                           .rate = decimal(line.rate()),
                           .amount = shop(line.amount()),
                           .included = line.included(),
                           .channel_liable = line.channel_liable()});
        }
        return out;
    }

    std::vector<Duty> duties(const google::protobuf::RepeatedPtrField<orders_v1::Duty>& list) {
        std::vector<Duty> out;
        for (const auto& duty : list) {
            out.push_back({.id = unsigned_id(duty.duty_id()), .amount = shop(duty.amount()), .taxes = taxes(duty.tax_lines())});
        }
        return out;
    }

    Decimal allocated(const google::protobuf::RepeatedPtrField<orders_v1::DiscountAllocation>& allocations) {
        Decimal total;
        for (const auto& allocation : allocations) {
            total = sum(total, shop(allocation.amount()));
        }
        return total;
    }

    [[nodiscard]] const std::optional<Error>& error() const { return error_; }

private:
    Decimal keep(Result<Decimal> value) {
        if (!value && !error_) {
            error_ = value.error();
        }
        return value.value_or(Decimal{});
    }
    std::optional<Error> error_;
};

MoneyState money_state(orders_v1::TransactionStatus status) {
    switch (status) {
        case orders_v1::TRANSACTION_STATUS_SUCCESS:
            return MoneyState::success;
        case orders_v1::TRANSACTION_STATUS_FAILURE:
        case orders_v1::TRANSACTION_STATUS_ERROR:
            return MoneyState::failed;
        default:
            return MoneyState::pending;
    }
}

FinancialStatus financial(orders_v1::FinancialStatus status) {
    switch (status) {
        case orders_v1::FINANCIAL_STATUS_PENDING:
            return FinancialStatus::pending;
        case orders_v1::FINANCIAL_STATUS_AUTHORIZED:
            return FinancialStatus::authorized;
        case orders_v1::FINANCIAL_STATUS_PARTIALLY_PAID:
            return FinancialStatus::partially_paid;
        case orders_v1::FINANCIAL_STATUS_PAID:
            return FinancialStatus::paid;
        case orders_v1::FINANCIAL_STATUS_PARTIALLY_REFUNDED:
            return FinancialStatus::partially_refunded;
        case orders_v1::FINANCIAL_STATUS_REFUNDED:
            return FinancialStatus::refunded;
        case orders_v1::FINANCIAL_STATUS_VOIDED:
            return FinancialStatus::voided;
        case orders_v1::FINANCIAL_STATUS_EXPIRED:
            return FinancialStatus::expired;
        default:
            return FinancialStatus::unknown;
    }
}

LineKind line_kind(const orders_v1::OrderLine& line) {
    switch (line.kind()) {
        case orders_v1::LINE_KIND_CUSTOM:
            return LineKind::custom;
        case orders_v1::LINE_KIND_GIFT_CARD:
            return LineKind::gift_card;
        case orders_v1::LINE_KIND_TIP:
            return LineKind::tip;
        case orders_v1::LINE_KIND_FEE:
            return LineKind::fee;
        default:
            return line.gift_card() ? LineKind::gift_card : LineKind::product;
    }
}

Refund refund_from(const orders_v1::Refund& in, const std::string& shop_currency, Reader& read) {
    Refund refund;
    refund.id = core::RefundId(unsigned_id(in.refund_id()));
    refund.processed_at = time_of(in.has_processed_at() ? in.processed_at() : in.created_at());
    for (const auto& line : in.lines()) {
        refund.lines.push_back({.id = unsigned_id(line.refund_line_id()),
                                .line = LineId(unsigned_id(line.line_item_id())),
                                .quantity = read.decimal(line.quantity()),
                                .subtotal = read.shop(line.subtotal()),
                                .tax = read.shop(line.total_tax()),
                                .restocked = line.restock_type() == orders_v1::RESTOCK_TYPE_RETURN ||
                                             line.restock_type() == orders_v1::RESTOCK_TYPE_CANCEL});
    }
    for (const auto& line : in.shipping_lines()) {
        refund.shipping.push_back({.id = unsigned_id(line.refund_shipping_line_id()),
                                   .shipping_line_id = unsigned_id(line.shipping_line_id()),
                                   .amount = read.shop(line.subtotal()),
                                   .tax = read.shop(line.total_tax())});
    }
    for (const auto& adjustment : in.adjustments()) {
        const auto amount = read.shop(adjustment.amount());
        const auto tax = read.shop(adjustment.tax_amount());
        if (adjustment.kind() == "shipping_refund") {
            // Newer versions send the same shipping as refund_shipping_lines.
            if (in.shipping_lines().empty()) {
                refund.shipping.push_back({.id = unsigned_id(adjustment.adjustment_id()),
                                           .shipping_line_id = 0,
                                           .amount = -amount,
                                           .tax = -tax,
                                           .tax_added = true});
            }
        } else {
            refund.discrepancy = read.sum(refund.discrepancy, read.sum(amount, tax));
        }
    }
    refund.duties = read.duties(in.duties());
    for (const auto& transaction : in.transactions()) {
        if (transaction.kind() != "refund") {
            continue;
        }
        RefundTransaction out{
            .id = unsigned_id(transaction.transaction_id()), .state = money_state(transaction.status()), .shop_amount = {}};
        if (transaction.has_shop_amount()) {
            out.shop_amount = read.money(transaction.shop_amount());
        } else if (!shop_currency.empty() && transaction.amount().currency_code() == shop_currency) {
            out.shop_amount = read.money(transaction.amount());
        }
        refund.transactions.push_back(std::move(out));
    }
    return refund;
}

Address address_from(const common_v1::Address& in) {
    return {.first_name = in.first_name(),
            .last_name = in.last_name(),
            .company = in.company(),
            .address1 = in.address1(),
            .address2 = in.address2(),
            .city = in.city(),
            .zip = in.zip(),
            .province_code = in.province_code(),
            .country_code = in.country_code(),
            .phone = in.phone()};
}

Buyer buyer_from(const orders_v1::Order& in) {
    Buyer buyer;
    buyer.customer_id = unsigned_id(in.customer_id());
    buyer.company_id = unsigned_id(in.company_id());
    buyer.locale = in.customer_locale();
    // Sealed or redacted: the document is exported without a name.
    if (!in.personal_data().has_clear()) {
        return buyer;
    }
    const auto& data = in.personal_data().clear();
    buyer.first_name = data.customer().first_name();
    buyer.last_name = data.customer().last_name();
    buyer.email = data.email().empty() ? data.customer().email() : data.email();
    buyer.phone = data.phone().empty() ? data.customer().phone() : data.phone();
    if (data.has_billing_address()) {
        buyer.billing = address_from(data.billing_address());
    }
    if (data.has_shipping_address()) {
        buyer.shipping = address_from(data.shipping_address());
    }
    return buyer;
}

void fill_context(exports_v1::ExportContext& out, const ResultContext& context, const kit::Delivery& delivery,
                  const LedgerEntry& entry) {
    out.set_shop(entry.key.shop.value());
    out.set_order_id(static_cast<std::int64_t>(entry.key.id.value()));
    out.set_connection(context.connection);
    out.set_source_event_id(delivery.headers().id);
    if (entry.version) {
        set_time(*out.mutable_source_updated_at(), entry.version->updated_ns);
        set_time(*out.mutable_observed_at(), entry.version->observed_ns);
    }
    out.set_mapping_version(entry.mapping_version);
    if (entry.placed_at != core::SystemTime{}) {
        const auto since = (context.now - entry.placed_at).count();
        out.mutable_time_since_placed()->set_seconds(since / 1'000'000'000);
        out.mutable_time_since_placed()->set_nanos(static_cast<std::int32_t>(since % 1'000'000'000));
    }
}

// Of what no event of the order led to.
void fill_order_context(exports_v1::ExportContext& out, const std::string& connection, const OrderKey& key,
                        const SnapshotVersion& version) {
    out.set_shop(key.shop.value());
    out.set_order_id(static_cast<std::int64_t>(key.id.value()));
    out.set_connection(connection);
    set_time(*out.mutable_source_updated_at(), version.updated_ns);
    set_time(*out.mutable_observed_at(), version.observed_ns);
}

void fill_order(exports_v1::DocumentReference& out, const LedgerEntry& entry) {
    out.set_external_key("syncline." + entry.key.external_name());
    out.set_target_id(entry.document);
    out.set_name(entry.document_name);
    out.set_state(entry.state == DocumentState::confirmed   ? "sale"
                  : entry.state == DocumentState::cancelled ? "cancel"
                                                            : "draft");
}

exports_v1::ExportAction action_of(ExportAction action) {
    switch (action) {
        case ExportAction::created:
            return exports_v1::EXPORT_ACTION_CREATED;
        case ExportAction::updated:
            return exports_v1::EXPORT_ACTION_UPDATED;
        case ExportAction::confirmed:
            return exports_v1::EXPORT_ACTION_CONFIRMED;
        case ExportAction::cancelled:
            return exports_v1::EXPORT_ACTION_CANCELLED;
        case ExportAction::adopted:
            return exports_v1::EXPORT_ACTION_ADOPTED;
    }
    return exports_v1::EXPORT_ACTION_UNSPECIFIED;
}

}  // namespace

OrderKey order_key(const std::string& shop, std::int64_t id) {
    return {.shop = core::ShopAlias(shop), .id = core::OrderId(unsigned_id(id))};
}

kit::Version version_of(const orders_v1::OrderChanged& event) {
    const auto& order = event.order();
    return {.source_updated_at_ns = core::nanos_since_epoch(time_of(order.source_updated_at())),
            .observed_at_ns = core::nanos_since_epoch(time_of(order.observed_at())),
            .fetched = order.fetched()};
}

Result<Order> to_order(const orders_v1::OrderChanged& event) {
    const auto& in = event.order();
    if (in.order_id() <= 0 || in.shop().empty()) {
        return fail(ErrorKind::malformed, "order_missing", "the snapshot has no shop or no order id");
    }
    Reader read;
    Order order;
    order.key = order_key(in.shop(), in.order_id());
    order.name = in.name();
    const auto version = version_of(event);
    order.version = {
        .updated_ns = version.source_updated_at_ns, .observed_ns = version.observed_at_ns, .fetched = version.fetched};
    order.placed_at = time_of(in.has_processed_at() ? in.processed_at() : in.created_at());
    order.cancelled = in.has_cancelled_at();
    order.test = in.test();
    order.source = in.source_name();
    order.location_id = unsigned_id(in.location_id());
    order.financial_status = financial(in.financial_status());
    order.currency = in.currency_code();
    order.taxes_included = in.taxes_included();
    order.duties_included = in.duties_included();
    order.country = in.destination_country_code();
    order.province = in.destination_province_code();
    order.lines.reserve(static_cast<std::size_t>(in.lines_size()));
    for (const auto& line : in.lines()) {
        order.lines.push_back({.id = LineId(unsigned_id(line.line_item_id())),
                               .variant_id = unsigned_id(line.variant_id()),
                               .sku = core::Sku(line.sku()),
                               .name = line.name().empty() ? line.title() : line.name(),
                               .kind = line_kind(line),
                               .quantity = read.decimal(line.quantity()),
                               .current_quantity = line.has_current_quantity() ? read.decimal(line.current_quantity())
                                                                               : read.decimal(line.quantity()),
                               .unit_price = read.shop(line.unit_price()),
                               .discount = read.allocated(line.discount_allocations()),
                               .taxes = read.taxes(line.tax_lines()),
                               .duties = read.duties(line.duties()),
                               .group_id = unsigned_id(line.line_group_id())});
    }
    for (const auto& group : in.line_groups()) {
        order.groups.push_back(
            {.id = unsigned_id(group.line_group_id()), .title = group.title(), .quantity = read.decimal(group.quantity())});
    }
    for (const auto& line : in.shipping_lines()) {
        ShippingLine out{.id = unsigned_id(line.shipping_line_id()),
                         .title = line.title(),
                         .price = read.shop(line.price()),
                         .discount = read.allocated(line.discount_allocations()),
                         .taxes = read.taxes(line.tax_lines()),
                         .removed = line.removed()};
        if (line.discount_allocations().empty() && line.has_discounted_price()) {
            out.discount = read.sum(out.price, -read.shop(line.discounted_price()));
        }
        order.shipping.push_back(std::move(out));
    }
    order.total = read.shop(in.total_price());
    order.current_total = in.has_current_total_price() ? read.shop(in.current_total_price()) : order.total;
    order.tips = read.shop(in.total_tip_received());
    order.duties = read.shop(in.total_duties());
    order.fees = read.shop(in.total_additional_fees());
    order.cash_rounding = read.shop(in.total_cash_rounding());
    for (const auto& refund : in.refunds()) {
        order.refunds.push_back(refund_from(refund, in.currency_code(), read));
    }
    order.buyer = buyer_from(in);
    if (read.error()) {
        return std::unexpected(*read.error());
    }
    return order;
}

Result<RefundFact> to_refund(const orders_v1::RefundRecorded& event) {
    if (event.refund().refund_id() <= 0 || event.refund().order_id() <= 0 || event.shop().empty()) {
        return fail(ErrorKind::malformed, "refund_missing", "the fact has no shop, order id or refund id");
    }
    Reader read;
    // The shop's currency is that of its amounts.
    std::string currency;
    for (const auto& line : event.refund().lines()) {
        currency = line.subtotal().shop().currency_code();
    }
    RefundFact fact{.key = order_key(event.shop(), event.refund().order_id()),
                    .refund = refund_from(event.refund(), currency, read)};
    if (read.error()) {
        return std::unexpected(*read.error());
    }
    return fact;
}

RiskAssessment to_assessment(const orders_v1::OrderRiskAssessed& event) {
    auto level = RiskLevel::unknown;
    switch (event.level()) {
        case orders_v1::RISK_LEVEL_NONE:
            level = RiskLevel::none;
            break;
        case orders_v1::RISK_LEVEL_LOW:
            level = RiskLevel::low;
            break;
        case orders_v1::RISK_LEVEL_MEDIUM:
            level = RiskLevel::medium;
            break;
        case orders_v1::RISK_LEVEL_HIGH:
            level = RiskLevel::high;
            break;
        default:
            break;
    }
    return {.key = order_key(event.shop(), event.order_id()),
            .provider = event.provider(),
            .level = level,
            .observed = time_of(event.observed_at())};
}

ToldDeletion to_deletion(const orders_v1::OrderDeleted& event) {
    return {.key = order_key(event.shop(), event.order_id()),
            .confirmed = event.confirmed(),
            .observed_ns = core::nanos_since_epoch(time_of(event.observed_at()))};
}

MoneyFact to_money(const orders_v1::PaymentTransactionRecorded& event) {
    return {.key = order_key(event.shop(), event.transaction().order_id()),
            .transaction = unsigned_id(event.transaction().transaction_id()),
            .of_refund = event.transaction().kind() == "refund",
            .state = money_state(event.transaction().status())};
}

exports_v1::OrderExported exported_event(const ResultContext& context, const kit::Delivery& delivery, const LedgerEntry& entry,
                                         ExportAction action, const core::Money& document_total) {
    exports_v1::OrderExported event;
    fill_context(*event.mutable_context(), context, delivery, entry);
    fill_order(*event.mutable_document(), entry);
    event.set_action(action_of(action));
    set_money(*event.mutable_expected_total(), entry.expected_total.amount, entry.expected_total.currency);
    set_money(*event.mutable_document_total(), document_total.amount, document_total.currency);
    return event;
}

exports_v1::OrderExportHeld held_event(const ResultContext& context, const kit::Delivery& delivery, const LedgerEntry& entry,
                                       const Error& error) {
    exports_v1::OrderExportHeld event;
    fill_context(*event.mutable_context(), context, delivery, entry);
    event.set_code(error.code);
    event.set_waits_for(error.waits_for);
    event.set_subject(subject_of(error.code));
    if (!error.figures.expected.empty()) {
        set_money(*event.mutable_expected(), Decimal::parse(error.figures.expected).value_or(Decimal{}), error.figures.currency);
        set_money(*event.mutable_found(), Decimal::parse(error.figures.found).value_or(Decimal{}), error.figures.currency);
    }
    return event;
}

exports_v1::OrderExportFailed failed_event(const ResultContext& context, const kit::Delivery& delivery, const LedgerEntry& entry,
                                           const Error& error) {
    exports_v1::OrderExportFailed event;
    fill_context(*event.mutable_context(), context, delivery, entry);
    event.set_code(error.code);
    return event;
}

exports_v1::RefundExported refund_event(const ResultContext& context, const kit::Delivery& delivery, const LedgerEntry& entry,
                                        const RefundEntry& refund, const core::Money& amount) {
    exports_v1::RefundExported event;
    fill_context(*event.mutable_context(), context, delivery, entry);
    event.set_refund_id(static_cast<std::int64_t>(refund.id.value()));
    auto& document = *event.mutable_document();
    document.set_external_key("syncline." + entry.key.shop.value() + "_refund_" + refund.id.text());
    document.set_target_id(refund.document);
    document.set_name(refund.document_name);
    document.set_state("posted");
    set_money(*event.mutable_amount(), amount.amount, amount.currency);
    return event;
}

exports_v1::RefundExportHeld refund_held_event(const ResultContext& context, const kit::Delivery& delivery,
                                               const LedgerEntry& entry, core::RefundId refund, const Error& error) {
    exports_v1::RefundExportHeld event;
    fill_context(*event.mutable_context(), context, delivery, entry);
    event.set_refund_id(static_cast<std::int64_t>(refund.value()));
    event.set_code(error.code);
    event.set_waits_for(error.waits_for);
    return event;
}

exports_v1::RefundExportFailed refund_failed_event(const ResultContext& context, const kit::Delivery& delivery,
                                                   const LedgerEntry& entry, core::RefundId refund, const Error& error) {
    exports_v1::RefundExportFailed event;
    fill_context(*event.mutable_context(), context, delivery, entry);
    event.set_refund_id(static_cast<std::int64_t>(refund.value()));
    event.set_code(error.code);
    return event;
}

std::string subject_of(std::string_view code) {
    return code.starts_with("risk_") ? "risk" : code == "deletion_unconfirmed" ? "deletion" : "";
}

exports_v1::ExportHoldEnded hold_ended_event(const std::string& connection, const OrderKey& key, const std::string& subject,
                                             const SnapshotVersion& version) {
    exports_v1::ExportHoldEnded event;
    fill_order_context(*event.mutable_context(), connection, key, version);
    event.set_subject(subject);
    return event;
}

exports_v1::DocumentStateChanged progress_event(const std::string& connection, const KnownDocument& document,
                                                const DocumentNow& now, core::SystemTime read_at) {
    exports_v1::DocumentStateChanged event;
    fill_order_context(*event.mutable_context(), connection, document.key, document.version);
    event.mutable_context()->set_mapping_version(document.mapping_version);
    auto& reference = *event.mutable_document();
    reference.set_external_key("syncline." + document.key.external_name());
    reference.set_target_id(document.id);
    reference.set_name(now.name);
    reference.set_state(now.progress.state);
    event.set_invoicing(now.progress.invoicing);
    event.set_delivery(now.progress.delivery);
    set_time(*event.mutable_read_at(), core::nanos_since_epoch(read_at));
    return event;
}

}  // namespace order_export
