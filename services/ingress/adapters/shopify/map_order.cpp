#include "adapters/shopify/map_order.h"

#include <syncline/common/v1/personal_data.pb.h>
#include <syncline/core/money.h>
#include <syncline/orders/v1/order.pb.h>

#include "adapters/shopify/map_parts.h"

namespace ingress {

namespace json = syncline::json;
using namespace syncline::orders::v1;
using syncline::common::v1::Person;

namespace {

FinancialStatus financial_status_from(Mapping& mapping, json::Value value) {
    const auto text = value.string();
    if (!text) {
        mapping.fail(text.error());
        return FINANCIAL_STATUS_UNSPECIFIED;
    }
    static constexpr std::pair<std::string_view, FinancialStatus> kKnown[] = {
        {"paid", FINANCIAL_STATUS_PAID},
        {"pending", FINANCIAL_STATUS_PENDING},
        {"authorized", FINANCIAL_STATUS_AUTHORIZED},
        {"partially_paid", FINANCIAL_STATUS_PARTIALLY_PAID},
        {"partially_refunded", FINANCIAL_STATUS_PARTIALLY_REFUNDED},
        {"refunded", FINANCIAL_STATUS_REFUNDED},
        {"voided", FINANCIAL_STATUS_VOIDED},
        {"expired", FINANCIAL_STATUS_EXPIRED},
    };
    for (const auto& [name, status] : kKnown) {
        if (*text == name) {
            return status;
        }
    }
    mapping.unknown_member("financial_status", "new_value");
    return FINANCIAL_STATUS_UNSPECIFIED;
}

void map_contact(Mapping& mapping, Person& to, json::Value from) {
    using Part = Into<Person>;
    static const MemberTable<Person> kTable{"company_contact",
                                            {{"first_name", Part::text<&Person::mutable_first_name>},
                                             {"last_name", Part::text<&Person::mutable_last_name>},
                                             {"email", Part::text<&Person::mutable_email>},
                                             {"phone", Part::any_text<&Person::mutable_phone>}},
                                            {"id", "customer_id", "title", "locale", "admin_graphql_api_id"}};
    kTable.map(mapping, to, from);
}

template <auto Mutable>
void customer_text(Mapping& mapping, Order& /*order*/, json::Value value) {
    mapping.any_text(value, (mapping.personal().mutable_customer()->*Mutable)());
}

void map_customer(Mapping& mapping, Order& to, json::Value from) {
    static const MemberTable<Order> kTable{"customer",
                                           {{"id", Into<Order>::id<&Order::set_customer_id>},
                                            {"first_name", customer_text<&Person::mutable_first_name>},
                                            {"last_name", customer_text<&Person::mutable_last_name>},
                                            {"email", customer_text<&Person::mutable_email>},
                                            {"phone", customer_text<&Person::mutable_phone>}},
                                           {"admin_graphql_api_id",
                                            "accepts_marketing",
                                            "accepts_marketing_updated_at",
                                            "created_at",
                                            "currency",
                                            "default_address",
                                            "addresses",
                                            "email_marketing_consent",
                                            "sms_marketing_consent",
                                            "last_order_id",
                                            "last_order_name",
                                            "locale",
                                            "marketing_opt_in_level",
                                            "multipass_identifier",
                                            "note",
                                            "orders_count",
                                            "state",
                                            "tags",
                                            "tax_exempt",
                                            "tax_exemptions",
                                            "total_spent",
                                            "updated_at",
                                            "verified_email"}};
    kTable.map(mapping, to, from);
}

void map_company(Mapping& mapping, Order& to, json::Value from) {
    static const MemberTable<Order> kTable{"company",
                                           {{"id", Into<Order>::id<&Order::set_company_id>},
                                            {"location_id", Into<Order>::id<&Order::set_company_location_id>},
                                            {"contact",
                                             [](Mapping& m, Order& /*order*/, json::Value v) {
                                                 map_contact(m, *m.personal().mutable_company_contact(), v);
                                             }}},
                                           {"name", "admin_graphql_api_id"}};
    kTable.map(mapping, to, from);
}

// "summer, vip " → summer, vip.
void map_tags(Mapping& mapping, Order& to, json::Value from) {
    std::string all;
    mapping.text(from, &all);
    std::string_view rest = all;
    while (!rest.empty()) {
        auto tag = rest.substr(0, rest.find(','));
        rest.remove_prefix(std::min(rest.size(), tag.size() + 1));
        while (!tag.empty() && tag.front() == ' ') {
            tag.remove_prefix(1);
        }
        while (!tag.empty() && tag.back() == ' ') {
            tag.remove_suffix(1);
        }
        if (!tag.empty()) {
            to.add_tags(tag.data(), tag.size());
        }
    }
}

void map_discount_codes(Mapping& mapping, Order& to, json::Value from) {
    mapping.each(from, [&](json::Value element) {
        const auto code = element.is_object() ? element.get_present("code") : std::optional(element);
        if (code) {
            mapping.text(*code, to.add_discount_codes());
        }
    });
}

void map_discount_application(Mapping& mapping, DiscountApplication& to, json::Value from) {
    using Part = Into<DiscountApplication>;
    static const MemberTable<DiscountApplication> kTable{
        "discount_application",
        {{"type", Part::text<&DiscountApplication::mutable_type>},
         {"value_type", Part::text<&DiscountApplication::mutable_value_type>},
         {"value", Part::decimal<&DiscountApplication::mutable_value>},
         {"allocation_method", Part::text<&DiscountApplication::mutable_allocation_method>},
         {"target_type", Part::text<&DiscountApplication::mutable_target_type>},
         {"target_selection", Part::text<&DiscountApplication::mutable_target_selection>},
         {"title", Part::text<&DiscountApplication::mutable_title>},
         {"code", Part::text<&DiscountApplication::mutable_code>}},
        // Free text of the staff.
        {"description"}};
    kTable.map(mapping, to, from);
}

void map_line_group(Mapping& mapping, LineGroup& to, json::Value from) {
    using Part = Into<LineGroup>;
    static const MemberTable<LineGroup> kTable{"line_item_group",
                                               {{"id", Part::id<&LineGroup::set_line_group_id>},
                                                {"title", Part::text<&LineGroup::mutable_title>},
                                                {"quantity", Part::decimal<&LineGroup::mutable_quantity>},
                                                {"variant_id", Part::id<&LineGroup::set_variant_id>},
                                                {"variant_sku", Part::text<&LineGroup::mutable_sku>},
                                                {"sku", Part::text<&LineGroup::mutable_sku>}},
                                               {"admin_graphql_api_id", "product_id", "custom_attributes", "properties"}};
    kTable.map(mapping, to, from);
    // Nowhere documented: what it lacks is counted, and the order goes on.
    if (to.line_group_id() == 0) {
        mapping.unknown_member("line_item_group", "without_id");
    }
}

void map_return(Mapping& mapping, ReturnReference& to, json::Value from) {
    using Part = Into<ReturnReference>;
    static const MemberTable<ReturnReference> kTable{
        "return",
        {{"id", Part::id<&ReturnReference::set_return_id>},
         {"name", Part::text<&ReturnReference::mutable_name>},
         {"status", Part::text<&ReturnReference::mutable_status>},
         {"exchange_line_items",
          [](Mapping& m, ReturnReference& reference, json::Value v) {
              m.each(v, [&](json::Value line) {
                  const auto id = line.get_present("line_item_id") ? line.get_present("line_item_id") : line.get_present("id");
                  if (id) {
                      reference.add_exchange_line_item_ids(m.id(*id));
                  }
              });
          }}},
        {"admin_graphql_api_id", "order_id", "order", "return_line_items", "total_return_line_items", "refunds", "created_at",
         "closed_at", "request_approved_at", "declined_at", "decline"}};
    kTable.map(mapping, to, from);
    if (mapping.failed() || to.return_id() != 0) {
        return;
    }
    if (const auto gid = from.get_present("admin_graphql_api_id")) {
        to.set_return_id(mapping.id(*gid));
    } else {
        // Nowhere documented: what it lacks is counted, and the order goes on.
        mapping.unknown_member("return", "without_id");
    }
}

void map_payment_terms(Mapping& mapping, Order& to, json::Value from) {
    if (from.is_string()) {
        mapping.text(from, to.mutable_payment_terms_name());
        return;
    }
    if (!from.is_object()) {
        mapping.fail(from, "wrong_type", "should be an object");
        return;
    }
    if (const auto name = from.get_present("payment_terms_name")) {
        mapping.text(*name, to.mutable_payment_terms_name());
    }
    const auto schedules = from.get_present("payment_schedules");
    if (!schedules) {
        return;
    }
    mapping.each(*schedules, [&](json::Value element) {
        auto& schedule = *to.add_payment_schedules();
        std::string currency = mapping.presentment_currency();
        if (const auto given = element.get_present("currency")) {
            mapping.text(*given, &currency);
        }
        if (const auto id = element.get_present("id")) {
            schedule.set_payment_schedule_id(mapping.id(*id));
        }
        if (const auto amount = element.get_present("amount")) {
            mapping.amount(*amount, currency, schedule.mutable_amount());
        }
        if (const auto time = element.get_present("due_at")) {
            mapping.time(*time, schedule.mutable_due_at());
        }
        if (const auto time = element.get_present("issued_at")) {
            mapping.time(*time, schedule.mutable_issued_at());
        }
        if (const auto time = element.get_present("completed_at")) {
            mapping.time(*time, schedule.mutable_completed_at());
        }
        // The next instalment that is still open tells when the order is due.
        if (!mapping.failed() && !to.has_payment_due_at() && schedule.has_due_at() && !schedule.has_completed_at()) {
            *to.mutable_payment_due_at() = schedule.due_at();
        }
    });
}

void map_exchanges(Mapping& mapping, Order& to, json::Value from) {
    mapping.each(from, [&](json::Value element) {
        const auto id = element.is_object() ? element.get_present("id") : std::optional(element);
        if (id) {
            to.add_exchanged_order_ids(mapping.id(*id));
        }
    });
}

// A draft or a checkout looks much like an order, and its signed body may be sent again under an order's topic.
void not_an_order(Mapping& mapping, Order& /*order*/, json::Value value) {
    mapping.fail(value, "not_an_order", "is a member of drafts or checkouts");
}

template <auto Mutable>
void personal_text(Mapping& mapping, Order& /*order*/, json::Value value) {
    mapping.any_text(value, (mapping.personal().*Mutable)());
}
template <auto Mutable>
void personal_address(Mapping& mapping, Order& /*order*/, json::Value value) {
    map_address(mapping, *(mapping.personal().*Mutable)(), value);
}

const MemberTable<Order>& order_table() {
    using Part = Into<Order>;
    using Personal = syncline::common::v1::PersonalData;
    static const MemberTable<Order> kTable{
        "order",
        {
            {"name", Part::text<&Order::mutable_name>},
            {"order_number", Part::integer<&Order::set_order_number>},
            {"processed_at", Part::time<&Order::mutable_processed_at>},
            {"created_at", Part::time<&Order::mutable_created_at>},
            {"updated_at", Part::time<&Order::mutable_source_updated_at>},
            {"cancelled_at", Part::time<&Order::mutable_cancelled_at>},
            {"cancel_reason", Part::text<&Order::mutable_cancel_reason>},
            {"closed_at", Part::time<&Order::mutable_closed_at>},
            {"test", Part::flag<&Order::set_test>},
            {"confirmed", Part::flag<&Order::set_confirmed>},
            {"source_name", Part::any_text<&Order::mutable_source_name>},
            {"source_identifier", Part::any_text<&Order::mutable_source_identifier>},
            {"app_id", Part::id<&Order::set_app_id>},
            {"location_id", Part::id<&Order::set_location_id>},
            {"financial_status",
             [](Mapping& m, Order& o, json::Value v) {
                 o.set_financial_status(financial_status_from(m, v));
             }},
            {"currency", Part::text<&Order::mutable_currency_code>},
            {"presentment_currency", Part::text<&Order::mutable_presentment_currency_code>},
            {"taxes_included", Part::flag<&Order::set_taxes_included>},
            {"tax_exempt", Part::flag<&Order::set_tax_exempt>},
            {"duties_included", Part::flag<&Order::set_duties_included>},
            {"estimated_taxes", Part::flag<&Order::set_estimated_taxes>},
            {"line_items", Part::list<static_cast<OrderLine* (Order::*)()>(&Order::add_lines), map_order_line>},
            {"line_item_groups", Part::list<static_cast<LineGroup* (Order::*)()>(&Order::add_line_groups), map_line_group>},
            {"shipping_lines",
             Part::list<static_cast<ShippingLine* (Order::*)()>(&Order::add_shipping_lines), map_shipping_line>},
            {"discount_applications",
             Part::list<static_cast<DiscountApplication* (Order::*)()>(&Order::add_discount_applications),
                        map_discount_application>},
            {"discount_codes", map_discount_codes},
            {"tax_lines", Part::list<static_cast<TaxLine* (Order::*)()>(&Order::add_tax_lines), map_tax_line>},
            {"total_line_items_price_set", Part::pair<&Order::mutable_total_line_items_price>},
            {"subtotal_price_set", Part::pair<&Order::mutable_subtotal_price>},
            {"total_discounts_set", Part::pair<&Order::mutable_total_discounts>},
            {"total_shipping_price_set", Part::pair<&Order::mutable_total_shipping_price>},
            {"total_tax_set", Part::pair<&Order::mutable_total_tax>},
            {"total_price_set", Part::pair<&Order::mutable_total_price>},
            {"total_tip_received_set", Part::pair<&Order::mutable_total_tip_received>},
            {"original_total_duties_set", Part::pair<&Order::mutable_total_duties>},
            {"original_total_additional_fees_set", Part::pair<&Order::mutable_total_additional_fees>},
            {"total_cash_rounding_payment_adjustment_set", Part::pair<&Order::mutable_total_cash_rounding>},
            {"total_cash_rounding_refund_adjustment_set", Part::pair<&Order::mutable_total_cash_rounding_refund>},
            {"current_subtotal_price_set", Part::pair<&Order::mutable_current_subtotal_price>},
            {"current_total_discounts_set", Part::pair<&Order::mutable_current_total_discounts>},
            {"current_shipping_price_set", Part::pair<&Order::mutable_current_shipping_price>},
            {"current_total_tax_set", Part::pair<&Order::mutable_current_total_tax>},
            {"current_total_price_set", Part::pair<&Order::mutable_current_total_price>},
            {"current_total_duties_set", Part::pair<&Order::mutable_current_total_duties>},
            {"current_total_additional_fees_set", Part::pair<&Order::mutable_current_total_additional_fees>},
            {"total_outstanding_set", Part::pair<&Order::mutable_total_outstanding>},
            {"total_weight", Part::integer<&Order::set_total_weight_grams>},
            {"payment_gateway_names",
             [](Mapping& m, Order& o, json::Value v) {
                 m.each(v, [&](json::Value name) { m.text(name, o.add_payment_gateway_names()); });
             }},
            {"tags", map_tags},
            {"customer", map_customer},
            {"company", map_company},
            {"po_number", Part::any_text<&Order::mutable_po_number>},
            {"merchant_of_record_app_id", Part::any_text<&Order::mutable_merchant_of_record_app_id>},
            {"merchant_business_entity_id", Part::any_text<&Order::mutable_merchant_business_entity_id>},
            {"refunds",
             [](Mapping& m, Order& o, json::Value v) {
                 m.each(v, [&](json::Value refund) { map_refund(m, *o.add_refunds(), refund, o.order_id()); });
             }},
            {"returns", Part::list<static_cast<ReturnReference* (Order::*)()>(&Order::add_returns), map_return>},
            {"exchanges", map_exchanges},
            {"fulfillments", Part::list<static_cast<Fulfillment* (Order::*)()>(&Order::add_fulfillments), map_fulfillment>},
            {"customer_locale", Part::text<&Order::mutable_customer_locale>},
            {"payment_terms", map_payment_terms},
            {"invoice_url", not_an_order},
            {"abandoned_checkout_url", not_an_order},
            {"email", personal_text<&Personal::mutable_email>},
            {"phone", personal_text<&Personal::mutable_phone>},
            {"note", personal_text<&Personal::mutable_note>},
            {"billing_address", personal_address<&Personal::mutable_billing_address>},
            {"shipping_address", personal_address<&Personal::mutable_shipping_address>},
            {"note_attributes",
             [](Mapping& m, Order& /*o*/, json::Value v) {
                 m.each(v, [&](json::Value element) { map_attribute(m, *m.personal().add_note_attributes(), element); });
             }},
        },
        {
            // Twins of the *_set members; fall_back reads them where the set is missing.
            "current_subtotal_price",
            "current_total_discounts",
            "current_total_price",
            "current_total_tax",
            "subtotal_price",
            "total_discounts",
            "total_line_items_price",
            "total_outstanding",
            "total_price",
            "total_price_usd",
            "total_tax",
            "total_tip_received",
            // Tokens, addresses of the network, what the browser told: they never leave ingress.
            "browser_ip",
            "cart_token",
            "checkout_id",
            "checkout_token",
            "client_details",
            "device_id",
            "landing_site",
            "landing_site_ref",
            "order_status_url",
            "referring_site",
            "token",
            "source_url",
            "user_id",
            "payment_details",
            // Read before, or nothing that anybody behind needs.
            "id",
            "admin_graphql_api_id",
            "buyer_accepts_marketing",
            "confirmation_number",
            "contact_email",
            "fulfillment_status",
            "gateway",
            "number",
            "processing_method",
            "reference",
            "marketing_opt_in_level",
            "sms_marketing_phone",
            "original_total_price_set",
            "total_cash_rounding_adjustment_set",
            "deleted_at",
        }};
    return kTable;
}

// Tax rules go by country and subdivision; they stand outside the envelope, the address itself inside.
void note_destination(Order& to, const syncline::common::v1::PersonalData& personal) {
    const auto& address = personal.has_shipping_address() ? personal.shipping_address() : personal.billing_address();
    to.set_destination_country_code(address.country_code());
    to.set_destination_province_code(address.province_code());
}

void fall_back_to_plain_amounts(Mapping& mapping, Order& to, json::Value from) {
    fall_back<&Order::has_total_line_items_price, &Order::mutable_total_line_items_price>(mapping, to, from,
                                                                                          "total_line_items_price");
    fall_back<&Order::has_subtotal_price, &Order::mutable_subtotal_price>(mapping, to, from, "subtotal_price");
    fall_back<&Order::has_total_discounts, &Order::mutable_total_discounts>(mapping, to, from, "total_discounts");
    fall_back<&Order::has_total_tax, &Order::mutable_total_tax>(mapping, to, from, "total_tax");
    fall_back<&Order::has_total_price, &Order::mutable_total_price>(mapping, to, from, "total_price");
    fall_back<&Order::has_total_tip_received, &Order::mutable_total_tip_received>(mapping, to, from, "total_tip_received");
    fall_back<&Order::has_current_subtotal_price, &Order::mutable_current_subtotal_price>(mapping, to, from,
                                                                                          "current_subtotal_price");
    fall_back<&Order::has_current_total_discounts, &Order::mutable_current_total_discounts>(mapping, to, from,
                                                                                            "current_total_discounts");
    fall_back<&Order::has_current_total_tax, &Order::mutable_current_total_tax>(mapping, to, from, "current_total_tax");
    fall_back<&Order::has_current_total_price, &Order::mutable_current_total_price>(mapping, to, from, "current_total_price");
    fall_back<&Order::has_total_outstanding, &Order::mutable_total_outstanding>(mapping, to, from, "total_outstanding");
}

}  // namespace

void map_order(Mapping& mapping, Order& to, json::Value from) {
    if (!from.is_object()) {
        mapping.fail(from, "wrong_type", "should be an object");
        return;
    }
    // Bare amounts inside of lines need the currencies, taxes whether prices contain them, refunds the order's id, wherever these
    // stand in the body.
    for (const auto* name : {"id", "currency", "updated_at", "line_items"}) {
        if (!from.get_present(name)) {
            mapping.missing(from, name);
            return;
        }
    }
    to.set_order_id(mapping.id(*from.get_present("id")));
    const auto currency = from.get_present("currency")->string();
    if (!currency) {
        mapping.fail(currency.error());
        return;
    }
    if (!syncline::core::valid_currency_code(*currency)) {
        mapping.fail(*from.get_present("currency"), "currency_malformed", "should be a currency's code");
        return;
    }
    const auto presentment = from.get_present("presentment_currency");
    mapping.use_currencies(*currency, presentment && presentment->is_string() ? *presentment->string() : std::string_view{});

    if (const auto included = from.get_present("taxes_included")) {
        mapping.use_taxes_included(mapping.flag(*included));
    }

    order_table().map(mapping, to, from);
    fall_back_to_plain_amounts(mapping, to, from);
    if (mapping.failed()) {
        return;
    }
    if (!to.has_total_price()) {
        mapping.missing(from, "total_price");
        return;
    }
    if (to.presentment_currency_code().empty()) {
        to.set_presentment_currency_code(to.currency_code());
    }
    to.set_fulfillment_status(fulfillment_status_from(mapping, from));
    if (mapping.personal().email().empty()) {
        if (const auto contact = from.get_present("contact_email")) {
            mapping.text(*contact, mapping.personal().mutable_email());
        }
    }
    note_destination(to, mapping.personal());
}

}  // namespace ingress
