#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>

#include <sys/resource.h>

#include <algorithm>
#include <fstream>
#include <random>

#include "snapshot/sorter.h"
#include "tests/rows.h"

namespace {

using namespace reconciliation;
using namespace reconciliation::testing;

core::Result<std::vector<OwnedRow>> sort_all(const std::vector<OwnedRow>& rows, std::size_t memory) {
    Sorter sorter({.folder = folder(), .memory_bytes = memory});
    for (const auto& row : rows) {
        if (auto added = sorter.add({.sku = row.sku,
                                     .location = row.location,
                                     .quantity = core::Decimal::parse(row.quantity).value(),
                                     .observed_at_ns = row.observed_at_ns,
                                     .item_id = row.item_id});
            !added) {
            return std::unexpected(added.error());
        }
    }
    auto sorted = sorter.finish();
    if (!sorted) {
        return std::unexpected(sorted.error());
    }
    return all(**sorted);
}

// Texts that agree in long beginnings, are beginnings of each other, and hold bytes above 127.
std::string awkward_text(std::mt19937& random, std::size_t size_max) {
    static const std::string kBytes = "aab\x20\xC3\xBC~";
    std::string text = random() % 2 == 0 ? "COMMON-BEGINNING-OF-MANY-SKUS-" : "";
    const auto size = random() % size_max;
    for (std::size_t at = 0; at < size; ++at) {
        text.push_back(kBytes[random() % kBytes.size()]);
    }
    return text.empty() ? "x" : text;
}

bool by_key(const OwnedRow& a, const OwnedRow& b) {
    return std::tie(a.sku, a.location) < std::tie(b.sku, b.location);
}

}  // namespace

TEST_CASE("sorter: any rows come back in order, all of them, equal keys as they came", "[reconciliation][unit]") {
    const auto seed = GENERATE(1U, 2U, 3U);
    const std::size_t memory = GENERATE(std::size_t{24} * 1024, std::size_t{4} * 1024 * 1024);
    std::mt19937 random(seed);
    std::vector<OwnedRow> rows;
    for (int at = 0; at < 20'000; ++at) {
        rows.push_back({.sku = awkward_text(random, 20),
                        .location = random() % 5 == 0 ? "" : awkward_text(random, 6),
                        .quantity = random() % 3 == 0 ? "-0.125" : std::to_string(random() % 100),
                        .observed_at_ns = static_cast<std::int64_t>(random()) * 1'000'000'007,
                        .item_id = at});
    }
    const auto sorted = sort_all(rows, memory);
    REQUIRE(sorted);
    std::ranges::stable_sort(rows, by_key);
    CHECK(*sorted == rows);
}

TEST_CASE("sorter: more runs than can be merged at once are merged in steps", "[reconciliation][unit]") {
    std::mt19937 random(9);
    std::vector<OwnedRow> rows;
    for (int at = 0; at < 20'000; ++at) {
        rows.push_back({.sku = "S" + std::to_string(random() % 9000), .location = "n", .quantity = "1", .item_id = at});
    }
    // Less than 100 rows a run: more than 200 runs.
    const auto sorted = sort_all(rows, 12UL * 1024);
    REQUIRE(sorted);
    std::ranges::stable_sort(rows, by_key);
    CHECK(*sorted == rows);
}

TEST_CASE("sorter: no row at all is sorted", "[reconciliation][unit]") {
    const auto sorted = sort_all({}, 64UL * 1024);
    REQUIRE(sorted);
    CHECK(sorted->empty());
}

TEST_CASE("sorter: a folder that is not there is an error, and so is a row that cannot be a key", "[reconciliation][unit]") {
    Sorter sorter({.folder = "/nonexistent/for/sure", .memory_bytes = 12UL * 1024});
    core::Result<void> added;
    for (int at = 0; at < 10'000 && added; ++at) {
        added = sorter.add({.sku = "S", .location = "n"});
    }
    REQUIRE_FALSE(added);
    CHECK(added.error().code == "spill_failed");
    Sorter other({.folder = folder()});
    CHECK(other.add({.sku = "", .location = "n"}).error().code == "snapshot_row");
    CHECK(other.add({.sku = std::string_view("a\0b", 3), .location = "n"}).error().code == "snapshot_row");
    CHECK(other.add({.sku = std::string(513, 'a'), .location = "n"}).error().code == "snapshot_row");
}

TEST_CASE("run file: half a file, or a changed byte, is refused", "[reconciliation][unit]") {
    const auto path = folder() + "/reconciliation-run-test";
    std::filesystem::remove(path);
    {
        auto file = SpillFile::open(path);
        REQUIRE(file);
        RunWriter writer(*file);
        for (int at = 1000; at < 9000; ++at) {
            const auto key = "SKU-" + std::to_string(at) + std::string(1, '\0') + "north";
            char payload[kPayloadBytesMax];
            const auto size = pack_payload({.sku = "", .location = "", .quantity = core::Decimal(at)}, payload);
            REQUIRE(writer.add(key, {payload, size}));
        }
        REQUIRE(writer.finish());
    }
    const auto read = [&]() -> core::Result<std::vector<OwnedRow>> {
        auto file = SpillFile::open(path);
        auto reader = RunReader::open(std::move(*file));
        if (!reader) {
            return std::unexpected(reader.error());
        }
        return all(**reader);
    };
    REQUIRE(read());
    CHECK(read()->size() == 8000);
    const auto size = std::filesystem::file_size(path);
    SECTION("a changed byte") {
        const auto at = GENERATE(std::size_t{40}, std::size_t{30'000}, std::size_t{60'000});
        REQUIRE(at < size - 24);
        std::fstream file(path, std::ios::in | std::ios::out | std::ios::binary);
        file.seekg(static_cast<std::streamoff>(at));
        const auto byte = static_cast<char>(file.get());
        file.seekp(static_cast<std::streamoff>(at));
        file.put(static_cast<char>(byte ^ 4));
        file.close();
        const auto rows = read();
        REQUIRE_FALSE(rows);
        CHECK(rows.error().code == "snapshot_checksum");
    }
    SECTION("cut off") {
        const auto left = GENERATE(std::size_t{0}, std::size_t{10}, std::size_t{5000});
        std::filesystem::resize_file(path, left);
        const auto rows = read();
        REQUIRE_FALSE(rows);
        CHECK(rows.error().code == "snapshot_truncated");
    }
    std::filesystem::remove(path);
}
