#include "adapters/sources/xml_rows.h"

#include <catch2/catch_test_macros.hpp>
#include <fstream>
#include <string>

#include "tests/read_rows.h"

using namespace inventory_sync;
using namespace inventory_sync::testing;

namespace {

FileRule items(std::string location = {}) {
    FileRule rule{.format = FileFormat::xml, .row = "item"};
    rule.location = std::move(location);
    if (rule.location.empty()) {
        rule.fixed_location = "MAIN";
    }
    return rule;
}

Read read(std::string_view text, const FileRule& rule = items(), std::size_t piece = 3) {
    return read_rows<XmlRows>(text, rule, piece);
}

std::string stock(const std::string& inner) {
    return "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<stock>" + inner + "</stock>";
}

// Of this process, in MiB.
long resident() {
    std::ifstream in("/proc/self/statm");
    long total = 0;
    long pages = 0;
    in >> total >> pages;
    return pages * 4 / 1024;
}

}  // namespace

TEST_CASE("XML file: rows are read from elements, attributes and what stands around them, whatever the pieces",
          "[inventory-sync][unit]") {
    constexpr std::string_view kText = R"(<?xml version="1.0" encoding="UTF-8"?>
<w:stock xmlns:w="urn:w"><!-- nightly -->
  <warehouse code="N&amp;O">
    <item id="A &lt; 1"><name>Shirt</name><qty><![CDATA[ 12.5 ]]></qty></item>
    <item id="B"><qty>-3</qty><note><deep>x</deep></note></item>
  </warehouse>
  <warehouse code="S"><w:item id="A &lt; 1"><w:qty>7</w:qty></w:item></warehouse>
</w:stock>)";
    auto rule = items("warehouse@code");
    rule.sku = "@id";
    rule.quantity = "qty";
    for (const std::size_t piece : {1UL, 5UL, 10'000UL}) {
        const auto done = read(kText, rule, piece);
        CHECK(done.code.empty());
        REQUIRE(done.rows.size() == 3);
        CHECK(done.rows[0].sku == "A < 1");
        CHECK(done.rows[0].location == "N&O");
        CHECK(done.rows[0].quantity.to_string() == "12.5");
        CHECK(done.rows[1].quantity == Decimal(-3));
        CHECK(done.rows[2].location == "S");
    }
    CHECK(read("<stock><item><sku>\xC3\xBC</sku><quantity>1</quantity></item></stock>").rows.at(0).sku == "\xC3\xBC");
    CHECK(read("<?xml version=\"1.0\" encoding=\"ISO-8859-1\"?><s><item><sku>\xFC</sku><quantity>1</quantity></item></s>")
              .rows.at(0)
              .sku == "\xC3\xBC");
}

TEST_CASE("XML file: what is not whole or not understood is refused", "[inventory-sync][unit]") {
    const std::string good = "<item><sku>A</sku><quantity>1</quantity></item>";
    CHECK(read(stock(good)).rows.size() == 1);
    CHECK(read("").code == "file_empty");
    CHECK(read(stock("")).code == "file_empty");
    CHECK(read(stock("<line><sku>A</sku></line>")).code == "file_empty");
    const auto whole = stock(good + good);
    for (const std::size_t cut : {whole.size() - 1, whole.size() - 8, whole.size() - 20, std::size_t{30}, std::size_t{60}}) {
        CHECK(read(whole.substr(0, cut)).code == "truncated");
    }
    CHECK(read(whole + "<more/>").code == "xml_malformed");
    CHECK(read("sku;quantity\nA;1\n").code == "xml_malformed");
    CHECK(read(stock("<item><sku>A</sku></item>")).code == "columns_missing");
    CHECK(read(stock("<item><sku></sku><quantity>1</quantity></item>")).code == "row_malformed");
    CHECK(read(stock("<item><sku>A</sku><sku>B</sku><quantity>1</quantity></item>")).code == "row_malformed");
    CHECK(read(stock("<item><sku>A<b/>B</sku><quantity>1</quantity></item>")).code == "row_malformed");
    CHECK(read(stock("<item>" + good + "</item>")).code == "row_malformed");
    CHECK(read(stock("<item><sku>A</sku><quantity>1,5</quantity></item>")).code == "quantity_malformed");
    CHECK(read(stock("<item><sku>A</sku><quantity>1e20</quantity></item>")).code == "quantity_malformed");
    CHECK(read("<?xml version=\"1.0\" encoding=\"KLINGON\"?><s/>").code == "encoding_unknown");
    CHECK(read(stock("<item><sku>A\xFF</sku><quantity>1</quantity></item>")).code == "xml_malformed");
}

TEST_CASE("XML file: hostile files are refused in little memory", "[inventory-sync][unit]") {
    const auto before = resident();
    CHECK(read("<?xml version=\"1.0\"?><!DOCTYPE s [<!ENTITY a \"aaaa\"><!ENTITY b \"&a;&a;&a;\">]><s>&b;</s>").code ==
          "doctype_refused");
    CHECK(read("<!DOCTYPE s SYSTEM \"http://127.0.0.1/evil.dtd\"><s/>").code == "doctype_refused");
    CHECK(read("<!DOCTYPE s [<!ENTITY x SYSTEM \"file:///etc/passwd\">]><s><item><sku>&x;</sku></item></s>").code ==
          "doctype_refused");
    CHECK(read("<s><item><sku>&x;</sku><quantity>1</quantity></item></s>").code == "xml_malformed");
    std::string deep;
    for (int i = 0; i < 100'000; ++i) {
        deep += "<a>";
    }
    CHECK(read(deep, items(), 4096).code == "nesting_too_deep");
    const std::string megabyte(1024UL * 1024, 'x');
    CHECK(read("<s><item><sku>" + megabyte, items(), 65536).code == "row_too_long");
    // A tag and a comment that never end.
    CHECK(read("<s><item a=\"" + megabyte + megabyte + megabyte, items(), 65536).code == "row_too_long");
    CHECK(read("<s><!--" + megabyte + megabyte + megabyte, items(), 65536).code == "row_too_long");
    CHECK(resident() - before < 64);
}

TEST_CASE("XML file: a hundred thousand rows need no more memory than one", "[inventory-sync][unit]") {
    const auto rule = items();
    XmlRows rows(rule);
    std::uint64_t taken = 0;
    const RowReader::Take take = [&](const FileRow&) {
        ++taken;
        return core::Result<void>{};
    };
    REQUIRE(rows.feed("<stock>", take));
    std::string piece;
    for (int i = 0; i < 1'000; ++i) {
        piece += "<item><sku>SKU-" + std::to_string(i) + "</sku><quantity>" + std::to_string(i) + "</quantity></item>\n";
    }
    REQUIRE(rows.feed(piece, take));
    const auto before = resident();
    for (int i = 1; i < 100; ++i) {
        REQUIRE(rows.feed(piece, take));
    }
    REQUIRE(rows.feed("</stock>", take));
    REQUIRE(rows.finish(take));
    CHECK(taken == 100'000);
    CHECK(resident() - before < 8);
}
