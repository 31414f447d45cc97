#include <catch2/catch_test_macros.hpp>

#include "tests/fakes.h"

using namespace order_export;
using namespace order_export::testing;

namespace {

TaxLine tax(std::string_view rate, bool included = false, std::string title = {}) {
    return {.title = std::move(title), .rate = dec(rate), .amount = dec("1"), .included = included, .channel_liable = false};
}

}  // namespace

TEST_CASE("rules: a tax that no rule fits takes the explicit fallback of its inclusion, or none", "[order-export][unit]") {
    Rules rules;
    CHECK(tax_of(rules, "FR", "", tax("0.2")).error().waits_for == "tax:FR/20.0/excl");
    rules.fallback_excluded = "1";
    CHECK(tax_of(rules, "FR", "", tax("0.2")).value() == "1");
    CHECK(tax_of(rules, "FR", "", tax("0.2", true)).error().waits_for == "tax:FR/20.0/incl");
    rules.fallback_included = "2";
    CHECK(tax_of(rules, "FR", "", tax("0.2", true)).value() == "2");
}

TEST_CASE("rules: the tax rule that says most wins, whatever the order in the file", "[order-export][unit]") {
    Rules rules;
    const auto rule = [&](std::string country, std::string province, std::string title, std::string target) {
        rules.taxes.push_back({.country = std::move(country),
                               .province = std::move(province),
                               .rate = dec("0.05"),
                               .included = false,
                               .channel_liable = false,
                               .title = std::move(title),
                               .target = std::move(target)});
    };
    rule("CA", "", "", "1");
    rule("CA", "QC", "", "2");
    rule("CA", "", "GST", "3");
    rule("", "", "", "4");
    CHECK(tax_of(rules, "CA", "ON", tax("0.05")).value() == "1");
    CHECK(tax_of(rules, "CA", "QC", tax("0.05")).value() == "2");
    CHECK(tax_of(rules, "CA", "QC", tax("0.05", false, "GST")).value() == "3");
    CHECK(tax_of(rules, "FR", "", tax("0.05")).value() == "4");
}

TEST_CASE("rules: a tax of zero percent is no tax unless the mapping knows better", "[order-export][unit]") {
    Rules rules;
    auto zero = tax("0");
    zero.amount = {};
    CHECK(tax_of(rules, "US", "", zero).value() == std::nullopt);
    rules.taxes.push_back(
        {.country = "US", .province = {}, .rate = {}, .included = false, .channel_liable = false, .title = {}, .target = "9"});
    CHECK(tax_of(rules, "US", "", zero).value() == "9");
}

TEST_CASE("rules: percents are written with at least one decimal", "[order-export][unit]") {
    CHECK(percent_text(dec("0.2")) == "20.0");
    CHECK(percent_text(dec("0.055")) == "5.5");
    CHECK(percent_text(dec("0.08875")) == "8.875");
    CHECK(percent_text(dec("0")) == "0.0");
}

TEST_CASE("rules: what is exported is a rule, and test orders never are", "[order-export][unit]") {
    auto rules = some_rules();
    auto order = an_order();
    CHECK(!exclusion(rules, order));
    order.source = "pos";
    CHECK(exclusion(rules, order) == "pos_order");
    rules.export_pos = true;
    CHECK(!exclusion(rules, order));
    order.test = true;
    CHECK(exclusion(rules, order) == "test_order");
    order = an_order();
    order.source = "shopify_draft_order";
    CHECK(!exclusion(rules, order));
    rules.export_drafts = false;
    CHECK(exclusion(rules, order) == "draft_order");
    order.source = "580111";
    rules.excluded_sources = {"580111"};
    CHECK(exclusion(rules, order) == "excluded_source");
    order.source = "web";
    order.total = {};
    CHECK(!exclusion(rules, order));
    rules.export_zero_total = false;
    CHECK(exclusion(rules, order) == "zero_total");
}

TEST_CASE("rules: the first warehouse rule whose conditions all hold decides", "[order-export][unit]") {
    Rules rules;
    auto order = an_order();
    CHECK(!warehouse_of(rules, order));
    rules.warehouses = {{.shop = "us", .country = {}, .source = {}, .location_id = 0, .target = "1"},
                        {.shop = {}, .country = "FR", .source = {}, .location_id = 8, .target = "2"},
                        {.shop = {}, .country = {}, .source = {}, .location_id = 0, .target = "3"}};
    CHECK(warehouse_of(rules, order) == "3");
    order.location_id = 8;
    CHECK(warehouse_of(rules, order) == "2");
    order.key.shop = core::ShopAlias("us");
    CHECK(warehouse_of(rules, order) == "1");
}

TEST_CASE("rules: a hold resolves when the entry it names is there", "[order-export][unit]") {
    Rules rules;
    for (const auto* waits_for :
         {"tax:FR/20.0/incl", "pricelist:USD", "product:AB/1", "line:tip", "", "nonsense", "line:nonsense"}) {
        CHECK(!resolves(rules, waits_for));
    }
    rules.pricelists["USD"] = "2";
    rules.products["AB/1"] = "3";
    rules.extras[Extra::tip] = "4";
    rules.taxes.push_back({.country = "FR",
                           .province = {},
                           .rate = dec("0.2"),
                           .included = true,
                           .channel_liable = false,
                           .title = {},
                           .target = "5"});
    for (const auto* waits_for : {"tax:FR/20.0/incl", "pricelist:USD", "product:AB/1", "line:tip"}) {
        CHECK(resolves(rules, waits_for));
    }
    CHECK(!resolves(rules, "tax:FR/20.0/excl"));
    CHECK(!resolves(rules, "tax:DE/20.0/incl"));
}
