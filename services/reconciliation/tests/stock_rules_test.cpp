#include <catch2/catch_test_macros.hpp>

#include "adapters/stock_mapping.h"
#include "snapshot/row_filters.h"
#include "tests/rows.h"

namespace {

using namespace reconciliation;
using reconciliation::testing::all;
using reconciliation::testing::ListRows;
using reconciliation::testing::OwnedRow;

constexpr std::string_view kMapping = R"(
sources:
  wms: {basis: physical, files: {folder: /data/wms, delimiter: tab, location: MAIN}}
  erp: {basis: net_of_own, files: {folder: /data/erp, complete: rename, columns: {sku: item, quantity: qty, location: place}}}
  till: {basis: net_of_all, a_later_key: {of: inventory-sync}}
shops:
  eu:
    locations:
      - {id: 11, from: [{source: wms, location: MAIN}, {source: wms, location: BACK}]}
      - {id: 12, from: [{source: erp, location: WH}, {source: till, location: T1}]}
    policies:
      - {buffer: 2}
      - {location: 11, hide_below: 3}
      - {sku: A-1, buffer: 0}
      - {sku: A-1, location: 11, minimum: 5}
)";

core::Decimal number(std::string_view text) {
    return core::Decimal::parse(text).value();
}

}  // namespace

TEST_CASE("stock rules: what a comparison needs is read from inventory-sync's mapping", "[unit]") {
    const auto rules = parse_stock_mapping(kMapping);
    REQUIRE(rules);
    CHECK(rules->quantity_of("eu", "11") == "on_hand");
    CHECK(rules->quantity_of("eu", "12") == "available");
    CHECK(rules->quantity_of("eu", "13").empty());
    CHECK(rules->quantity_of("us", "11").empty());
    const auto& eu = rules->shops.at("eu");
    CHECK(eu.fed_only_by("wms") == std::vector<std::string>{"11"});
    // Two sources feed it: neither's snapshot alone says what is there.
    CHECK(eu.fed_only_by("erp").empty());
    const auto& erp = *rules->sources.at("erp").files;
    CHECK(erp.by_rename);
    CHECK(erp.sku == "item");
    CHECK(erp.location == "place");
    CHECK(rules->sources.at("wms").files->delimiter == '\t');
    CHECK(rules->sources.at("wms").files->fixed_location == "MAIN");
    CHECK_FALSE(rules->sources.at("till").files);
}

TEST_CASE("stock rules: the narrower policy wins, member by member", "[unit]") {
    const auto rules = parse_stock_mapping(kMapping);
    REQUIRE(rules);
    const auto& eu = rules->shops.at("eu");
    CHECK(eu.policy_of("B", "12").buffer == number("2"));
    CHECK(eu.policy_of("B", "11").hide_below == number("3"));
    const auto narrow = eu.policy_of("A-1", "11");
    CHECK(narrow.buffer.is_zero());
    CHECK(narrow.hide_below == number("3"));
    CHECK(narrow.minimum == number("5"));
    CHECK(shown(number("4"), narrow) == number("5"));
    CHECK(shown(number("2"), narrow) == number("5"));
    CHECK(shown(number("7.9"), narrow) == number("7"));
}

TEST_CASE("stock rules: a mapping that does not fit is refused with its line", "[unit]") {
    for (const auto* wrong : {"", "[]", "sources: {}", "sources: {a: {}}\nshops: {}\n",
                              "sources: {a: {basis: physical}}\nshops: {eu: {locations: [{id: x, from: []}]}}\n",
                              "sources: {a: {basis: physical}}\nshops: {eu: {locations: [{id: 1, from: []}]}}\n",
                              "sources: {a: [\n", "sources: {a: {basis: physical}}\nshops: {eu: {policies: [{buffer: -1}]}}\n"}) {
        const auto rules = parse_stock_mapping(wrong);
        REQUIRE_FALSE(rules);
        CHECK(rules.error().code == "mapping_malformed");
    }
}

TEST_CASE("row filters: rows of some locations, and of some keys, in one pass", "[unit]") {
    const std::vector<OwnedRow> rows{{"A", "", "0"}, {"A", "1", "5"}, {"A", "2", "6"}, {"B", "1", "7"}, {"C", "2", "8"}};
    RowsOfLocations located(std::make_unique<ListRows>(rows), {"2"});
    const auto at_two = all(located);
    REQUIRE(at_two);
    CHECK(*at_two == std::vector<OwnedRow>{{"A", "", "0"}, {"A", "2", "6"}, {"C", "2", "8"}});
    RowsOfKeys keyed(std::make_unique<ListRows>(rows), std::make_unique<ListRows>(std::vector<OwnedRow>{
                                                           {"A", "2", "1"}, {"B", "0", "1"}, {"C", "2", "1"}, {"D", "1", "1"}}));
    const auto of_keys = all(keyed);
    REQUIRE(of_keys);
    CHECK(*of_keys == std::vector<OwnedRow>{{"A", "2", "6"}, {"C", "2", "8"}});
    RowsOfKeys none(std::make_unique<ListRows>(rows), std::make_unique<ListRows>(std::vector<OwnedRow>{}));
    CHECK(all(none)->empty());
}
