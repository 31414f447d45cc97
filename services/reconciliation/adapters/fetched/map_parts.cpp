#include "adapters/fetched/map_parts.h"

#include <syncline/common/v1/personal_data.pb.h>
#include <syncline/orders/v1/order.pb.h>
#include <array>
#include <utility>

namespace reconciliation {

using namespace syncline::orders::v1;
using syncline::common::v1::Address;
using syncline::common::v1::PersonalData;

namespace {

void read_duty(Reading& reading, json::Value from, Duty& to) {
    to.set_duty_id(reading.id(from));
    reading.text(from, "harmonizedSystemCode", to.mutable_harmonized_system_code());
    reading.text(from, "countryCodeOfOrigin", to.mutable_country_code_of_origin());
    reading.pair<&Duty::mutable_amount>(from, "price", to);
    reading.each(from, "taxLines", [&](json::Value tax) { read_tax(reading, tax, false, *to.add_tax_lines()); });
}

template <typename Message>
void read_allocations(Reading& reading, json::Value from, Message& to) {
    reading.each(from, "discountAllocations", [&](json::Value allocation) {
        auto& kept = *to.add_discount_allocations();
        if (const auto application = allocation.get_present("discountApplication")) {
            kept.set_application_index(static_cast<std::int32_t>(reading.integer(*application, "index")));
        }
        reading.pair<&DiscountAllocation::mutable_amount>(allocation, "allocatedAmountSet", kept);
    });
}

// Webhooks state whole grams.
std::int64_t grams_of(Reading& reading, json::Value weight) {
    static constexpr std::array<std::pair<std::string_view, std::string_view>, 4> kGrams{
        {{"GRAMS", "1"}, {"KILOGRAMS", "1000"}, {"OUNCES", "28.349523125"}, {"POUNDS", "453.59237"}}};
    const auto unit = reading.text(weight, "unit");
    const auto value = weight.decimal_of("value");
    for (const auto& [name, grams] : kGrams) {
        if (unit == name && value) {
            const auto whole = *value * core::Decimal::parse(grams).value();
            const auto number =
                whole ? whole->rounded(0, core::Rounding::half_up).to_int64() : core::Result<std::int64_t>(std::unexpect);
            if (number) {
                return *number;
            }
        }
    }
    reading.fail(weight, "wrong_type", "should be a weight");
    return 0;
}

TransactionStatus transaction_status(std::string_view text) {
    if (text == "SUCCESS") {
        return TRANSACTION_STATUS_SUCCESS;
    }
    if (text == "PENDING" || text == "AWAITING_RESPONSE") {
        return TRANSACTION_STATUS_PENDING;
    }
    if (text == "FAILURE") {
        return TRANSACTION_STATUS_FAILURE;
    }
    return text == "ERROR" ? TRANSACTION_STATUS_ERROR : TRANSACTION_STATUS_UNSPECIFIED;
}

RestockType restock_type(std::string_view text) {
    if (text == "NO_RESTOCK") {
        return RESTOCK_TYPE_NO_RESTOCK;
    }
    if (text == "CANCEL") {
        return RESTOCK_TYPE_CANCEL;
    }
    if (text == "RETURN") {
        return RESTOCK_TYPE_RETURN;
    }
    return text == "LEGACY_RESTOCK" ? RESTOCK_TYPE_LEGACY_RESTOCK : RESTOCK_TYPE_UNSPECIFIED;
}

void read_refund_line(Reading& reading, json::Value from, RefundLine& to) {
    to.set_refund_line_id(reading.id(from));
    to.set_line_item_id(reading.id_of(from, "lineItem"));
    to.set_location_id(reading.id_of(from, "location"));
    to.set_restock_type(restock_type(reading.text(from, "restockType")));
    reading.decimal(from, "quantity", to.mutable_quantity());
    reading.pair<&RefundLine::mutable_subtotal>(from, "subtotalSet", to);
    reading.pair<&RefundLine::mutable_total_tax>(from, "totalTaxSet", to);
    if (!reading.failed() && to.line_item_id() == 0) {
        reading.fail(from, "member_missing", "should name its line");
    }
}

// Refunded shipping is a line of its own today; an adjustment without reason is how older refunds gave it back.
void read_adjustment(Reading& reading, json::Value from, RefundAdjustment& to) {
    static constexpr std::array<std::pair<std::string_view, std::string_view>, 6> kPhrases{
        {{"REFUND_DISCREPANCY", "Refund discrepancy"},
         {"PENDING_REFUND_DISCREPANCY", "Pending refund discrepancy"},
         {"FULL_RETURN_BALANCING_ADJUSTMENT", "Full return balancing adjustment"},
         {"RESTOCK", "Restock"},
         {"DAMAGE", "Damage"},
         {"CUSTOMER", "Customer"}}};
    to.set_adjustment_id(reading.id(from));
    const auto reason = reading.text(from, "reason");
    to.set_kind(reason.empty() ? "shipping_refund" : "refund_discrepancy");
    to.set_reason(reason.empty() ? "Shipping refund" : reason);
    for (const auto& [name, phrase] : kPhrases) {
        if (reason == name) {
            to.set_reason(std::string(phrase));
        }
    }
    reading.pair<&RefundAdjustment::mutable_amount>(from, "amountSet", to);
    reading.pair<&RefundAdjustment::mutable_tax_amount>(from, "taxAmountSet", to);
}

// Of what GraphQL shows, the words that come from a carrier.
std::string shipment_status(std::string_view display) {
    static constexpr std::array<std::pair<std::string_view, std::string_view>, 12> kWords{
        {{"ATTEMPTED_DELIVERY", "attempted_delivery"},
         {"CARRIER_PICKED_UP", "carrier_picked_up"},
         {"CONFIRMED", "confirmed"},
         {"DELAYED", "delayed"},
         {"DELIVERED", "delivered"},
         {"FAILURE", "failure"},
         {"IN_TRANSIT", "in_transit"},
         {"LABEL_PRINTED", "label_printed"},
         {"LABEL_PURCHASED", "label_purchased"},
         {"NOT_DELIVERED", "failure"},
         {"OUT_FOR_DELIVERY", "out_for_delivery"},
         {"READY_FOR_PICKUP", "ready_for_pickup"}}};
    for (const auto& [name, word] : kWords) {
        if (display == name) {
            return std::string(word);
        }
    }
    return {};
}

}  // namespace

void read_tax(Reading& reading, json::Value from, bool included, TaxLine& to) {
    reading.text(from, "title", to.mutable_title());
    reading.decimal(from, "rate", to.mutable_rate());
    reading.pair<&TaxLine::mutable_amount>(from, "priceSet", to);
    to.set_included(included);
    to.set_channel_liable(reading.flag(from, "channelLiable"));
}

void read_line(Reading& reading, json::Value from, bool taxes_included, OrderLine& to, PersonalData& personal) {
    to.set_line_item_id(reading.id(from));
    to.set_variant_id(reading.id_of(from, "variant"));
    to.set_product_id(reading.id_of(from, "product"));
    reading.text(from, "sku", to.mutable_sku());
    reading.text(from, "title", to.mutable_title());
    reading.text(from, "variantTitle", to.mutable_variant_title());
    reading.text(from, "name", to.mutable_name());
    reading.text(from, "vendor", to.mutable_vendor());
    reading.decimal(from, "quantity", to.mutable_quantity());
    reading.decimal(from, "currentQuantity", to.mutable_current_quantity());
    reading.decimal(from, "unfulfilledQuantity", to.mutable_fulfillable_quantity());
    reading.pair<&OrderLine::mutable_unit_price>(from, "originalUnitPriceSet", to);
    reading.pair<&OrderLine::mutable_total_discount>(from, "totalDiscountSet", to);
    read_allocations(reading, from, to);
    reading.each(from, "taxLines", [&](json::Value tax) { read_tax(reading, tax, taxes_included, *to.add_tax_lines()); });
    reading.each(from, "duties", [&](json::Value duty) { read_duty(reading, duty, *to.add_duties()); });
    to.set_taxable(reading.flag(from, "taxable"));
    to.set_requires_shipping(reading.flag(from, "requiresShipping"));
    to.set_gift_card(reading.flag(from, "isGiftCard"));
    to.set_product_exists(to.product_id() != 0);
    if (const auto weight = from.get_present("weight")) {
        to.set_grams(grams_of(reading, *weight));
    }
    to.set_line_group_id(reading.id_of(from, "lineItemGroup"));
    to.set_kind(to.gift_card() ? LINE_KIND_GIFT_CARD
                               : (to.product_id() != 0 || to.variant_id() != 0 ? LINE_KIND_PRODUCT : LINE_KIND_CUSTOM));
    if (const auto properties = from.get_present("customAttributes"); properties && properties->size() > 0) {
        auto& kept = *personal.add_line_properties();
        kept.set_line_item_id(to.line_item_id());
        reading.each(from, "customAttributes", [&](json::Value attribute) {
            auto& property = *kept.add_properties();
            reading.text(attribute, "key", property.mutable_name());
            reading.text(attribute, "value", property.mutable_value());
        });
    }
    if (!reading.failed() && (to.line_item_id() == 0 || !to.has_quantity() || !to.has_unit_price())) {
        reading.fail(from, "member_missing", "should have an id, a quantity and a price");
    }
}

void read_shipping_line(Reading& reading, json::Value from, bool taxes_included, ShippingLine& to) {
    to.set_shipping_line_id(reading.id(from));
    reading.text(from, "title", to.mutable_title());
    reading.text(from, "code", to.mutable_code());
    reading.text(from, "source", to.mutable_source());
    reading.text(from, "carrierIdentifier", to.mutable_carrier_identifier());
    to.set_removed(reading.flag(from, "isRemoved"));
    reading.pair<&ShippingLine::mutable_price>(from, "originalPriceSet", to);
    reading.pair<&ShippingLine::mutable_discounted_price>(from, "discountedPriceSet", to);
    reading.pair<&ShippingLine::mutable_current_discounted_price>(from, "currentDiscountedPriceSet", to);
    read_allocations(reading, from, to);
    reading.each(from, "taxLines", [&](json::Value tax) { read_tax(reading, tax, taxes_included, *to.add_tax_lines()); });
    if (!reading.failed() && !to.has_price()) {
        reading.fail(from, "member_missing", "should have a price");
    }
}

void read_discount(Reading& reading, json::Value from, DiscountApplication& to) {
    static constexpr std::array<std::pair<std::string_view, std::string_view>, 4> kTypes{
        {{"DiscountCodeApplication", "discount_code"},
         {"AutomaticDiscountApplication", "automatic"},
         {"ManualDiscountApplication", "manual"},
         {"ScriptDiscountApplication", "script"}}};
    const auto type = reading.text(from, "__typename");
    for (const auto& [name, word] : kTypes) {
        if (type == name) {
            to.set_type(std::string(word));
        }
    }
    reading.lower(from, "allocationMethod", to.mutable_allocation_method());
    reading.lower(from, "targetType", to.mutable_target_type());
    reading.lower(from, "targetSelection", to.mutable_target_selection());
    reading.text(from, "title", to.mutable_title());
    reading.text(from, "code", to.mutable_code());
    if (const auto value = from.get_present("value")) {
        const bool percentage = value->get_present("percentage").has_value();
        to.set_value_type(percentage ? "percentage" : "fixed_amount");
        reading.decimal(*value, percentage ? "percentage" : "amount", to.mutable_value());
    }
}

void read_fulfillment(Reading& reading, json::Value from, Fulfillment& to) {
    to.set_fulfillment_id(reading.id(from));
    reading.lower(from, "status", to.mutable_status());
    to.set_location_id(reading.id_of(from, "location"));
    reading.time<&Fulfillment::mutable_created_at>(from, "createdAt", to);
    reading.text(from, "name", to.mutable_name());
    to.set_shipment_status(shipment_status(reading.text(from, "displayStatus")));
    reading.each(from, "trackingInfo", [&](json::Value tracking) {
        if (to.tracking_company().empty()) {
            reading.text(tracking, "company", to.mutable_tracking_company());
        }
        if (auto number = reading.text(tracking, "number"); !number.empty()) {
            to.add_tracking_numbers(std::move(number));
        }
    });
    reading.each(from, "fulfillmentLineItems", [&](json::Value element) {
        auto& line = *to.add_lines();
        line.set_line_item_id(reading.id_of(element, "lineItem"));
        reading.decimal(element, "quantity", line.mutable_quantity());
    });
}

void read_transaction(Reading& reading, json::Value from, std::int64_t order_id, PaymentTransaction& to) {
    to.set_transaction_id(reading.id(from));
    to.set_order_id(order_id);
    to.set_parent_id(reading.id_of(from, "parentTransaction"));
    reading.lower(from, "kind", to.mutable_kind());
    to.set_status(transaction_status(reading.text(from, "status")));
    reading.text(from, "gateway", to.mutable_gateway());
    reading.time<&PaymentTransaction::mutable_processed_at>(from, "processedAt", to);
    reading.time<&PaymentTransaction::mutable_created_at>(from, "createdAt", to);
    to.set_test(reading.flag(from, "test"));
    reading.lower(from, "errorCode", to.mutable_error_code());
    to.set_location_id(reading.id_of(from, "location"));
    reading.text(from, "paymentId", to.mutable_payment_id());
    to.set_manual_gateway(reading.flag(from, "manualPaymentGateway"));
    reading.pair<&PaymentTransaction::mutable_total_unsettled>(from, "totalUnsettledSet", to);
    // A transaction runs in the customer's currency.
    if (const auto amounts = from.get_present("amountSet")) {
        const auto shop = amounts->get_present("shopMoney");
        const auto presentment = amounts->get_present("presentmentMoney");
        if (shop) {
            reading.money(*shop, to.mutable_shop_amount());
            reading.money(presentment ? *presentment : *shop, to.mutable_amount());
        }
    }
    if (const auto rounding = from.get_present("amountRoundingSet")) {
        if (const auto presentment = rounding->get_present("presentmentMoney")) {
            reading.money(*presentment, to.mutable_amount_rounding());
        }
    }
    if (!reading.failed() && (to.transaction_id() == 0 || to.kind().empty() || !to.has_amount())) {
        reading.fail(from, "member_missing", "should have an id, a kind and an amount");
    }
}

void read_refund(Reading& reading, json::Value from, std::int64_t order_id, Refund& to, PersonalData& personal) {
    to.set_refund_id(reading.id(from));
    to.set_order_id(order_id);
    reading.time<&Refund::mutable_created_at>(from, "createdAt", to);
    reading.time<&Refund::mutable_processed_at>(from, "processedAt", to);
    to.set_return_id(reading.id_of(from, "return"));
    reading.each(from, "refundLineItems", [&](json::Value line) {
        read_refund_line(reading, line, *to.add_lines());
        to.set_restock(to.restock() || (to.lines().rbegin()->restock_type() != RESTOCK_TYPE_NO_RESTOCK &&
                                        to.lines().rbegin()->restock_type() != RESTOCK_TYPE_UNSPECIFIED));
    });
    reading.each(from, "orderAdjustments",
                 [&](json::Value adjustment) { read_adjustment(reading, adjustment, *to.add_adjustments()); });
    reading.each(from, "refundShippingLines", [&](json::Value element) {
        auto& line = *to.add_shipping_lines();
        line.set_refund_shipping_line_id(reading.id(element));
        line.set_shipping_line_id(reading.id_of(element, "shippingLine"));
        reading.pair<&RefundShippingLine::mutable_subtotal>(element, "subtotalAmountSet", line);
        reading.pair<&RefundShippingLine::mutable_total_tax>(element, "taxAmountSet", line);
    });
    reading.each(from, "transactions",
                 [&](json::Value transaction) { read_transaction(reading, transaction, order_id, *to.add_transactions()); });
    reading.each(from, "duties", [&](json::Value element) {
        auto& duty = *to.add_duties();
        duty.set_duty_id(reading.id_of(element, "originalDuty"));
        reading.pair<&Duty::mutable_amount>(element, "amountSet", duty);
    });
    if (auto note = reading.text(from, "note"); !note.empty()) {
        auto& kept = *personal.add_refund_notes();
        kept.set_refund_id(to.refund_id());
        kept.set_note(std::move(note));
    }
    if (!reading.failed() && to.refund_id() == 0) {
        reading.fail(from, "member_missing", "should have an id");
    }
}

void read_address(Reading& reading, json::Value from, Address& to) {
    reading.text(from, "firstName", to.mutable_first_name());
    reading.text(from, "lastName", to.mutable_last_name());
    reading.text(from, "name", to.mutable_name());
    reading.text(from, "company", to.mutable_company());
    reading.text(from, "address1", to.mutable_address1());
    reading.text(from, "address2", to.mutable_address2());
    reading.text(from, "city", to.mutable_city());
    reading.text(from, "zip", to.mutable_zip());
    reading.text(from, "province", to.mutable_province());
    reading.text(from, "provinceCode", to.mutable_province_code());
    reading.text(from, "country", to.mutable_country());
    reading.text(from, "countryCodeV2", to.mutable_country_code());
    reading.text(from, "phone", to.mutable_phone());
}

}  // namespace reconciliation
