#include "adapters/fetched/map_order.h"

#include <google/protobuf/timestamp.pb.h>

#include <syncline/common/v1/personal_data.pb.h>
#include <syncline/core/hash.h>
#include <syncline/core/money.h>
#include <syncline/core/time.h>
#include <syncline/orders/v1/events.pb.h>
#include <algorithm>
#include <array>
#include <map>
#include <set>
#include <utility>
#include <vector>

#include "adapters/fetched/map_parts.h"
#include "adapters/fetched/reading.h"

namespace reconciliation {

using namespace syncline::orders::v1;
using syncline::common::v1::Money;
using syncline::common::v1::PersonalData;

namespace {

constexpr std::int64_t kNanosPerSecond = 1'000'000'000;

FinancialStatus financial_status(std::string_view text) {
    static constexpr std::array<std::pair<std::string_view, FinancialStatus>, 8> kKnown{
        {{"PAID", FINANCIAL_STATUS_PAID},
         {"PENDING", FINANCIAL_STATUS_PENDING},
         {"AUTHORIZED", FINANCIAL_STATUS_AUTHORIZED},
         {"PARTIALLY_PAID", FINANCIAL_STATUS_PARTIALLY_PAID},
         {"PARTIALLY_REFUNDED", FINANCIAL_STATUS_PARTIALLY_REFUNDED},
         {"REFUNDED", FINANCIAL_STATUS_REFUNDED},
         {"VOIDED", FINANCIAL_STATUS_VOIDED},
         {"EXPIRED", FINANCIAL_STATUS_EXPIRED}}};
    for (const auto& [name, status] : kKnown) {
        if (text == name) {
            return status;
        }
    }
    return FINANCIAL_STATUS_UNSPECIFIED;
}

// GraphQL knows more states of an order that nothing has left yet than webhooks do.
FulfillmentStatus fulfillment_status(std::string_view text) {
    if (text == "FULFILLED") {
        return FULFILLMENT_STATUS_FULFILLED;
    }
    if (text == "PARTIALLY_FULFILLED") {
        return FULFILLMENT_STATUS_PARTIAL;
    }
    return text == "RESTOCKED" ? FULFILLMENT_STATUS_RESTOCKED : FULFILLMENT_STATUS_UNFULFILLED;
}

void read_totals(Reading& reading, json::Value from, Order& to) {
    reading.pair<&Order::mutable_subtotal_price>(from, "subtotalPriceSet", to);
    reading.pair<&Order::mutable_total_discounts>(from, "totalDiscountsSet", to);
    reading.pair<&Order::mutable_total_shipping_price>(from, "totalShippingPriceSet", to);
    reading.pair<&Order::mutable_total_tax>(from, "totalTaxSet", to);
    reading.pair<&Order::mutable_total_price>(from, "totalPriceSet", to);
    reading.pair<&Order::mutable_total_tip_received>(from, "totalTipReceivedSet", to);
    reading.pair<&Order::mutable_total_outstanding>(from, "totalOutstandingSet", to);
    reading.pair<&Order::mutable_total_duties>(from, "originalTotalDutiesSet", to);
    reading.pair<&Order::mutable_total_additional_fees>(from, "originalTotalAdditionalFeesSet", to);
    reading.pair<&Order::mutable_current_total_duties>(from, "currentTotalDutiesSet", to);
    reading.pair<&Order::mutable_current_total_additional_fees>(from, "currentTotalAdditionalFeesSet", to);
    reading.pair<&Order::mutable_current_subtotal_price>(from, "currentSubtotalPriceSet", to);
    reading.pair<&Order::mutable_current_total_discounts>(from, "currentTotalDiscountsSet", to);
    reading.pair<&Order::mutable_current_shipping_price>(from, "currentShippingPriceSet", to);
    reading.pair<&Order::mutable_current_total_tax>(from, "currentTotalTaxSet", to);
    reading.pair<&Order::mutable_current_total_price>(from, "currentTotalPriceSet", to);
    if (const auto rounding = from.get_present("totalCashRoundingAdjustment")) {
        reading.pair<&Order::mutable_total_cash_rounding>(*rounding, "paymentSet", to);
        reading.pair<&Order::mutable_total_cash_rounding_refund>(*rounding, "refundSet", to);
    }
}

bool add_product(const Money& price, const core::Decimal& quantity, core::Decimal& sum) {
    const auto amount = core::Decimal::from_units_nanos(price.units(), price.nanos());
    const auto added = core::Result<core::Decimal>(sum) + amount * core::Result<core::Decimal>(quantity);
    if (added) {
        sum = *added;
    }
    return added.has_value();
}

bool set_money(const core::Decimal& amount, const std::string& currency, Money* to) {
    const auto parts = amount.to_units_nanos();
    if (parts) {
        to->set_currency_code(currency);
        to->set_units(parts->units);
        to->set_nanos(parts->nanos);
    }
    return parts.has_value();
}

void sum_lines(Reading& reading, json::Value from, Order& to) {
    core::Decimal shop;
    core::Decimal presentment;
    bool whole = true;
    for (const auto& line : to.lines()) {
        const auto quantity = core::Decimal::parse(line.quantity().value());
        const auto& price = line.unit_price();
        whole = whole && quantity && add_product(price.shop(), *quantity, shop) &&
                add_product(price.has_presentment() ? price.presentment() : price.shop(), *quantity, presentment);
    }
    auto& total = *to.mutable_total_line_items_price();
    whole = whole && set_money(shop, to.currency_code(), total.mutable_shop());
    if (to.presentment_currency_code() != to.currency_code()) {
        whole = whole && set_money(presentment, to.presentment_currency_code(), total.mutable_presentment());
    }
    if (!whole && !reading.failed()) {
        reading.fail(from, "amount_precision", "has lines whose sum cannot be kept");
    }
}

// A line is what its shipments make of it.
void note_line_states(Order& to) {
    std::map<std::int64_t, core::Decimal> shipped;
    for (const auto& fulfillment : to.fulfillments()) {
        if (fulfillment.status() == "cancelled" || fulfillment.status() == "error" || fulfillment.status() == "failure") {
            continue;
        }
        for (const auto& line : fulfillment.lines()) {
            if (const auto sum =
                    core::Result<core::Decimal>(shipped[line.line_item_id()]) + core::Decimal::parse(line.quantity().value());
                sum) {
                shipped[line.line_item_id()] = *sum;
            }
        }
    }
    for (auto& line : *to.mutable_lines()) {
        const auto found = shipped.find(line.line_item_id());
        const auto open = core::Decimal::parse(line.fulfillable_quantity().value());
        if (found == shipped.end() || found->second.is_zero()) {
            line.set_fulfillment_status(FULFILLMENT_STATUS_UNFULFILLED);
        } else {
            line.set_fulfillment_status(open && open->sign() > 0 ? FULFILLMENT_STATUS_PARTIAL : FULFILLMENT_STATUS_FULFILLED);
        }
    }
}

void read_line_groups(Reading& reading, json::Value from, Order& to) {
    std::set<std::int64_t> known;
    reading.each(from, "lineItems", [&](json::Value line) {
        const auto group = line.get_present("lineItemGroup");
        const auto id = group ? reading.id(*group) : 0;
        if (id == 0 || !known.insert(id).second) {
            return;
        }
        auto& kept = *to.add_line_groups();
        kept.set_line_group_id(id);
        reading.text(*group, "title", kept.mutable_title());
        reading.decimal(*group, "quantity", kept.mutable_quantity());
        kept.set_variant_id(reading.id(*group, "variantId"));
        reading.text(*group, "variantSku", kept.mutable_sku());
    });
}

void read_payment_terms(Reading& reading, json::Value from, Order& to) {
    const auto terms = from.get_present("paymentTerms");
    if (!terms) {
        return;
    }
    reading.text(*terms, "paymentTermsName", to.mutable_payment_terms_name());
    reading.each(*terms, "paymentSchedules", [&](json::Value element) {
        auto& schedule = *to.add_payment_schedules();
        schedule.set_payment_schedule_id(reading.id(element));
        if (const auto amount = element.get_present("totalBalance")) {
            reading.money(*amount, schedule.mutable_amount());
        }
        reading.time<&PaymentSchedule::mutable_due_at>(element, "dueAt", schedule);
        reading.time<&PaymentSchedule::mutable_issued_at>(element, "issuedAt", schedule);
        reading.time<&PaymentSchedule::mutable_completed_at>(element, "completedAt", schedule);
        if (!to.has_payment_due_at() && schedule.has_due_at() && !schedule.has_completed_at()) {
            *to.mutable_payment_due_at() = schedule.due_at();
        }
    });
}

void read_buyer(Reading& reading, json::Value from, Order& to, PersonalData& personal) {
    if (const auto customer = from.get_present("customer")) {
        to.set_customer_id(reading.id(*customer));
        auto& person = *personal.mutable_customer();
        reading.text(*customer, "firstName", person.mutable_first_name());
        reading.text(*customer, "lastName", person.mutable_last_name());
        if (const auto email = customer->get_present("defaultEmailAddress")) {
            reading.text(*email, "emailAddress", person.mutable_email());
        }
        if (const auto phone = customer->get_present("defaultPhoneNumber")) {
            reading.text(*phone, "phoneNumber", person.mutable_phone());
        }
    }
    if (const auto buyer = from.get_present("purchasingEntity"); buyer && buyer->get_present("company")) {
        to.set_company_id(reading.id_of(*buyer, "company"));
        to.set_company_location_id(reading.id_of(*buyer, "location"));
    }
    reading.text(from, "email", personal.mutable_email());
    reading.text(from, "phone", personal.mutable_phone());
    reading.text(from, "note", personal.mutable_note());
    reading.each(from, "customAttributes", [&](json::Value attribute) {
        auto& kept = *personal.add_note_attributes();
        reading.text(attribute, "key", kept.mutable_name());
        reading.text(attribute, "value", kept.mutable_value());
    });
    if (const auto address = from.get_present("billingAddress")) {
        read_address(reading, *address, *personal.mutable_billing_address());
    }
    if (const auto address = from.get_present("shippingAddress")) {
        read_address(reading, *address, *personal.mutable_shipping_address());
    }
    const auto& destination = personal.has_shipping_address() ? personal.shipping_address() : personal.billing_address();
    to.set_destination_country_code(destination.country_code());
    to.set_destination_province_code(destination.province_code());
}

void read_head(Reading& reading, json::Value from, Order& to) {
    to.set_order_id(reading.id(from));
    reading.text(from, "name", to.mutable_name());
    to.set_order_number(reading.integer(from, "number"));
    reading.time<&Order::mutable_processed_at>(from, "processedAt", to);
    reading.time<&Order::mutable_created_at>(from, "createdAt", to);
    reading.time<&Order::mutable_source_updated_at>(from, "updatedAt", to);
    reading.time<&Order::mutable_cancelled_at>(from, "cancelledAt", to);
    reading.lower(from, "cancelReason", to.mutable_cancel_reason());
    reading.time<&Order::mutable_closed_at>(from, "closedAt", to);
    to.set_test(reading.flag(from, "test"));
    to.set_confirmed(reading.flag(from, "confirmed"));
    reading.text(from, "sourceName", to.mutable_source_name());
    reading.text(from, "sourceIdentifier", to.mutable_source_identifier());
    reading.text(from, "poNumber", to.mutable_po_number());
    to.set_app_id(reading.id_of(from, "app"));
    to.set_location_id(reading.id_of(from, "retailLocation"));
    to.set_financial_status(financial_status(reading.text(from, "displayFinancialStatus")));
    to.set_fulfillment_status(fulfillment_status(reading.text(from, "displayFulfillmentStatus")));
    reading.text(from, "currencyCode", to.mutable_currency_code());
    reading.text(from, "presentmentCurrencyCode", to.mutable_presentment_currency_code());
    to.set_taxes_included(reading.flag(from, "taxesIncluded"));
    to.set_tax_exempt(reading.flag(from, "taxExempt"));
    to.set_duties_included(reading.flag(from, "dutiesIncluded"));
    to.set_estimated_taxes(reading.flag(from, "estimatedTaxes"));
    to.set_total_weight_grams(reading.integer(from, "totalWeight"));
    reading.text(from, "customerLocale", to.mutable_customer_locale());
    const auto texts = [&](std::string_view name, auto add) {
        reading.each(from, name, [&](json::Value value) {
            if (const auto text = value.string()) {
                add(std::string(*text));
            } else {
                reading.fail(value, "wrong_type", "should be a text");
            }
        });
    };
    texts("paymentGatewayNames", [&](std::string text) { to.add_payment_gateway_names(std::move(text)); });
    texts("tags", [&](std::string text) { to.add_tags(std::move(text)); });
    texts("discountCodes", [&](std::string text) { to.add_discount_codes(std::move(text)); });
    if (const auto app = from.get_present("merchantOfRecordApp")) {
        reading.text(*app, "id", to.mutable_merchant_of_record_app_id());
    }
    if (const auto entity = from.get_present("merchantBusinessEntity")) {
        reading.text(*entity, "id", to.mutable_merchant_business_entity_id());
    }
}

void read_order(Reading& reading, json::Value from, Order& to) {
    if (!from.is_object()) {
        reading.fail(from, "wrong_type", "should be an order");
        return;
    }
    auto& personal = *to.mutable_personal_data()->mutable_clear();
    read_head(reading, from, to);
    if (!reading.failed() && (to.order_id() == 0 || !to.has_source_updated_at() ||
                              !core::valid_currency_code(to.currency_code()) || !from.get_present("lineItems"))) {
        reading.fail(from, "member_missing", "should have an id, a time of change, a currency and lines");
    }
    const bool included = to.taxes_included();
    reading.each(from, "lineItems", [&](json::Value line) { read_line(reading, line, included, *to.add_lines(), personal); });
    read_line_groups(reading, from, to);
    reading.each(from, "shippingLines",
                 [&](json::Value line) { read_shipping_line(reading, line, included, *to.add_shipping_lines()); });
    // Allocations name applications by their index.
    std::map<std::int64_t, json::Value> applications;
    reading.each(from, "discountApplications",
                 [&](json::Value application) { applications.emplace(reading.integer(application, "index"), application); });
    for (const auto& [index, application] : applications) {
        read_discount(reading, application, *to.add_discount_applications());
    }
    reading.each(from, "taxLines", [&](json::Value tax) { read_tax(reading, tax, included, *to.add_tax_lines()); });
    read_totals(reading, from, to);
    reading.each(from, "refunds",
                 [&](json::Value refund) { read_refund(reading, refund, to.order_id(), *to.add_refunds(), personal); });
    reading.each(from, "fulfillments",
                 [&](json::Value fulfillment) { read_fulfillment(reading, fulfillment, *to.add_fulfillments()); });
    reading.each(from, "returns", [&](json::Value element) {
        auto& reference = *to.add_returns();
        reference.set_return_id(reading.id(element));
        reading.text(element, "name", reference.mutable_name());
        reading.lower(element, "status", reference.mutable_status());
        reading.each(element, "exchangeLineItems", [&](json::Value exchange) {
            reading.each(exchange, "lineItems",
                         [&](json::Value line) { reference.add_exchange_line_item_ids(reading.id(line)); });
        });
    });
    read_payment_terms(reading, from, to);
    read_buyer(reading, from, to, personal);
    if (reading.failed()) {
        return;
    }
    sum_lines(reading, from, to);
    note_line_states(to);
    if (to.presentment_currency_code().empty()) {
        to.set_presentment_currency_code(to.currency_code());
    }
    if (!to.has_total_price()) {
        reading.fail(from, "member_missing", "should have a total");
    }
}

}  // namespace

core::Result<void> map_fetched_order(std::string_view shop, json::Value from, core::SystemTime observed_at, OrderChanged& to) {
    Reading reading;
    auto& order = *to.mutable_order();
    order.set_shop(shop.data(), shop.size());
    read_order(reading, from, order);
    if (reading.failed()) {
        return std::unexpected(reading.take_error());
    }
    // As ingress does it: the content without cause and version.
    const auto cause = to.cause();
    to.clear_cause();
    const auto updated_at = order.source_updated_at();
    order.clear_source_updated_at();
    const auto content = core::sha256(to.SerializeAsString());
    to.set_cause(cause);
    *order.mutable_source_updated_at() = updated_at;
    const auto nanos = core::nanos_since_epoch(observed_at);
    order.mutable_observed_at()->set_seconds(nanos / kNanosPerSecond);
    order.mutable_observed_at()->set_nanos(static_cast<std::int32_t>(nanos % kNanosPerSecond));
    order.set_fetched(true);
    order.set_content_hash(content.data(), content.size());
    return {};
}

std::string fetched_event_id(const OrderChanged& event, std::string_view occasion) {
    const auto& order = event.order();
    std::string name = order.shop() + "\nfetched\n" + std::to_string(event.cause()) + "\n" + std::to_string(order.order_id()) +
                       "\n" + std::to_string(order.source_updated_at().seconds()) + "\n" + order.content_hash();
    if (!occasion.empty()) {
        name.append("\n").append(occasion);
    }
    return core::uuid_v5(core::kSynclineNamespace, name);
}

}  // namespace reconciliation
