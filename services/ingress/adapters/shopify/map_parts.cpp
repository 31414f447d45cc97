#include "adapters/shopify/map_parts.h"

#include <syncline/common/v1/personal_data.pb.h>
#include <syncline/json/writer.h>
#include <syncline/orders/v1/order.pb.h>

namespace ingress {

namespace json = syncline::json;
using namespace syncline::orders::v1;
using syncline::common::v1::Address;
using syncline::common::v1::Attribute;

void map_tax_line(Mapping& mapping, TaxLine& to, json::Value from) {
    using Tax = Into<TaxLine>;
    static const MemberTable<TaxLine> kTable{"tax_line",
                                             {{"title", Tax::text<&TaxLine::mutable_title>},
                                              {"rate", Tax::decimal<&TaxLine::mutable_rate>},
                                              {"price_set", Tax::pair<&TaxLine::mutable_amount>},
                                              {"channel_liable", Tax::flag<&TaxLine::set_channel_liable>}},
                                             {"price", "rate_percentage", "source", "compare_at", "zone", "jurisdiction"}};
    kTable.map(mapping, to, from);
    fall_back<&TaxLine::has_amount, &TaxLine::mutable_amount>(mapping, to, from, "price");
    to.set_included(mapping.taxes_included());
    if (!mapping.failed() && !to.has_amount()) {
        mapping.missing(from, "price");
    }
}

void map_duty(Mapping& mapping, Duty& to, json::Value from) {
    using Part = Into<Duty>;
    static const MemberTable<Duty> kTable{
        "duty",
        {{"id", Part::id<&Duty::set_duty_id>},
         {"duty_id", Part::id<&Duty::set_duty_id>},
         {"harmonized_system_code", Part::any_text<&Duty::mutable_harmonized_system_code>},
         {"country_code_of_origin", Part::text<&Duty::mutable_country_code_of_origin>},
         {"shop_money",
          [](Mapping& m, Duty& duty, json::Value v) {
              m.money(v, duty.mutable_amount()->mutable_shop());
          }},
         {"presentment_money",
          [](Mapping& m, Duty& duty, json::Value v) {
              m.money(v, duty.mutable_amount()->mutable_presentment());
          }},
         {"amount_set", Part::pair<&Duty::mutable_amount>},
         {"price_set", Part::pair<&Duty::mutable_amount>},
         {"tax_lines", Part::list<static_cast<TaxLine* (Duty::*)()>(&Duty::add_tax_lines), map_tax_line>}},
        {"admin_graphql_api_id", "amount", "price"}};
    kTable.map(mapping, to, from);
    fall_back<&Duty::has_amount, &Duty::mutable_amount>(mapping, to, from, "amount");
    fall_back<&Duty::has_amount, &Duty::mutable_amount>(mapping, to, from, "price");
    for (auto& tax : *to.mutable_tax_lines()) {
        tax.set_included(false);
    }
    if (to.has_amount() && to.amount().has_presentment() &&
        to.amount().presentment().currency_code() == to.amount().shop().currency_code()) {
        to.mutable_amount()->clear_presentment();
    }
}

void map_discount_allocation(Mapping& mapping, DiscountAllocation& to, json::Value from) {
    using Part = Into<DiscountAllocation>;
    static const MemberTable<DiscountAllocation> kTable{"discount_allocation",
                                                        {{"discount_application_index",
                                                          [](Mapping& m, DiscountAllocation& allocation, json::Value v) {
                                                              const auto index = m.integer(v);
                                                              if (index < 0 || index > INT32_MAX) {
                                                                  m.fail(v, "number_out_of_range", "should be an index");
                                                                  return;
                                                              }
                                                              allocation.set_application_index(static_cast<std::int32_t>(index));
                                                          }},
                                                         {"amount_set", Part::pair<&DiscountAllocation::mutable_amount>}},
                                                        {"amount"}};
    kTable.map(mapping, to, from);
    fall_back<&DiscountAllocation::has_amount, &DiscountAllocation::mutable_amount>(mapping, to, from, "amount");
    if (!mapping.failed() && !to.has_amount()) {
        mapping.missing(from, "amount");
    }
}

FulfillmentStatus fulfillment_status_from(Mapping& mapping, json::Value object) {
    const auto value = object.get_present("fulfillment_status");
    if (!value) {
        return FULFILLMENT_STATUS_UNFULFILLED;
    }
    const auto text = value->string();
    if (!text) {
        mapping.fail(text.error());
        return FULFILLMENT_STATUS_UNSPECIFIED;
    }
    if (*text == "fulfilled") {
        return FULFILLMENT_STATUS_FULFILLED;
    }
    if (*text == "partial") {
        return FULFILLMENT_STATUS_PARTIAL;
    }
    if (*text == "restocked") {
        return FULFILLMENT_STATUS_RESTOCKED;
    }
    if (*text == "unfulfilled" || text->empty()) {
        return FULFILLMENT_STATUS_UNFULFILLED;
    }
    mapping.unknown_member("fulfillment_status", "new_value");
    return FULFILLMENT_STATUS_UNSPECIFIED;
}

namespace {

void map_properties(Mapping& mapping, std::int64_t line_item_id, json::Value from) {
    if (from.size() == 0) {
        return;
    }
    auto& properties = *mapping.personal().add_line_properties();
    properties.set_line_item_id(line_item_id);
    if (from.is_object()) {
        // Draft orders made by old apps send {"name": "value"}.
        for (const auto member : from.members()) {
            auto& attribute = *properties.add_properties();
            attribute.mutable_name()->assign(member.name);
            json::Writer value;
            if (member.value.is_string()) {
                attribute.mutable_value()->assign(*member.value.string());
            } else if (!member.value.is_null()) {
                attribute.set_value(std::move(value.value(member.value)).take());
            }
        }
        return;
    }
    mapping.each(from, [&](json::Value element) { map_attribute(mapping, *properties.add_properties(), element); });
}

// A tip is a line that names the way it was paid; a gift card is marked; a custom line has no product behind it.
LineKind kind_of(const OrderLine& line, json::Value from) {
    if (line.kind() != LINE_KIND_UNSPECIFIED) {
        return line.kind();
    }
    if (line.gift_card()) {
        return LINE_KIND_GIFT_CARD;
    }
    const bool product_exists = from.get_present("product_exists") ? line.product_exists() : line.product_id() != 0;
    return product_exists || line.product_id() != 0 || line.variant_id() != 0 ? LINE_KIND_PRODUCT : LINE_KIND_CUSTOM;
}

template <LineKind kind>
void kind_is(Mapping& /*mapping*/, OrderLine& line, json::Value /*value*/) {
    line.set_kind(kind);
}

}  // namespace

void map_order_line(Mapping& mapping, OrderLine& to, json::Value from) {
    using Line = Into<OrderLine>;
    static const MemberTable<OrderLine> kTable{
        "line_item",
        {{"id", Line::id<&OrderLine::set_line_item_id>},
         {"variant_id", Line::id<&OrderLine::set_variant_id>},
         {"product_id", Line::id<&OrderLine::set_product_id>},
         {"sku", Line::text<&OrderLine::mutable_sku>},
         {"title", Line::text<&OrderLine::mutable_title>},
         {"variant_title", Line::text<&OrderLine::mutable_variant_title>},
         {"name", Line::text<&OrderLine::mutable_name>},
         {"vendor", Line::text<&OrderLine::mutable_vendor>},
         {"quantity", Line::decimal<&OrderLine::mutable_quantity>},
         {"current_quantity", Line::decimal<&OrderLine::mutable_current_quantity>},
         {"fulfillable_quantity", Line::decimal<&OrderLine::mutable_fulfillable_quantity>},
         {"price_set", Line::pair<&OrderLine::mutable_unit_price>},
         {"total_discount_set", Line::pair<&OrderLine::mutable_total_discount>},
         {"discount_allocations",
          Line::list<static_cast<DiscountAllocation* (OrderLine::*)()>(&OrderLine::add_discount_allocations),
                     map_discount_allocation>},
         {"tax_lines", Line::list<static_cast<TaxLine* (OrderLine::*)()>(&OrderLine::add_tax_lines), map_tax_line>},
         {"duties", Line::list<static_cast<Duty* (OrderLine::*)()>(&OrderLine::add_duties), map_duty>},
         {"taxable", Line::flag<&OrderLine::set_taxable>},
         {"requires_shipping", Line::flag<&OrderLine::set_requires_shipping>},
         {"gift_card", Line::flag<&OrderLine::set_gift_card>},
         {"product_exists", Line::flag<&OrderLine::set_product_exists>},
         {"fulfillment_service", Line::text<&OrderLine::mutable_fulfillment_service>},
         {"grams", Line::integer<&OrderLine::set_grams>},
         {"sales_line_item_group_id", Line::id<&OrderLine::set_line_group_id>},
         {"tip", kind_is<LINE_KIND_TIP>},
         {"tip_payment_gateway", kind_is<LINE_KIND_TIP>},
         {"tip_payment_method", kind_is<LINE_KIND_TIP>},
         {"fee", kind_is<LINE_KIND_FEE>},
         {"fee_type", kind_is<LINE_KIND_FEE>}},
        {"admin_graphql_api_id",
         "attributed_staffs",
         "fulfillment_status",
         "price",
         "properties",
         "total_discount",
         "variant_inventory_management",
         "pre_tax_price",
         "pre_tax_price_set",
         "origin_location",
         "destination_location",
         "key",
         "tax_code",
         "discounted_price",
         "discounted_price_set",
         "original_price",
         "line_price",
         "presentment_price",
         "applied_discounts",
         "parent_id",
         "user_id",
         "rank",
         "sale_id"}};
    kTable.map(mapping, to, from);
    fall_back<&OrderLine::has_unit_price, &OrderLine::mutable_unit_price>(mapping, to, from, "price");
    fall_back<&OrderLine::has_total_discount, &OrderLine::mutable_total_discount>(mapping, to, from, "total_discount");
    if (mapping.failed()) {
        return;
    }
    for (const auto& [there, name] : {std::pair{to.line_item_id() != 0, "id"}, std::pair{to.has_quantity(), "quantity"},
                                      std::pair{to.has_unit_price(), "price"}}) {
        if (!there) {
            mapping.missing(from, name);
            return;
        }
    }
    to.set_fulfillment_status(fulfillment_status_from(mapping, from));
    to.set_kind(kind_of(to, from));
    if (const auto properties = from.get_present("properties")) {
        map_properties(mapping, to.line_item_id(), *properties);
    }
}

void map_shipping_line(Mapping& mapping, ShippingLine& to, json::Value from) {
    using Line = Into<ShippingLine>;
    static const MemberTable<ShippingLine> kTable{
        "shipping_line",
        {{"id", Line::id<&ShippingLine::set_shipping_line_id>},
         {"title", Line::text<&ShippingLine::mutable_title>},
         {"code", Line::text<&ShippingLine::mutable_code>},
         {"source", Line::text<&ShippingLine::mutable_source>},
         {"price_set", Line::pair<&ShippingLine::mutable_price>},
         {"discounted_price_set", Line::pair<&ShippingLine::mutable_discounted_price>},
         {"current_discounted_price_set", Line::pair<&ShippingLine::mutable_current_discounted_price>},
         {"discount_allocations",
          Line::list<static_cast<DiscountAllocation* (ShippingLine::*)()>(&ShippingLine::add_discount_allocations),
                     map_discount_allocation>},
         {"tax_lines", Line::list<static_cast<TaxLine* (ShippingLine::*)()>(&ShippingLine::add_tax_lines), map_tax_line>},
         {"is_removed", Line::flag<&ShippingLine::set_removed>},
         {"carrier_identifier", Line::any_text<&ShippingLine::mutable_carrier_identifier>}},
        {"price", "discounted_price", "phone", "requested_fulfillment_service_id", "delivery_category", "validation_context",
         "api_client_id", "delivery_expectation_range", "delivery_expectation_type", "admin_graphql_api_id"}};
    kTable.map(mapping, to, from);
    fall_back<&ShippingLine::has_price, &ShippingLine::mutable_price>(mapping, to, from, "price");
    fall_back<&ShippingLine::has_discounted_price, &ShippingLine::mutable_discounted_price>(mapping, to, from,
                                                                                            "discounted_price");
    if (!mapping.failed() && !to.has_price()) {
        mapping.missing(from, "price");
    }
}

namespace {

// The element repeats the whole line of the order; its identity and units are what the shipment adds.
void map_fulfillment_line(Mapping& mapping, FulfillmentLine& to, json::Value from) {
    if (const auto id = from.get_present("id")) {
        to.set_line_item_id(mapping.id(*id));
    } else {
        mapping.missing(from, "id");
    }
    if (const auto quantity = from.get_present("quantity"); quantity && !mapping.failed()) {
        mapping.decimal(*quantity, to.mutable_quantity());
    }
}

}  // namespace

void map_fulfillment(Mapping& mapping, Fulfillment& to, json::Value from) {
    using Part = Into<Fulfillment>;
    static const MemberTable<Fulfillment> kTable{
        "fulfillment",
        {{"id", Part::id<&Fulfillment::set_fulfillment_id>},
         {"status", Part::text<&Fulfillment::mutable_status>},
         {"location_id", Part::id<&Fulfillment::set_location_id>},
         {"created_at", Part::time<&Fulfillment::mutable_created_at>},
         {"tracking_company", Part::text<&Fulfillment::mutable_tracking_company>},
         {"name", Part::text<&Fulfillment::mutable_name>},
         {"shipment_status", Part::text<&Fulfillment::mutable_shipment_status>},
         {"tracking_numbers",
          [](Mapping& m, Fulfillment& fulfillment, json::Value v) {
              m.each(v, [&](json::Value number) { m.any_text(number, fulfillment.add_tracking_numbers()); });
          }},
         {"line_items",
          Part::list<static_cast<FulfillmentLine* (Fulfillment::*)()>(&Fulfillment::add_lines), map_fulfillment_line>}},
        {"admin_graphql_api_id", "order_id", "origin_address", "destination", "email", "receipt", "service", "tracking_number",
         "tracking_url", "tracking_urls", "updated_at", "notify_customer", "v2"}};
    kTable.map(mapping, to, from);
    if (mapping.failed()) {
        return;
    }
    if (to.fulfillment_id() == 0) {
        mapping.missing(from, "id");
        return;
    }
    if (to.tracking_numbers_size() == 0) {
        if (const auto number = from.get_present("tracking_number")) {
            mapping.any_text(*number, to.add_tracking_numbers());
        }
    }
}

void map_address(Mapping& mapping, Address& to, json::Value from) {
    using Part = Into<Address>;
    static const MemberTable<Address> kTable{"address",
                                             {{"first_name", Part::text<&Address::mutable_first_name>},
                                              {"last_name", Part::text<&Address::mutable_last_name>},
                                              {"name", Part::text<&Address::mutable_name>},
                                              {"company", Part::text<&Address::mutable_company>},
                                              {"address1", Part::text<&Address::mutable_address1>},
                                              {"address2", Part::text<&Address::mutable_address2>},
                                              {"city", Part::text<&Address::mutable_city>},
                                              {"zip", Part::any_text<&Address::mutable_zip>},
                                              {"province", Part::text<&Address::mutable_province>},
                                              {"province_code", Part::text<&Address::mutable_province_code>},
                                              {"country", Part::text<&Address::mutable_country>},
                                              {"country_code", Part::text<&Address::mutable_country_code>},
                                              {"phone", Part::any_text<&Address::mutable_phone>}},
                                             {"id", "customer_id", "latitude", "longitude", "country_name", "default"}};
    kTable.map(mapping, to, from);
}

void map_attribute(Mapping& mapping, Attribute& to, json::Value from) {
    static const MemberTable<Attribute> kTable{"attribute",
                                               {{"name", Into<Attribute>::any_text<&Attribute::mutable_name>},
                                                {"value", [](Mapping& m, Attribute& attribute, json::Value v) {
                                                     if (v.is_array() || v.is_object()) {
                                                         json::Writer writer;
                                                         attribute.set_value(std::move(writer.value(v)).take());
                                                     } else {
                                                         m.any_text(v, attribute.mutable_value());
                                                     }
                                                 }}}};
    kTable.map(mapping, to, from);
}

}  // namespace ingress
