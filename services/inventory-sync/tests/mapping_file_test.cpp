#include "adapters/mapping_file.h"

#include <catch2/catch_test_macros.hpp>
#include <catch2/matchers/catch_matchers_string.hpp>
#include <fstream>
#include <sstream>

using namespace inventory_sync;
using Catch::Matchers::ContainsSubstring;
using namespace std::chrono_literals;

namespace {

constexpr std::string_view kGood = R"(
sources:
  wms: {basis: physical, shipment_lag: -5m, order_lag: 90s, units: {box: 12, kg: 0.5},
        files: {folder: /in, delimiter: tab, decimal: comma, columns: {sku: Artikel, location: Lager}, shrink_refused_below: 50}}
  erp: {basis: net_of_own}
shops:
  eu:
    locations:
      - {id: 124656943, from: [{source: wms, location: A1}, {source: wms, location: A2}]}
      - id: 7
        from: [{source: erp, location: WH/Stock}]
    policies:
      - {buffer: 2}
      - {location: 7, hide_below: 3}
      - {sku: SHIRT, minimum: 1}
      - {sku: SHIRT, location: 7, buffer: 0}
ignored:
  - {source: wms, location: QUARANTINE}
)";

std::string refusal(std::string_view yaml) {
    const auto rules = parse_mapping(yaml);
    REQUIRE(!rules);
    CHECK(rules.error().code == "mapping_malformed");
    return rules.error().message;
}

std::string changed(std::string_view from, std::string_view to) {
    std::string text(kGood);
    const auto at = text.find(from);
    REQUIRE(at != std::string::npos);
    return text.replace(at, from.size(), to);
}

}  // namespace

TEST_CASE("stock mapping: a good file is read whole", "[inventory-sync][unit]") {
    const auto rules = parse_mapping(kGood);
    REQUIRE(rules);
    CHECK(rules->sources.at("wms").shipment_lag == -5min);
    CHECK(rules->sources.at("wms").order_lag == 90s);
    CHECK(rules->sources.at("wms").units.at("kg") == *Decimal::parse("0.5"));
    const auto& files = rules->sources.at("wms").files;
    REQUIRE(files);
    CHECK(files->file.delimiter == '\t');
    CHECK(files->file.decimal_comma);
    CHECK(files->file.sku == "Artikel");
    CHECK(files->file.quantity == "quantity");
    CHECK(files->file.shrink_refused_below == 50);
    CHECK(!files->by_rename);
    const auto& eu = rules->shops.at("eu");
    CHECK(eu.priority_location() == 124656943);
    CHECK(eu.locations[0].from.size() == 2);
    CHECK(eu.shown_by("SHIRT", 7).buffer == 0);
    CHECK(eu.shown_by("SHIRT", 7).minimum == 1);
    CHECK(eu.shown_by("SHIRT", 7).hide_below == 3);
    CHECK(eu.shown_by("OTHER", 124656943).buffer == 2);
    CHECK(rules->is_mapped({"erp", "WH/Stock"}));
    CHECK(!rules->is_mapped({"erp", "A1"}));
    CHECK(rules->ignored.contains({"wms", "QUARANTINE"}));
}

TEST_CASE("stock mapping: what is wrong is named with its line", "[inventory-sync][unit]") {
    CHECK_THAT(refusal(changed("basis: physical", "basis: fisical")), ContainsSubstring("line 3") && ContainsSubstring("basis"));
    CHECK_THAT(refusal(changed("basis: physical, ", "")), ContainsSubstring("needs basis"));
    CHECK_THAT(refusal(changed("id: 7", "id: 124656943")), ContainsSubstring("stands twice"));
    CHECK_THAT(refusal(changed("id: 7", "id: gid://shopify/Location/7")), ContainsSubstring("location id"));
    CHECK_THAT(refusal(changed("source: erp, location: WH/Stock", "source: odoo, location: WH")), ContainsSubstring("odoo"));
    CHECK_THAT(refusal(changed("{source: wms, location: A2}", "{source: erp, location: A2}")), ContainsSubstring("basis"));
    CHECK_THAT(refusal(changed("{source: wms, location: A2}", "{source: wms, location: A1}")), ContainsSubstring("twice"));
    CHECK_THAT(refusal(changed("buffer: 2", "buffer: -2")), ContainsSubstring("0 to"));
    CHECK_THAT(refusal(changed("buffer: 2", "buffr: 2")), ContainsSubstring("unknown key"));
    CHECK_THAT(refusal(changed("location: 7, hide_below", "location: 8, hide_below")), ContainsSubstring("not under locations"));
    CHECK_THAT(refusal(changed("-5m", "5 minutes")), ContainsSubstring("shipment_lag"));
    CHECK_THAT(refusal(changed("-5m", "900h")), ContainsSubstring("seven days"));
    CHECK_THAT(refusal(changed("box: 12", "box: 0")), ContainsSubstring("above 0"));
    CHECK_THAT(refusal(changed("QUARANTINE", "A1")), ContainsSubstring("feeds a location"));
    CHECK_THAT(refusal(changed("  eu:", "  EU_1:")), ContainsSubstring("alias"));
    CHECK_THAT(refusal(changed("ignored:", "sources:")), ContainsSubstring("twice"));
    CHECK_THAT(refusal(changed("/in", "in")), ContainsSubstring("absolute"));
    CHECK_THAT(refusal(changed("delimiter: tab", "delimiter: x")), ContainsSubstring("delimiter"));
    CHECK_THAT(refusal(changed(", location: Lager", "")), ContainsSubstring("either"));
    CHECK(!refusal("").empty());
    CHECK(!refusal("shops: [").empty());
    CHECK(!refusal("[]").empty());
}

TEST_CASE("stock mapping: sources that are asked are read with their defaults, and what is missing is named",
          "[inventory-sync][unit]") {
    const std::string key = "SHA256:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";
    const auto file = [](const std::string& source) {
        return "sources:\n  one: {basis: physical, " + source +
               "}\nshops:\n  eu: {locations: [{id: 1, from: [{source: one, location: WH}]}]}\n";
    };
    const auto odoo = parse_mapping(file(
        "odoo: {url: 'https://erp.example.com/', database: prod, api_key_file: /run/key, companies: [1, 3], locations: {WH: 8}, "
        "every: 90s, overlap: 5m}"));
    REQUIRE(odoo);
    const auto& asked = *odoo->sources.at("one").odoo;
    CHECK(asked.url == "https://erp.example.com");
    CHECK(asked.companies == std::vector<std::int64_t>{1, 3});
    CHECK(asked.locations.at("WH") == 8);
    CHECK(asked.every == 90s);
    CHECK(asked.overlap == 5min);
    CHECK(asked.whole_every == 24h);
    CHECK_THAT(refusal(file("odoo: {url: 'ftp://erp', api_key_file: /run/key}")), ContainsSubstring("https://"));
    CHECK_THAT(refusal(file("odoo: {url: 'https://erp'}")), ContainsSubstring("api_key_file"));
    CHECK_THAT(refusal(file("odoo: {url: 'https://erp', api_key_file: key}")), ContainsSubstring("absolute"));
    CHECK_THAT(refusal(file("odoo: {url: 'https://erp', api_key_file: /k, every: 0s}")), ContainsSubstring("at least"));
    CHECK_THAT(refusal(file("odoo: {url: 'https://erp', api_key_file: /k}, files: {folder: /in, location: WH}")),
               ContainsSubstring("either"));

    const auto fetched = [&](const std::string& more) {
        return file(
            "files: {folder: /in, format: xml, row: item, location: WH, sftp: {host: sftp.example.com, user: u, path: /out/, "
            "host_key: '" +
            key + "'" + more + "}}");
    };
    const auto sftp = parse_mapping(fetched(", key_file: /run/key, after: delete"));
    REQUIRE(sftp);
    const auto& files = *sftp->sources.at("one").files;
    CHECK(files.file.format == FileFormat::xml);
    CHECK(files.sftp->path == "/out");
    CHECK(files.sftp->host_key == key.substr(7));
    CHECK(files.sftp->delete_after);
    CHECK(files.sftp->port == 22);
    CHECK_THAT(refusal(fetched("")), ContainsSubstring("either key_file or password_file"));
    CHECK_THAT(refusal(fetched(", key_file: /k, password_file: /p")), ContainsSubstring("either"));
    CHECK_THAT(refusal(fetched(", key_file: /k, after: move")), ContainsSubstring("keep or delete"));
    CHECK_THAT(
        refusal(file("files: {folder: /in, location: WH, sftp: {host: h, user: u, path: /o, host_key: md5, key_file: /k}}")),
        ContainsSubstring("SHA256"));
    CHECK_THAT(refusal(file("files: {folder: /in, location: WH, sftp: {host: 'h/x', user: u, path: /o, host_key: '" + key +
                            "', key_file: /k}}")),
               ContainsSubstring("host"));
    CHECK_THAT(refusal(file("files: {folder: /in, location: WH, format: xml}")), ContainsSubstring("row"));
    CHECK_THAT(refusal(file("files: {folder: /in, location: WH, format: xml, row: r, delimiter: tab}")),
               ContainsSubstring("delimiter"));
    CHECK_THAT(refusal(file("files: {folder: /in, location: WH, row: r}")), ContainsSubstring("format xml"));
}

TEST_CASE("stock mapping: the documented example is a good file", "[inventory-sync][unit]") {
    std::ostringstream text;
    text << std::ifstream(INVENTORY_SYNC_EXAMPLE_MAPPING).rdbuf();
    const auto rules = parse_mapping(text.str());
    INFO((rules ? std::string() : rules.error().message));
    REQUIRE(rules);
    CHECK(rules->shops.contains("eu"));
    CHECK(rules->sources.contains("wms-north"));
}
