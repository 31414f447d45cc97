#include "src/body_writer.h"

#include <fmt/format.h>
#include <syncline/core/time.h>

#include <algorithm>
#include <chrono>

namespace loadgen {

namespace core = syncline::core;

namespace {

std::string unit_name(const Line& line) {
    return line.product.variant_title.empty() ? line.product.title : line.product.title + " - " + line.product.variant_title;
}

}  // namespace

std::string local_time(const Shop& shop, SystemTime time) {
    const auto local =
        core::format_rfc3339_utc(std::chrono::floor<std::chrono::seconds>(time) + std::chrono::minutes(shop.utc_offset_minutes));
    const int minutes = std::abs(shop.utc_offset_minutes);
    return fmt::format("{}{}{:02}:{:02}", local.substr(0, local.size() - 1), shop.utc_offset_minutes < 0 ? '-' : '+',
                       minutes / 60, minutes % 60);
}

std::string gid(std::string_view type, std::uint64_t id) {
    return fmt::format("gid://shopify/{}/{}", type, id);
}

std::string BodyWriter::shop_text(Amount amount) const {
    return amount_text(amount.shop, order_.shop.decimals);
}

std::string BodyWriter::presentment_text(Amount amount) const {
    return amount_text(amount.presentment, order_.presentment_decimals);
}

std::string_view BodyWriter::gateway() const {
    return order_.source == "pos" ? "cash" : "shopify_payments";
}

void BodyWriter::optional(std::string_view name, std::string_view text) {
    out_.key(name);
    text.empty() ? out_.null() : out_.string(text);
}

void BodyWriter::id_or_null(std::string_view name, std::uint64_t id) {
    out_.key(name);
    id == 0 ? out_.null() : out_.unsigned_integer(id);
}

void BodyWriter::time(std::string_view name, const std::optional<SystemTime>& at) {
    optional(name, at ? local_time(order_.shop, *at) : std::string{});
}

void BodyWriter::set_value(Amount amount) {
    out_.begin_object();
    out_.key("shop_money")
        .begin_object()
        .member("amount", shop_text(amount))
        .member("currency_code", order_.shop.currency)
        .end_object();
    out_.key("presentment_money").begin_object().member("amount", presentment_text(amount));
    out_.member("currency_code", order_.presentment_currency).end_object().end_object();
}

void BodyWriter::set(std::string_view name, Amount amount) {
    out_.key(name);
    set_value(amount);
}

void BodyWriter::set_or_null(std::string_view name, Amount amount) {
    out_.key(name);
    if (amount.is_zero()) {
        out_.null();
    } else {
        set_value(amount);
    }
}

void BodyWriter::both(std::string_view name, Amount amount) {
    out_.member(name, shop_text(amount));
    set(std::string(name) + "_set", amount);
}

void BodyWriter::tax_line(const TaxLine& line) {
    out_.begin_object().member("channel_liable", line.tax.channel_liable).member("price", shop_text(line.amount));
    set("price_set", line.amount);
    out_.key("rate").number(rate_text(line.tax.rate)).member("title", line.tax.title).end_object();
}

void BodyWriter::tax_lines(const std::vector<TaxLine>& lines) {
    out_.key("tax_lines").begin_array();
    for (const auto& line : lines) {
        tax_line(line);
    }
    out_.end_array();
}

void BodyWriter::allocations(const std::vector<Allocation>& allocations) {
    out_.key("discount_allocations").begin_array();
    for (const auto& allocation : allocations) {
        out_.begin_object().member("amount", shop_text(allocation.amount));
        set("amount_set", allocation.amount);
        out_.member("discount_application_index", static_cast<std::int64_t>(allocation.application)).end_object();
    }
    out_.end_array();
}

void BodyWriter::line_item(const Line& line) {
    const bool product = line.what != Line::What::custom;
    out_.begin_object().member("id", line.id).member("admin_graphql_api_id", gid("LineItem", line.id));
    out_.key("attributed_staffs").begin_array().end_array().member("current_quantity", line.current_quantity());
    out_.member("fulfillable_quantity", line.current_quantity() - std::min(line.shipped, line.current_quantity()));
    out_.member("fulfillment_service", "manual");
    optional("fulfillment_status", line.shipped == 0 ? "" : (line.shipped >= line.current_quantity() ? "fulfilled" : "partial"));
    out_.member("gift_card", line.what == Line::What::gift_card)
        .member("grams", line.product.grams)
        .member("name", unit_name(line));
    out_.member("price", shop_text(line.price));
    set("price_set", line.price);
    out_.member("product_exists", product);
    id_or_null("product_id", product ? line.product.product_id : 0);
    out_.key("properties").begin_array();
    if (line.what == Line::What::custom) {
        out_.begin_object().member("name", "Engraving").member("value", "for Zzannah").end_object();
    }
    out_.end_array().member("quantity", line.quantity).member("requires_shipping", line.what == Line::What::product);
    id_or_null("sales_line_item_group_id", line.group);
    optional("sku", line.product.sku);
    out_.member("taxable", !line.rates.empty()).member("title", line.product.title).member("total_discount", shop_text({}));
    set("total_discount_set", {});
    id_or_null("variant_id", product ? line.product.variant_id : 0);
    out_.member("variant_inventory_management", "shopify");
    optional("variant_title", line.product.variant_title);
    out_.member("vendor", "Zz Goods");
    tax_lines(line.taxes);
    out_.key("duties").begin_array();
    if (line.duty) {
        duty(*line.duty);
    }
    out_.end_array();
    allocations(line.allocations);
    out_.end_object();
}

void BodyWriter::duty(const Duty& duty) {
    out_.begin_object().member("id", std::to_string(duty.id)).member("harmonized_system_code", duty.hs_code);
    out_.member("country_code_of_origin", duty.origin).key("shop_money").begin_object().member("amount", shop_text(duty.amount));
    out_.member("currency_code", order_.shop.currency).end_object().key("presentment_money").begin_object();
    out_.member("amount", presentment_text(duty.amount)).member("currency_code", order_.presentment_currency).end_object();
    out_.key("tax_lines").begin_array().end_array().member("admin_graphql_api_id", gid("Duty", duty.id)).end_object();
}

}  // namespace loadgen
