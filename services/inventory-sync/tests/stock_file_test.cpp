#include "domain/stock_file.h"

#include <catch2/catch_test_macros.hpp>
#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "adapters/sources/file_source.h"
#include "tests/kept_reports.h"
#include "tests/read_rows.h"
#include "tests/rig.h"

using namespace inventory_sync;
using namespace inventory_sync::testing;
using syncline::postgres::testing::Database;
namespace fs = std::filesystem;

namespace {

Read read(std::string_view text, FileRule rule = {.fixed_location = "MAIN"}, std::size_t piece = 1) {
    return read_rows<CsvRows>(text, rule, piece);
}

struct Folder {
    fs::path path = fs::temp_directory_path() / ("stock-file-test-" + core::uuid_v4());
    Folder() { fs::create_directories(path); }
    ~Folder() { fs::remove_all(path); }
    void put(const std::string& name, const std::string& text = {}) { std::ofstream(path / name, std::ios::binary) << text; }
};

std::string csv(int rows) {
    std::string text = "sku;quantity\n";
    for (int i = 0; i < rows; ++i) {
        text += "S" + std::to_string(i) + ";" + std::to_string(i) + "\n";
    }
    return text;
}

}  // namespace

TEST_CASE("stock file: rows are read whatever the pieces and quotes", "[inventory-sync][unit]") {
    constexpr std::string_view kText = "\xEF\xBB\xBFsku;name;quantity\r\n\"A;1\";\"say \"\"hi\"\"\n\";12.5\r\nB;;-3\r\n";
    for (const std::size_t piece : {1UL, 2UL, 7UL, 1000UL}) {
        const auto done = read(kText, {.fixed_location = "MAIN"}, piece);
        CHECK(done.code.empty());
        REQUIRE(done.rows.size() == 2);
        CHECK(done.rows[0].sku == "A;1");
        CHECK(done.rows[0].location == "MAIN");
        CHECK(done.rows[0].quantity.to_string() == "12.5");
        CHECK(done.rows[1].quantity == Decimal(-3));
    }
}

TEST_CASE("stock file: what is not whole or not understood is refused", "[inventory-sync][unit]") {
    CHECK(read("").code == "file_empty");
    CHECK(read("sku;quantity\n").code == "file_empty");
    CHECK(read("sku;quantity\nA;1\nB;2").code == "truncated");
    CHECK(read("sku;quantity\nA;1\nB;").code == "truncated");
    CHECK(read("sku;quantity\nA;1\n\"B").code == "truncated");
    CHECK(read("sku,quantity\nA,1\n").code == "columns_missing");
    CHECK(read("sku;quantity\nA;1;2\n").code == "row_malformed");
    CHECK(read("sku;quantity\nA;1\n\nB;1\n").code == "row_malformed");
    CHECK(read("sku;quantity\n;1\n").code == "row_malformed");
    CHECK(read("sku;quantity\nA;1,5\n").code == "quantity_malformed");
    CHECK(read("sku;quantity\nA;\n").code == "quantity_malformed");
    CHECK(read("sku;quantity\nA;1e20\n").code == "quantity_malformed");
    CHECK(read("sku;quantity\nA\xFF;1\n").code == "encoding_unknown");
    for (const std::size_t piece : {1, 2, 64}) {
        INFO("pieces of " << piece);
        CHECK(read(std::string_view("\xFF\xFEs\0k\0", 6), {}, piece).code == "encoding_unknown");
        CHECK(read("\xFF\xFEsku;quantity\nA;1\n", {}, piece).code == "encoding_unknown");
        CHECK(read("\xFE\xFFsku;quantity\nA;1\n", {}, piece).code == "encoding_unknown");
        CHECK(read("\xFF", {}, piece).code == "file_empty");
        CHECK(read("\xFFsku;quantity\nA;1\n", {}, piece).code == "encoding_unknown");
    }
    CHECK(read("sku;quantity\n\"" + std::string(100'000, 'x')).code == "row_too_long");
    FileRule comma{.decimal_comma = true, .fixed_location = "MAIN"};
    CHECK(read("sku;quantity\nA;1,5\n", comma).rows.at(0).quantity.to_string() == "1.5");
    CHECK(read("sku;quantity\nA;1.5\n", comma).code == "quantity_malformed");
}

TEST_CASE("stock file: a file that shrank too much is refused", "[inventory-sync][unit]") {
    CHECK(may_follow(70, 100, 70));
    CHECK(may_follow(69, 100, 70).error().code == "file_shrunken");
    CHECK(may_follow(1, 0, 70));
    CHECK(may_follow(1, 100, 0));
}

TEST_CASE("stock file: a folder's complete files are published and put away, bad ones refused with the reason",
          "[inventory-sync][postgres]") {
    if (!Database::available()) {
        SKIP(Database::kWhyNot);
    }
    Rig rig;
    Folder folder;
    KeptReports reports;
    FileSource source(rig.database.pool(), reports, rig.clock);
    const FolderRule rule{.folder = folder.path.string(), .file = {.fixed_location = "MAIN"}};
    const auto poll = [&] {
        auto done = source.poll("wms", Basis::physical, rule);
        REQUIRE(done);
        return *done;
    };
    folder.put("one.csv", csv(10));
    CHECK(poll().taken == 0);
    folder.put("one.csv.done");
    CHECK(poll().rows == 10);
    REQUIRE(reports.levels.size() == 10);
    CHECK(reports.levels[9].position == Position{.sku = "S9", .place = {.source = "wms", .location = "MAIN"}});
    CHECK(reports.levels[9].level.snapshot.starts_with("one.csv@"));
    CHECK(fs::exists(folder.path / "done" / "one.csv"));
    CHECK(!fs::exists(folder.path / "one.csv.done"));

    folder.put("two.csv", csv(3));
    folder.put("two.csv.done");
    CHECK(poll().refused == 1);
    CHECK(reports.levels.size() == 10);
    CHECK(fs::exists(folder.path / "refused" / "two.csv.reason"));
    folder.put("three.csv", csv(3));
    folder.put("three.csv.accept");
    folder.put("three.csv.done");
    CHECK(poll().taken == 1);
    CHECK(reports.levels.size() == 13);

    // A bad row late in the file: nothing of it is published.
    folder.put("four.csv", csv(10) + "X;many\n");
    folder.put("four.csv.done");
    CHECK(poll().refused == 1);
    CHECK(reports.levels.size() == 13);

    reports.broker_away = true;
    folder.put("five.csv", csv(4));
    folder.put("five.csv.done");
    CHECK(!source.poll("wms", Basis::physical, rule));
    CHECK(fs::exists(folder.path / "five.csv"));
    reports.broker_away = false;
    CHECK(poll().taken == 1);
    CHECK(!source.poll("wms", Basis::physical, {.folder = "/does/not/exist"}));
}

TEST_CASE("stock file: XML files are taken as XML, whole or not at all", "[inventory-sync][postgres]") {
    if (!Database::available()) {
        SKIP(Database::kWhyNot);
    }
    Rig rig;
    Folder folder;
    KeptReports reports;
    FileSource source(rig.database.pool(), reports, rig.clock);
    FolderRule rule{.folder = folder.path.string(), .file = {.format = FileFormat::xml, .row = "item", .fixed_location = "MAIN"}};
    const std::string row = "<item><sku>A</sku><quantity>3</quantity></item>";
    folder.put("one.xml", "<stock>" + row + "</stock>");
    folder.put("one.xml.done");
    folder.put("two.csv", csv(3));
    folder.put("two.csv.done");
    folder.put("three.xml", "<stock>" + row + row);
    folder.put("three.xml.done");
    const auto done = source.poll("wms", Basis::physical, rule);
    REQUIRE(done);
    CHECK(done->taken == 1);
    CHECK(done->refused == 1);
    REQUIRE(reports.levels.size() == 1);
    CHECK(reports.levels[0].level.quantity == Decimal(3));
    std::ifstream reason(folder.path / "refused" / "three.xml.reason");
    std::string text;
    std::getline(reason, text);
    CHECK(text.starts_with("truncated"));
    CHECK(fs::exists(folder.path / "two.csv"));
}
