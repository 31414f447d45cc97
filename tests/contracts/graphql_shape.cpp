#include "graphql_shape.h"

#include <syncline/core/decimal.h>
#include <syncline/json/writer.h>
#include <algorithm>
#include <map>
#include <optional>
#include <string_view>
#include <utility>

namespace contracts {
namespace {

namespace json = syncline::json;
namespace core = syncline::core;

std::string upper(std::string_view text) {
    std::string out(text);
    std::ranges::transform(out, out.begin(), [](char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c; });
    return out;
}

std::string text_of(json::Value value) {
    if (value.is_string()) {
        return std::string(*value.string());
    }
    return value.is_number() ? std::string(*value.number_text()) : std::string();
}

class Shape {
public:
    explicit Shape(json::Value order) : order_(order) {}

    std::string take() {
        out_.begin_object();
        head();
        totals();
        list("taxLines", order_.get_present("tax_lines"), [&](json::Value tax) { tax_line(tax); });
        connection("lineItems", "line_items", [&](json::Value value) { line(value); });
        connection("shippingLines", "shipping_lines", [&](json::Value value) { shipping_line(value); });
        discounts();
        list("refunds", order_.get_present("refunds"), [&](json::Value value) { refund(value); });
        list("fulfillments", order_.get_present("fulfillments"), [&](json::Value value) { fulfillment(value); });
        connection("returns", "returns", [&](json::Value value) { order_return(value); });
        buyer();
        terms();
        out_.end_object();
        return std::move(out_).take();
    }

private:
    template <typename Each>
    void list(std::string_view name, std::optional<json::Value> from, Each&& each) {
        out_.key(name).begin_array();
        if (from) {
            for (const auto element : from->elements()) {
                each(element);
            }
        }
        out_.end_array();
    }
    template <typename Each>
    void nodes(std::string_view name, std::optional<json::Value> from, Each&& each) {
        out_.key(name).begin_object();
        list("nodes", from, each);
        out_.key("pageInfo").begin_object().member("hasNextPage", false).end_object();
        out_.end_object();
    }
    template <typename Each>
    void connection(std::string_view name, std::string_view from, Each&& each) {
        nodes(name, order_.get_present(from), each);
    }

    // As it stands; null where it is absent.
    void same(std::string_view name, json::Value object, std::string_view from) {
        out_.key(name);
        if (const auto value = object.get(from)) {
            out_.value(*value);
        } else {
            out_.null();
        }
    }
    void as_text(std::string_view name, json::Value object, std::string_view from) {
        out_.key(name);
        if (const auto value = object.get_present(from)) {
            out_.string(text_of(*value));
        } else {
            out_.null();
        }
    }
    void as_enum(std::string_view name, json::Value object, std::string_view from) {
        out_.key(name);
        if (const auto value = object.get_present(from)) {
            out_.string(upper(text_of(*value)));
        } else {
            out_.null();
        }
    }
    static std::string gid(std::string_view kind, std::string_view id) {
        return "gid://shopify/" + std::string(kind) + "/" + std::string(id);
    }
    void id(std::string_view kind, json::Value object, std::string_view from = "id", std::string_view name = "id") {
        if (const auto value = object.get_present(from)) {
            out_.member(name, gid(kind, text_of(*value)));
        }
    }
    void reference(std::string_view name, std::string_view kind, json::Value object, std::string_view from) {
        out_.key(name);
        if (const auto value = object.get_present(from)) {
            out_.begin_object().member("id", gid(kind, text_of(*value))).end_object();
        } else {
            out_.null();
        }
    }

    void money(std::string_view amount, std::string_view currency) {
        out_.begin_object().member("amount", amount).member("currencyCode", currency).end_object();
    }
    void bag(std::string_view shop_amount, std::string_view shop, std::string_view amount, std::string_view presentment) {
        out_.begin_object().key("shopMoney");
        money(shop_amount, shop);
        out_.key("presentmentMoney");
        money(amount, presentment);
        out_.end_object();
    }
    void pair(std::string_view name, json::Value object, std::string_view from) {
        out_.key(name);
        const auto set = object.get_present(from);
        if (!set || !set->get_present("shop_money")) {
            // Some bodies have only the bare amount in the shop's currency.
            const auto bare = from.ends_with("_set") ? object.get_present(from.substr(0, from.size() - 4)) : std::nullopt;
            if (!bare) {
                out_.null();
                return;
            }
            bag(text_of(*bare), currency(), text_of(*bare), currency());
            return;
        }
        const auto shop = *set->get_present("shop_money");
        const auto presentment = set->get_present("presentment_money").value_or(shop);
        const auto code = [](json::Value value) {
            return text_of(value.get_present("currency_code").value_or(value.get_present("currency").value_or(value)));
        };
        bag(text_of(*shop.get_present("amount")), code(shop), text_of(*presentment.get_present("amount")), code(presentment));
    }
    std::string currency() const { return text_of(*order_.get_present("currency")); }
    std::string presentment_currency() const {
        const auto given = order_.get_present("presentment_currency");
        return given ? text_of(*given) : currency();
    }

    void head() {
        id("Order", order_);
        for (const auto& [name, from] : {std::pair{"name", "name"},
                                         {"number", "order_number"},
                                         {"createdAt", "created_at"},
                                         {"processedAt", "processed_at"},
                                         {"updatedAt", "updated_at"},
                                         {"cancelledAt", "cancelled_at"},
                                         {"closedAt", "closed_at"},
                                         {"test", "test"},
                                         {"confirmed", "confirmed"},
                                         {"currencyCode", "currency"},
                                         {"taxesIncluded", "taxes_included"},
                                         {"taxExempt", "tax_exempt"},
                                         {"dutiesIncluded", "duties_included"},
                                         {"estimatedTaxes", "estimated_taxes"},
                                         {"paymentGatewayNames", "payment_gateway_names"},
                                         {"customerLocale", "customer_locale"},
                                         {"phone", "phone"},
                                         {"note", "note"}}) {
            same(name, order_, from);
        }
        out_.member("presentmentCurrencyCode", presentment_currency());
        as_text("totalWeight", order_, "total_weight");
        as_text("sourceName", order_, "source_name");
        as_text("sourceIdentifier", order_, "source_identifier");
        as_text("poNumber", order_, "po_number");
        as_enum("cancelReason", order_, "cancel_reason");
        as_enum("displayFinancialStatus", order_, "financial_status");
        const auto state = order_.get_present("fulfillment_status");
        const auto word = state ? text_of(*state) : std::string();
        out_.member("displayFulfillmentStatus", word.empty()        ? std::string("UNFULFILLED")
                                                : word == "partial" ? std::string("PARTIALLY_FULFILLED")
                                                                    : upper(word));
        const auto email = order_.get_present("email");
        as_text("email", order_, email && !text_of(*email).empty() ? "email" : "contact_email");
        reference("app", "App", order_, "app_id");
        reference("retailLocation", "Location", order_, "location_id");
        out_.key("tags").begin_array();
        const auto tags = order_.get_present("tags");
        std::string all = tags ? text_of(*tags) : std::string();
        for (std::size_t at = 0; at < all.size();) {
            const auto stop = std::min(all.find(", ", at), all.size());
            out_.string(std::string_view(all).substr(at, stop - at));
            at = stop + 2;
        }
        out_.end_array();
        list("discountCodes", order_.get_present("discount_codes"),
             [&](json::Value code) { out_.string(text_of(*code.get_present("code"))); });
        attributes("customAttributes", order_.get_present("note_attributes"));
    }

    void attributes(std::string_view name, std::optional<json::Value> from) {
        list(name, from, [&](json::Value attribute) {
            out_.begin_object();
            as_text("key", attribute, "name");
            as_text("value", attribute, "value");
            out_.end_object();
        });
    }

    void totals() {
        for (const auto& [name, from] : {std::pair{"subtotalPriceSet", "subtotal_price_set"},
                                         {"totalDiscountsSet", "total_discounts_set"},
                                         {"totalShippingPriceSet", "total_shipping_price_set"},
                                         {"totalTaxSet", "total_tax_set"},
                                         {"totalPriceSet", "total_price_set"},
                                         {"totalTipReceivedSet", "total_tip_received_set"},
                                         {"totalOutstandingSet", "total_outstanding_set"},
                                         {"originalTotalDutiesSet", "original_total_duties_set"},
                                         {"originalTotalAdditionalFeesSet", "original_total_additional_fees_set"},
                                         {"currentTotalDutiesSet", "current_total_duties_set"},
                                         {"currentTotalAdditionalFeesSet", "current_total_additional_fees_set"},
                                         {"currentSubtotalPriceSet", "current_subtotal_price_set"},
                                         {"currentTotalDiscountsSet", "current_total_discounts_set"},
                                         {"currentShippingPriceSet", "current_shipping_price_set"},
                                         {"currentTotalTaxSet", "current_total_tax_set"},
                                         {"currentTotalPriceSet", "current_total_price_set"}}) {
            pair(name, order_, from);
        }
        out_.key("totalCashRoundingAdjustment").begin_object();
        pair("paymentSet", order_, "total_cash_rounding_payment_adjustment_set");
        pair("refundSet", order_, "total_cash_rounding_refund_adjustment_set");
        out_.end_object();
    }

    void tax_line(json::Value tax) {
        out_.begin_object();
        same("title", tax, "title");
        same("rate", tax, "rate");
        same("channelLiable", tax, "channel_liable");
        pair("priceSet", tax, "price_set");
        out_.end_object();
    }
    void allocations(json::Value from) {
        list("discountAllocations", from.get_present("discount_allocations"), [&](json::Value allocation) {
            out_.begin_object();
            pair("allocatedAmountSet", allocation, "amount_set");
            out_.key("discountApplication").begin_object();
            same("index", allocation, "discount_application_index");
            out_.end_object().end_object();
        });
    }
    void line(json::Value from) {
        out_.begin_object();
        id("LineItem", from);
        for (const auto& [name, member] : {std::pair{"sku", "sku"},
                                           {"title", "title"},
                                           {"variantTitle", "variant_title"},
                                           {"name", "name"},
                                           {"vendor", "vendor"},
                                           {"quantity", "quantity"},
                                           {"currentQuantity", "current_quantity"},
                                           {"unfulfilledQuantity", "fulfillable_quantity"},
                                           {"taxable", "taxable"},
                                           {"requiresShipping", "requires_shipping"},
                                           {"isGiftCard", "gift_card"}}) {
            same(name, from, member);
        }
        reference("variant", "ProductVariant", from, "variant_id");
        reference("product", "Product", from, "product_id");
        line_group(from);
        if (const auto grams = from.get_present("grams")) {
            out_.key("weight").begin_object().key("value").value(*grams).member("unit", "GRAMS").end_object();
        }
        pair("originalUnitPriceSet", from, "price_set");
        pair("totalDiscountSet", from, "total_discount_set");
        allocations(from);
        list("taxLines", from.get_present("tax_lines"), [&](json::Value tax) { tax_line(tax); });
        list("duties", from.get_present("duties"), [&](json::Value duty) {
            out_.begin_object();
            id("Duty", duty);
            as_text("harmonizedSystemCode", duty, "harmonized_system_code");
            as_text("countryCodeOfOrigin", duty, "country_code_of_origin");
            const auto shop = *duty.get_present("shop_money");
            const auto presentment = duty.get_present("presentment_money").value_or(shop);
            out_.key("price");
            bag(text_of(*shop.get_present("amount")), text_of(*shop.get_present("currency_code")),
                text_of(*presentment.get_present("amount")), text_of(*presentment.get_present("currency_code")));
            list("taxLines", duty.get_present("tax_lines"), [&](json::Value tax) { tax_line(tax); });
            out_.end_object();
        });
        attributes("customAttributes", from.get_present("properties"));
        out_.end_object();
    }
    // GraphQL has the group at each of its lines, webhooks once at the order.
    void line_group(json::Value line) {
        out_.key("lineItemGroup");
        const auto id = line.get_present("sales_line_item_group_id");
        if (!id) {
            out_.null();
            return;
        }
        out_.begin_object().member("id", gid("LineItemGroup", text_of(*id)));
        if (const auto groups = order_.get_present("line_item_groups")) {
            for (const auto group : groups->elements()) {
                if (const auto own = group.get_present("id"); own && text_of(*own) == text_of(*id)) {
                    same("title", group, "title");
                    same("quantity", group, "quantity");
                    this->id("ProductVariant", group, "variant_id", "variantId");
                    same("variantSku", group, group.get_present("variant_sku") ? "variant_sku" : "sku");
                }
            }
        }
        out_.end_object();
    }
    void shipping_line(json::Value from) {
        out_.begin_object();
        id("ShippingLine", from);
        same("title", from, "title");
        same("code", from, "code");
        same("source", from, "source");
        as_text("carrierIdentifier", from, "carrier_identifier");
        same("isRemoved", from, "is_removed");
        pair("originalPriceSet", from, "price_set");
        pair("discountedPriceSet", from, "discounted_price_set");
        pair("currentDiscountedPriceSet", from, "current_discounted_price_set");
        allocations(from);
        list("taxLines", from.get_present("tax_lines"), [&](json::Value tax) { tax_line(tax); });
        out_.end_object();
    }
    void discounts() {
        static const std::map<std::string, std::string> kTypes{{"discount_code", "DiscountCodeApplication"},
                                                               {"automatic", "AutomaticDiscountApplication"},
                                                               {"manual", "ManualDiscountApplication"},
                                                               {"script", "ScriptDiscountApplication"}};
        std::int64_t index = 0;
        connection("discountApplications", "discount_applications", [&](json::Value from) {
            const auto type = text_of(*from.get_present("type"));
            out_.begin_object().member("__typename", kTypes.at(type)).member("index", index++);
            as_enum("allocationMethod", from, "allocation_method");
            as_enum("targetType", from, "target_type");
            as_enum("targetSelection", from, "target_selection");
            same(type == "discount_code" ? "code" : "title", from, type == "discount_code" ? "code" : "title");
            out_.key("value").begin_object();
            if (text_of(*from.get_present("value_type")) == "percentage") {
                out_.key("percentage").number(text_of(*from.get_present("value")));
            } else {
                out_.member("amount", text_of(*from.get_present("value"))).member("currencyCode", currency());
            }
            out_.end_object().end_object();
        });
    }
    void transaction(json::Value from) {
        out_.begin_object();
        id("OrderTransaction", from);
        as_enum("kind", from, "kind");
        as_enum("status", from, "status");
        as_enum("errorCode", from, "error_code");
        same("gateway", from, "gateway");
        same("test", from, "test");
        same("createdAt", from, "created_at");
        same("processedAt", from, "processed_at");
        as_text("paymentId", from, "payment_id");
        same("manualPaymentGateway", from, "manual_payment_gateway");
        reference("parentTransaction", "OrderTransaction", from, "parent_id");
        reference("location", "Location", from, "location_id");
        const auto amount = text_of(*from.get_present("amount"));
        const auto own = from.get_present("currency");
        out_.key("amountSet");
        bag(amount, own ? text_of(*own) : presentment_currency(), amount, own ? text_of(*own) : presentment_currency());
        pair("totalUnsettledSet", from, "total_unsettled_set");
        out_.end_object();
    }
    void refund(json::Value from) {
        out_.begin_object();
        id("Refund", from);
        same("createdAt", from, "created_at");
        same("processedAt", from, "processed_at");
        same("note", from, "note");
        out_.key("return");
        if (const auto back = from.get_present("return")) {
            out_.begin_object();
            id("Return", *back);
            out_.end_object();
        } else {
            out_.null();
        }
        nodes("refundLineItems", from.get_present("refund_line_items"), [&](json::Value element) {
            out_.begin_object();
            id("RefundLineItem", element);
            same("quantity", element, "quantity");
            as_enum("restockType", element, "restock_type");
            reference("lineItem", "LineItem", element, "line_item_id");
            reference("location", "Location", element, "location_id");
            pair("subtotalSet", element, "subtotal_set");
            pair("totalTaxSet", element, "total_tax_set");
            out_.end_object();
        });
        nodes("orderAdjustments", from.get_present("order_adjustments"), [&](json::Value element) {
            out_.begin_object();
            id("OrderAdjustment", element);
            const auto kind = element.get_present("kind");
            out_.key("reason");
            if (kind && text_of(*kind) == "refund_discrepancy") {
                out_.string("REFUND_DISCREPANCY");
            } else {
                out_.null();
            }
            pair("amountSet", element, "amount_set");
            pair("taxAmountSet", element, "tax_amount_set");
            out_.end_object();
        });
        nodes("refundShippingLines", from.get_present("refund_shipping_lines"), [&](json::Value element) {
            out_.begin_object();
            id("RefundShippingLine", element);
            reference("shippingLine", "ShippingLine", element, "shipping_line_id");
            pair("subtotalAmountSet", element, "subtotal_amount_set");
            pair("taxAmountSet", element, "tax_amount_set");
            out_.end_object();
        });
        nodes("transactions", from.get_present("transactions"), [&](json::Value element) { transaction(element); });
        list("duties", from.get_present("duties"), [&](json::Value element) {
            out_.begin_object();
            pair("amountSet", element, "amount_set");
            reference("originalDuty", "Duty", element, "duty_id");
            out_.end_object();
        });
        out_.end_object();
    }
    void fulfillment(json::Value from) {
        out_.begin_object();
        id("Fulfillment", from);
        same("name", from, "name");
        as_enum("status", from, "status");
        const auto shipment = from.get_present("shipment_status");
        out_.member("displayStatus", shipment ? upper(text_of(*shipment)) : std::string("FULFILLED"));
        same("createdAt", from, "created_at");
        reference("location", "Location", from, "location_id");
        list("trackingInfo", from.get_present("tracking_numbers"), [&](json::Value number) {
            out_.begin_object();
            same("company", from, "tracking_company");
            out_.member("number", text_of(number)).end_object();
        });
        nodes("fulfillmentLineItems", from.get_present("line_items"), [&](json::Value element) {
            out_.begin_object();
            same("quantity", element, "quantity");
            reference("lineItem", "LineItem", element, "id");
            out_.end_object();
        });
        out_.end_object();
    }
    void order_return(json::Value from) {
        out_.begin_object();
        id("Return", from);
        same("name", from, "name");
        as_enum("status", from, "status");
        nodes("exchangeLineItems", from.get_present("exchange_line_items"), [&](json::Value element) {
            out_.begin_object().key("lineItems").begin_array().begin_object();
            id("LineItem", element, element.get_present("line_item_id") ? "line_item_id" : "id");
            out_.end_object().end_array().end_object();
        });
        out_.end_object();
    }
    void address(std::string_view name, std::string_view member) {
        out_.key(name);
        const auto from = order_.get_present(member);
        if (!from) {
            out_.null();
            return;
        }
        out_.begin_object();
        for (const auto& [to, what] : {std::pair{"name", "name"},
                                       {"firstName", "first_name"},
                                       {"lastName", "last_name"},
                                       {"company", "company"},
                                       {"address1", "address1"},
                                       {"address2", "address2"},
                                       {"city", "city"},
                                       {"zip", "zip"},
                                       {"province", "province"},
                                       {"provinceCode", "province_code"},
                                       {"country", "country"},
                                       {"countryCodeV2", "country_code"},
                                       {"phone", "phone"}}) {
            as_text(to, *from, what);
        }
        out_.end_object();
    }
    void buyer() {
        out_.key("customer");
        if (const auto customer = order_.get_present("customer")) {
            out_.begin_object();
            id("Customer", *customer);
            same("firstName", *customer, "first_name");
            same("lastName", *customer, "last_name");
            for (const auto& [to, member, from] : {std::tuple{"defaultEmailAddress", "emailAddress", "email"},
                                                   std::tuple{"defaultPhoneNumber", "phoneNumber", "phone"}}) {
                out_.key(to);
                if (customer->get_present(from)) {
                    out_.begin_object();
                    as_text(member, *customer, from);
                    out_.end_object();
                } else {
                    out_.null();
                }
            }
            out_.end_object();
        } else {
            out_.null();
        }
        if (const auto company = order_.get_present("company")) {
            out_.key("purchasingEntity").begin_object().member("__typename", "PurchasingCompany");
            reference("company", "Company", *company, "id");
            reference("location", "CompanyLocation", *company, "location_id");
            out_.end_object();
        }
        address("billingAddress", "billing_address");
        address("shippingAddress", "shipping_address");
    }
    void terms() {
        const auto from = order_.get_present("payment_terms");
        if (!from || !from->is_object()) {
            return;
        }
        out_.key("paymentTerms").begin_object();
        same("paymentTermsName", *from, "payment_terms_name");
        nodes("paymentSchedules", from->get_present("payment_schedules"), [&](json::Value element) {
            out_.begin_object();
            id("PaymentSchedule", element);
            same("dueAt", element, "due_at");
            same("issuedAt", element, "issued_at");
            same("completedAt", element, "completed_at");
            const auto own = element.get_present("currency");
            out_.key("totalBalance");
            money(text_of(*element.get_present("amount")), own ? text_of(*own) : presentment_currency());
            out_.end_object();
        });
        out_.end_object();
    }

    json::Value order_;
    json::Writer out_;
};

}  // namespace

std::string graphql_shape(json::Value webhook_order) {
    return Shape(webhook_order).take();
}

}  // namespace contracts
