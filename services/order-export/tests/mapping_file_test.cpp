#include "adapters/mapping_file.h"

#include <catch2/catch_test_macros.hpp>

#include "tests/fakes.h"

using namespace order_export;
using namespace order_export::testing;

TEST_CASE("mapping file: what cannot be read is refused whole, with line and key", "[order-export][unit]") {
    struct Bad {
        const char* yaml;
        const char* says;
    };
    for (const auto& [yaml, says] :
         {Bad{"taxs: []", "unknown key taxs"}, Bad{"taxes:\n  - {country: FR, rate: twenty, tax: 1}", "line 2"},
          Bad{"taxes:\n  - {country: FR, rate: 20, tax: account.tax_20}", "database id"},
          Bad{"taxes:\n  - {country: FR, rate: 20}", "taxes[].tax"}, Bad{"pricelists: {EUR: -1}", "pricelists.EUR"},
          Bad{"lines: {shiping: 1}", "unknown key lines.shiping"}, Bad{"confirm: {when: [payed]}", "payed"},
          Bad{"confirm: {risk: {on_silence: maybe}}", "on_silence"}, Bad{"confirm: {risk: {wait_seconds: -1}}", "wait_seconds"},
          Bad{"totals: {within_allowance: ignore}", "within_allowance"}, Bad{"export: {pos: perhaps}", "pos"},
          Bad{"a: [", "line"}, Bad{"- 1", "map"}}) {
        CAPTURE(yaml);
        const auto rules = parse_mapping(yaml);
        REQUIRE(!rules);
        CHECK(rules.error().code == "mapping_malformed");
        CHECK(rules.error().message.find(says) != std::string::npos);
    }
}

TEST_CASE("mapping file: an empty file has the defaults", "[order-export][unit]") {
    const auto rules = parse_mapping("");
    REQUIRE(rules);
    CHECK(!rules->export_pos);
    CHECK(rules->export_drafts);
    CHECK(!rules->create_cancelled);
    CHECK(rules->match_email);
    CHECK(rules->totals.allowance_per_tax_line == dec("0.01"));
}

TEST_CASE("mapping file: every table is read", "[order-export][unit]") {
    const auto rules = parse_mapping(R"(
shops: {eu: {company: 3, country: FR, language: fr_FR}}
pricelists: {EUR: 1}
taxes:
  - {country: FR, rate: 5.5, included: true, tax: 7}
  - {country: US, province: NY, rate: 8.875, channel_liable: true, title: NY Tax, tax: none}
tax_fallback: {excluded: 9}
warehouses: [{shop: eu, location: 88, warehouse: 4}]
products: {"AB-1": 55, "variant:7": 56}
look_up_sku: false
lines: {shipping: 10, gift_card: 11}
customers: {match_email: false}
export: {pos: true, cancelled: true, excluded_sources: ["580111"]}
confirm: {when: [paid, authorized], risk: {wait_seconds: 600, on_silence: leave, levels: {medium: hold}}}
totals: {allowance_per_tax_line: 0.02, within_allowance: rounding_line}
refunds: {journal: 12}
)");
    REQUIRE(rules);
    CHECK(rules->shops.at("eu").company == "3");
    CHECK(rules->taxes[0].rate == dec("0.055"));
    CHECK(rules->taxes[0].target == "7");
    CHECK(!rules->taxes[1].target);
    CHECK(rules->taxes[1].province == "NY");
    CHECK(rules->fallback_excluded == "9");
    CHECK(!rules->fallback_included);
    CHECK(rules->warehouses[0].location_id == 88);
    CHECK(rules->products.at("variant:7") == "56");
    CHECK(!rules->look_up_sku);
    CHECK(rules->extras.at(Extra::gift_card) == "11");
    CHECK(!rules->match_email);
    CHECK(rules->export_pos);
    CHECK(rules->create_cancelled);
    CHECK(rules->confirm.statuses == std::set{FinancialStatus::paid, FinancialStatus::authorized});
    CHECK(rules->confirm.risk_wait == 600s);
    CHECK(rules->confirm.on_silence == RiskAnswer::leave);
    CHECK(rules->confirm.levels.at(RiskLevel::medium) == RiskAnswer::hold);
    CHECK(rules->totals.within_allowance == Difference::rounding_line);
    CHECK(rules->refund_journal == "12");
}
