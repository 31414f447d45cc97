#include <fmt/format.h>
#include <syncline/core/hash.h>

#include <algorithm>
#include <map>

#include "src/body_writer.h"

namespace loadgen {

namespace core = syncline::core;

namespace {

// Hexadecimal text that looks like a token and is the same each time.
std::string token_of(const Order& order, std::string_view what) {
    return core::hex_encode(core::bytes_of(core::sha256(order.key() + std::string(what))).substr(0, 16));
}

}  // namespace

std::string BodyWriter::order() {
    out_.begin_object();
    const auto totals = totals_of(order_);
    out_.member("id", order_.id).member("admin_graphql_api_id", gid("Order", order_.id)).member("app_id", std::uint64_t{580'111});
    out_.member("browser_ip", "203.0.113.10").member("buyer_accepts_marketing", false);
    optional("cancel_reason", order_.cancel_reason);
    time("cancelled_at", order_.cancelled);
    out_.member("cart_token", token_of(order_, "cart"))
        .member("checkout_id", order_.id + 17)
        .member("checkout_token", token_of(order_, "checkout"));
    client_details();
    time("closed_at", order_.closed);
    company();
    out_.member("confirmation_number", token_of(order_, "confirmation").substr(0, 9)).member("confirmed", true);
    optional("contact_email", order_.email);
    out_.member("created_at", local_time(order_.shop, order_.created)).member("currency", order_.shop.currency);
    set("current_shipping_price_set", totals.current_shipping);
    both("current_subtotal_price", totals.current_subtotal);
    set_or_null("current_total_additional_fees_set", order_.fee);
    both("current_total_discounts", totals.current_discounts);
    set_or_null("current_total_duties_set", totals.duties);
    both("current_total_price", totals.current_total);
    both("current_total_tax", totals.current_tax);
    out_.member("customer_locale", order_.buyer ? order_.buyer->locale : "en").key("device_id").null();
    discount_codes();
    out_.member("duties_included", false);
    optional("email", order_.email);
    out_.member("estimated_taxes", false).member("financial_status", order_.financial_status);
    optional("fulfillment_status", fulfillment_status());
    out_.member("landing_site", "/").key("landing_site_ref").null();
    id_or_null("location_id", order_.location_id);
    out_.member("merchant_business_entity_id", "MTkxNzQwODY0ODEy");
    optional("merchant_of_record_app_id", order_.merchant_of_record);
    out_.member("name", order_.name());
    optional("note", order_.note);
    out_.key("note_attributes").begin_array();
    if (!order_.note.empty()) {
        out_.begin_object().member("name", "gift_message").member("value", "To Zzannah, with love").end_object();
    }
    out_.end_array().member("number", order_.number - 1'000).member("order_number", order_.number);
    out_.member("order_status_url", fmt::format("https://{}/1/orders/{}/authenticate?key={}", order_.shop.domain,
                                                token_of(order_, "status"), token_of(order_, "key")));
    set_or_null("original_total_additional_fees_set", order_.fee);
    set_or_null("original_total_duties_set", totals.duties);
    out_.key("payment_gateway_names").begin_array().string(gateway()).end_array();
    optional("phone", order_.phone);
    optional("po_number", order_.po_number);
    out_.member("presentment_currency", order_.presentment_currency)
        .member("processed_at", local_time(order_.shop, order_.created));
    out_.key("reference").null().key("referring_site").null().key("source_identifier").null();
    out_.member("source_name", order_.source).key("source_url").null();
    both("subtotal_price", totals.subtotal);
    out_.member("tags", order_.tags).member("tax_exempt", false);
    order_tax_lines();
    out_.member("taxes_included", order_.taxes_included).member("test", order_.test).member("token", token_of(order_, "token"));
    set("total_cash_rounding_payment_adjustment_set", order_.cash_rounding);
    set("total_cash_rounding_refund_adjustment_set", {});
    both("total_discounts", totals.discounts);
    both("total_line_items_price", totals.line_items);
    out_.member("total_outstanding", shop_text(outstanding(totals)));
    both("total_price", totals.total);
    set("total_shipping_price_set", totals.shipping);
    both("total_tax", totals.tax);
    out_.member("total_tip_received", shop_text(order_.tip));
    set("total_tip_received_set", order_.tip);
    out_.member("total_weight", weight()).member("updated_at", local_time(order_.shop, order_.updated)).key("user_id").null();
    address("billing_address");
    customer();
    discount_applications();
    fulfillments();
    out_.key("line_item_groups").begin_array();
    for (const auto& group : order_.groups) {
        out_.begin_object().member("id", group.id).member("title", group.title).member("quantity", group.quantity);
        out_.member("variant_id", group.bundle.variant_id)
            .member("variant_sku", group.bundle.sku)
            .member("product_id", group.bundle.product_id);
        out_.key("properties").begin_array().end_array().end_object();
    }
    out_.end_array().key("line_items").begin_array();
    for (const auto& line : order_.lines) {
        line_item(line);
    }
    out_.end_array();
    payment_terms();
    out_.key("refunds").begin_array();
    for (const auto& refund : order_.refunds) {
        refund_object(refund);
    }
    out_.end_array();
    returns();
    address("shipping_address");
    out_.key("shipping_lines").begin_array();
    for (const auto& line : order_.shipping) {
        shipping_line(line);
    }
    out_.end_array().end_object();
    return std::move(out_).take();
}

void BodyWriter::client_details() {
    out_.key("client_details").begin_object().member("accept_language", "en").key("browser_height").null();
    out_.member("browser_ip", "203.0.113.10").key("browser_width").null().key("session_hash").null();
    out_.member("user_agent", "Mozilla/5.0 (X11; Linux x86_64) loadgen").end_object();
}

void BodyWriter::company() {
    out_.key("company");
    if (order_.company_id == 0) {
        out_.null();
    } else {
        out_.begin_object().member("id", order_.company_id).member("location_id", order_.company_location_id).end_object();
    }
}

void BodyWriter::discount_codes() {
    out_.key("discount_codes").begin_array();
    for (std::size_t i = 0; i < order_.applications.size(); ++i) {
        const auto& application = order_.applications[i];
        if (application.type == "discount_code") {
            const bool shipping = application.target == "shipping_line";
            out_.begin_object().member("code", application.code).member("amount", shop_text(allocated(i)));
            out_.member("type", shipping ? "shipping" : application.value_type).end_object();
        }
    }
    out_.end_array();
}

Amount BodyWriter::allocated(std::size_t application) const {
    Amount total;
    const auto add = [&](const std::vector<Allocation>& allocations) {
        for (const auto& allocation : allocations) {
            total += allocation.application == application ? allocation.amount : Amount{};
        }
    };
    for (const auto& line : order_.lines) {
        add(line.allocations);
    }
    for (const auto& line : order_.shipping) {
        add(line.allocations);
    }
    return total;
}

void BodyWriter::discount_applications() {
    out_.key("discount_applications").begin_array();
    for (const auto& application : order_.applications) {
        out_.begin_object()
            .member("target_type", application.target)
            .member("type", application.type)
            .member("value", application.value);
        out_.member("value_type", application.value_type).member("allocation_method", application.method);
        out_.member("target_selection", application.selection);
        if (application.code.empty()) {
            out_.member("title", application.title);
        } else {
            out_.member("code", application.code);
        }
        out_.end_object();
    }
    out_.end_array();
}

void BodyWriter::order_tax_lines() {
    std::map<std::pair<std::string, Rate>, TaxLine> sums;
    const auto add = [&](const std::vector<TaxLine>& lines) {
        for (const auto& line : lines) {
            auto& sum = sums.try_emplace({line.tax.title, line.tax.rate}, TaxLine{line.tax, {}}).first->second;
            sum.amount += line.amount;
        }
    };
    for (const auto& line : order_.lines) {
        add(line.taxes);
    }
    for (const auto& line : order_.shipping) {
        add(line.taxes);
    }
    std::vector<TaxLine> lines;
    for (auto& [key, line] : sums) {
        lines.push_back(line);
    }
    tax_lines(lines);
}

Amount BodyWriter::outstanding(const Totals& totals) const {
    Amount owed = totals.current_total;
    for (const auto& transaction : order_.transactions) {
        owed = transaction.kind == "sale" && transaction.status == "success" ? owed - transaction.amount : owed;
    }
    for (const auto& refund : order_.refunds) {
        for (const auto& transaction : refund.transactions) {
            owed += transaction.amount;
        }
    }
    return {std::max<Minor>(owed.shop, 0), std::max<Minor>(owed.presentment, 0)};
}

std::int64_t BodyWriter::weight() const {
    std::int64_t grams = 0;
    for (const auto& line : order_.lines) {
        grams += line.product.grams * line.quantity;
    }
    return grams;
}

std::string_view BodyWriter::fulfillment_status() const {
    if (order_.fulfillments.empty()) {
        return "";
    }
    const bool all = std::ranges::all_of(order_.lines, [](const Line& line) { return line.shipped >= line.current_quantity(); });
    return all ? "fulfilled" : "partial";
}

void BodyWriter::address(std::string_view name) {
    out_.key(name);
    if (!order_.buyer) {
        out_.null();
        return;
    }
    out_.begin_object();
    address_members();
    out_.key("latitude").null().key("longitude").null().end_object();
}

void BodyWriter::address_members() {
    const auto& buyer = *order_.buyer;
    out_.member("first_name", buyer.first_name).member("last_name", buyer.last_name);
    out_.member("name", buyer.first_name + " " + buyer.last_name).member("address1", buyer.street).key("address2").null();
    optional("company", order_.company_name);
    out_.member("city", order_.place.city).member("zip", order_.place.zip);
    optional("province", order_.place.province_name);
    optional("province_code", order_.place.province);
    out_.member("country", order_.place.country_name).member("country_code", order_.place.country).member("phone", buyer.phone);
}

void BodyWriter::customer() {
    out_.key("customer");
    if (!order_.customer) {
        out_.null();
        return;
    }
    const auto& customer = *order_.customer;
    out_.begin_object().member("id", customer.id).member("email", customer.email);
    out_.member("created_at", "2025-01-13T01:27:40+00:00").member("updated_at", local_time(order_.shop, order_.created));
    out_.member("first_name", customer.first_name).member("last_name", customer.last_name).member("state", "disabled");
    out_.key("note").null().member("verified_email", true).key("multipass_identifier").null().member("tax_exempt", false);
    out_.member("phone", customer.phone)
        .key("sms_marketing_consent")
        .null()
        .member("tags", "")
        .member("currency", order_.shop.currency);
    out_.key("tax_exemptions").begin_array().end_array().member("admin_graphql_api_id", gid("Customer", customer.id));
    out_.key("default_address").begin_object().member("id", customer.id + 1).member("customer_id", customer.id);
    address_members();
    out_.member("country_name", order_.place.country_name).member("default", true).end_object().end_object();
}

void BodyWriter::shipping_line(const ShippingLine& line) {
    Amount current = line.net();
    for (const auto& refund : order_.refunds) {
        current = current - refund.shipping;
    }
    out_.begin_object().member("id", line.id).key("carrier_identifier").null().member("code", line.code);
    set("current_discounted_price_set", current);
    out_.member("discounted_price", shop_text(line.net()));
    set("discounted_price_set", line.net());
    out_.member("is_removed", false).key("phone").null().member("price", shop_text(line.price));
    set("price_set", line.price);
    out_.key("requested_fulfillment_service_id").null().member("source", "shopify").member("title", line.title);
    tax_lines(line.taxes);
    allocations(line.allocations);
    out_.end_object();
}

void BodyWriter::payment_terms() {
    out_.key("payment_terms");
    if (!order_.payment_terms) {
        out_.null();
        return;
    }
    const auto totals = totals_of(order_);
    out_.begin_object().member("id", order_.id + 5).member("payment_terms_name", "Net 30").member("payment_terms_type", "net");
    out_.member("due_in_days", 30).key("payment_schedules").begin_array().begin_object().member("id", order_.id + 6);
    out_.member("amount", presentment_text(totals.total)).member("currency", order_.presentment_currency);
    out_.member("issued_at", local_time(order_.shop, order_.created));
    out_.member("due_at", local_time(order_.shop, order_.created + std::chrono::days{30})).key("completed_at").null();
    out_.end_object().end_array().end_object();
}

void BodyWriter::fulfillments() {
    out_.key("fulfillments").begin_array();
    for (const auto& fulfillment : order_.fulfillments) {
        out_.begin_object().member("id", fulfillment.id).member("admin_graphql_api_id", gid("Fulfillment", fulfillment.id));
        out_.member("created_at", local_time(order_.shop, fulfillment.at))
            .member("location_id", std::uint64_t{9'990'000'000'000'001ULL});
        out_.member("name", fulfillment.name)
            .member("order_id", order_.id)
            .member("service", "manual")
            .key("shipment_status")
            .null();
        out_.member("status", "success")
            .member("tracking_company", "DHL Express")
            .member("tracking_number", fulfillment.tracking_number);
        out_.key("tracking_numbers").begin_array().string(fulfillment.tracking_number).end_array();
        out_.member("updated_at", local_time(order_.shop, fulfillment.at)).key("line_items").begin_array();
        for (const auto& [index, units] : fulfillment.lines) {
            const auto& line = order_.lines.at(index);
            out_.begin_object().member("id", line.id).member("sku", line.product.sku).member("quantity", units).end_object();
        }
        out_.end_array().end_object();
    }
    out_.end_array();
}

void BodyWriter::returns() {
    out_.key("returns").begin_array();
    for (const auto& refund : order_.refunds) {
        if (came_back(refund)) {
            out_.begin_object()
                .member("id", return_id_of(refund))
                .member("admin_graphql_api_id", gid("Return", return_id_of(refund)));
            out_.member("name", fmt::format("{}-R{}", order_.name(), refund.id % 50 / 10))
                .member("status", "closed")
                .end_object();
        }
    }
    out_.end_array();
}

}  // namespace loadgen
