// Every kind of order, read back from the bodies that are sent: what Shopify says in one member must follow from the others.
#include <syncline/json/document.h>
#include <catch2/catch_test_macros.hpp>
#include <map>
#include <string>

#include "src/workload.h"

namespace json = syncline::json;
using loadgen::Kind;
using syncline::core::Decimal;
using syncline::core::Rounding;

namespace {

loadgen::WorkloadOptions options_of(Kind kind, loadgen::Mix mix = loadgen::Mix::real) {
    loadgen::WorkloadOptions options;
    options.orders = 40;
    options.shops = {loadgen::shop_of("eu", "eu.example.com"), loadgen::shop_of("us", "us.example.com")};
    options.shares = loadgen::Shares{};
    options.shares.set(kind, 1);
    options.mix = mix;
    return options;
}

Decimal add(const Decimal& a, const Decimal& b) {
    return (a + b).value();
}
Decimal subtract(const Decimal& a, const Decimal& b) {
    return (a - b).value();
}
Decimal multiply(const Decimal& a, const Decimal& b) {
    return (a * b).value();
}

// One of the two moneys of an amount set.
Decimal amount(const json::Value& object, std::string_view set, std::string_view money) {
    const auto found = object.get_present(set);
    return found ? found->required(money)->decimal_of("amount").value() : Decimal{};
}

int places_of(const json::Value& root, std::string_view money) {
    const auto code = root.required("total_price_set")->required(money)->string_of("currency_code").value();
    return code == "JPY" ? 0 : 2;
}

Decimal discounts_of(const json::Value& line, std::string_view money) {
    Decimal total;
    for (const auto allocation : line.required("discount_allocations")->elements()) {
        total = add(total, amount(allocation, "amount_set", money));
    }
    return total;
}

// Checks each tax of a line against its rate and returns their sum.
Decimal checked_taxes(const json::Value& line, const Decimal& net, bool included, int places, std::string_view money) {
    Decimal rates;
    for (const auto tax : line.required("tax_lines")->elements()) {
        rates = add(rates, tax.decimal_of("rate").value());
    }
    Decimal total;
    for (const auto tax : line.required("tax_lines")->elements()) {
        const auto share = multiply(net, tax.decimal_of("rate").value());
        const auto expected = included ? share.divided_by(add(Decimal(1), rates), places, Rounding::half_up).value()
                                       : share.rounded(places, Rounding::half_up);
        const auto stated = amount(tax, "price_set", money);
        CHECK(stated == expected);
        total = add(total, stated);
    }
    return total;
}

void check_order(const json::Value& root, std::string_view money) {
    const bool included = root.boolean_of("taxes_included").value();
    const int places = places_of(root, money);
    Decimal items;
    Decimal discounts;
    Decimal subtotal;
    Decimal tax;
    Decimal duties;
    for (const auto line : root.required("line_items")->elements()) {
        const auto gross = multiply(amount(line, "price_set", money), Decimal(line.int64_of("quantity").value()));
        const auto off = discounts_of(line, money);
        CHECK(off <= gross);
        items = add(items, gross);
        discounts = add(discounts, off);
        subtotal = add(subtotal, subtract(gross, off));
        tax = add(tax, checked_taxes(line, subtract(gross, off), included, places, money));
        for (const auto duty : line.required("duties")->elements()) {
            duties = add(duties, duty.required(money)->decimal_of("amount").value());
        }
        CHECK(line.int64_of("current_quantity").value() >= 0);
        CHECK(line.int64_of("current_quantity").value() <= line.int64_of("quantity").value());
    }
    Decimal shipping;
    for (const auto line : root.required("shipping_lines")->elements()) {
        const auto off = discounts_of(line, money);
        const auto net = subtract(amount(line, "price_set", money), off);
        CHECK(net == amount(line, "discounted_price_set", money));
        discounts = add(discounts, off);
        shipping = add(shipping, net);
        tax = add(tax, checked_taxes(line, net, included, places, money));
    }
    CHECK(amount(root, "total_line_items_price_set", money) == items);
    CHECK(amount(root, "total_discounts_set", money) == discounts);
    CHECK(amount(root, "subtotal_price_set", money) == subtotal);
    CHECK(amount(root, "total_shipping_price_set", money) == shipping);
    CHECK(amount(root, "total_tax_set", money) == tax);
    auto total = add(add(subtotal, shipping), included ? Decimal{} : tax);
    total = add(total, duties);
    total = add(total, amount(root, "total_tip_received_set", money));
    total = add(total, amount(root, "original_total_additional_fees_set", money));
    CHECK(amount(root, "total_price_set", money) == total);
    Decimal listed;
    for (const auto line : root.required("tax_lines")->elements()) {
        listed = add(listed, amount(line, "price_set", money));
    }
    CHECK(listed == tax);

    // What is left after refunds is what was ordered less what was given back (edits aside).
    if (root.required("line_items")->size() > 0 && root.required("refunds")->size() > 0) {
        Decimal left = total;
        for (const auto refund : root.required("refunds")->elements()) {
            for (const auto line : refund.required("refund_line_items")->elements()) {
                left = subtract(left, amount(line, "subtotal_set", money));
                left = included ? left : subtract(left, amount(line, "total_tax_set", money));
            }
            for (const auto line : refund.required("refund_shipping_lines")->elements()) {
                left = subtract(left, amount(line, "subtotal_amount_set", money));
                left = included ? left : subtract(left, amount(line, "tax_amount_set", money));
            }
            for (const auto adjustment : refund.required("order_adjustments")->elements()) {
                if (adjustment.string_of("kind").value() == "shipping_refund") {
                    left = add(left, amount(adjustment, "amount_set", money));
                    left = add(left, amount(adjustment, "tax_amount_set", money));
                }
            }
        }
        CHECK(amount(root, "current_total_price_set", money) == left);
    }
}

}  // namespace

TEST_CASE("orders: of every kind, in both currencies, all totals follow from the lines", "[loadgen][unit]") {
    for (std::size_t k = 0; k < loadgen::kKinds; ++k) {
        const auto kind = static_cast<Kind>(k);
        auto options = options_of(kind);
        options.orders = kind == Kind::large ? 1 : 8;
        for (std::uint64_t order = 0; order < options.orders; ++order) {
            for (const auto& webhook : loadgen::story_of(options, order).webhooks) {
                if (!webhook.topic.starts_with("orders/") || webhook.topic == "orders/edited" ||
                    webhook.topic == "orders/delete" || webhook.topic == "orders/risk_assessment_changed") {
                    continue;
                }
                const auto document = json::Document::parse(webhook.body);
                REQUIRE(document.has_value());
                INFO(loadgen::to_string(kind) << " " << webhook.key << " " << webhook.topic);
                check_order(document->root(), "shop_money");
                check_order(document->root(), "presentment_money");
            }
        }
    }
}

TEST_CASE("orders: each kind is what its name says", "[loadgen][unit]") {
    const auto first_body = [](Kind kind, std::uint64_t order = 0) {
        return json::Document::parse(loadgen::story_of(options_of(kind), order).webhooks.front().body).value();
    };
    CHECK(first_body(Kind::guest).root().get("customer")->is_null());
    CHECK(first_body(Kind::test).root().boolean_of("test").value());
    CHECK(first_body(Kind::pos).root().string_of("source_name").value() == "pos");
    CHECK(first_body(Kind::draft).root().string_of("source_name").value() == "shopify_draft_order");
    CHECK(first_body(Kind::b2b).root().get("company")->is_object());
    CHECK(first_body(Kind::bundle).root().get("line_item_groups")->size() == 1);
    CHECK(first_body(Kind::large).root().get("line_items")->size() == 500);
    CHECK(first_body(Kind::zero_total).root().decimal_of("total_price").value().is_zero());
    CHECK_FALSE(first_body(Kind::tip).root().decimal_of("total_tip_received").value().is_zero());
    CHECK_FALSE(first_body(Kind::cancelled_before_export).root().get("cancelled_at")->is_null());
    const auto foreign = first_body(Kind::foreign_currency);
    CHECK(foreign.root().string_of("currency").value() != foreign.root().string_of("presentment_currency").value());
    const auto several = first_body(Kind::several_taxes, 1);
    CHECK((*several.root().get("line_items")->elements().begin()).get("tax_lines")->size() == 2);
    // Above 2^53, where a double would lose the last digit.
    const auto plain = first_body(Kind::plain);
    CHECK((*plain.root().get("line_items")->elements().begin()).uint64_of("id").value() > 9'007'199'254'740'992ULL);
}

TEST_CASE("orders: a refund's money is its lines, taxes and shipping less what did not move", "[loadgen][unit]") {
    for (const auto kind :
         {Kind::refund_full, Kind::refund_partial, Kind::refund_shipping, Kind::refund_no_restock, Kind::refund_discrepancy}) {
        const auto options = options_of(kind);
        for (std::uint64_t order = 0; order < options.orders; ++order) {
            const auto story = loadgen::story_of(options, order);
            INFO(loadgen::to_string(kind) << " " << story.order.key());
            REQUIRE_FALSE(story.order.refunds.empty());
            for (const auto& refund : story.order.refunds) {
                REQUIRE(refund.transactions.size() == 1);
                CHECK(refund.transactions.front().amount == loadgen::amount_of(story.order, refund));
            }
            if (kind == Kind::refund_full) {
                CHECK(loadgen::totals_of(story.order).current_total.is_zero());
            }
            if (kind == Kind::refund_partial) {
                CHECK(story.order.lines.front().current_quantity() == 0);
                CHECK(story.order.refunds.size() == 2);
            }
        }
    }
}

TEST_CASE("orders: both shops share ids and SKUs and differ in everything else", "[loadgen][unit]") {
    const auto options = options_of(Kind::plain);
    const auto eu = loadgen::story_of(options, 0).order;
    const auto us = loadgen::story_of(options, 1).order;
    CHECK(eu.shop.alias == "eu");
    CHECK(us.shop.alias == "us");
    CHECK(eu.id == us.id);
    CHECK(eu.lines.front().id == us.lines.front().id);
    CHECK(eu.email != us.email);
    CHECK(eu.taxes_included != us.taxes_included);
}

TEST_CASE("orders: every name of a person carries the mark that a search finds", "[loadgen][unit]") {
    for (std::uint64_t number = 0; number < 300; ++number) {
        const auto person = loadgen::person_of(loadgen::shop_of("eu", ""), number);
        CHECK(person.first_name.find("Zz") != std::string::npos);
        CHECK(person.last_name.find("Zz") != std::string::npos);
        CHECK(person.email.starts_with("zz."));
    }
}
