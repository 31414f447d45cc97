#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>

#include <syncline/core/hash.h>
#include <syncline/core/time.h>

#include "tests/rows.h"

namespace {

using namespace reconciliation;
using namespace reconciliation::testing;

std::string code_of(const std::string& text, CsvOptions options = {}) {
    const auto read = read_csv(text, std::move(options));
    return read ? "ok" : read.error().code;
}

}  // namespace

TEST_CASE("csv: rows come as they stand, whatever the columns' order and the pieces they are read in", "[reconciliation][unit]") {
    const auto piece = GENERATE(1U, 3U, 64U, 100'000U);
    const auto read = read_csv(
        "location,colour,sku,quantity,observed_at,item_id\r\n"
        "north,red,A-1,12,2026-11-20T10:00:00+01:00,7\r\n"
        "\"so,uth\",blue,\"say \"\"B\"\"\",-0.50,2026-11-20T09:00:01Z,\r\n",
        {}, piece);
    REQUIRE(read);
    const auto first = core::nanos_since_epoch(core::parse_rfc3339("2026-11-20T09:00:00Z").value());
    CHECK(*read ==
          std::vector<OwnedRow>{{"A-1", "north", "12", first, 7}, {"say \"B\"", "so,uth", "-0.5", first + 1'000'000'000, 0}});
}

TEST_CASE("csv: a quantity is exact to its last digit", "[reconciliation][unit]") {
    const auto read = read_csv("sku,location,quantity\nA,n,123456789012345678.123456789\nB,n,999999999999999999\nC,n,1e3\n");
    REQUIRE(read);
    CHECK((*read)[0].quantity == "123456789012345678.123456789");
    CHECK((*read)[1].quantity == "999999999999999999");
    CHECK((*read)[2].quantity == "1000");
}

TEST_CASE("csv: a file that is not whole is refused with the reason", "[reconciliation][unit]") {
    CHECK(code_of("") == "snapshot_empty");
    CHECK(code_of("sku,location,quantity\n") == "snapshot_empty");
    CHECK(code_of("sku,location,quantity\nA,n,1\nB,n,2") == "snapshot_truncated");
    CHECK(code_of("sku,location,quantity\nA,n,1\nB,n\n") == "snapshot_row");
    CHECK(code_of("sku,location,quantity\nA,n,1\n", {.trailer = true}) == "snapshot_truncated");
    CHECK(code_of("sku,location,quantity\nA,n,1\n#end rows=2\n", {.trailer = true}) == "snapshot_truncated");
    CHECK(code_of("sku,location,quantity\nA,n,1\n#end rows=1", {.trailer = true}) == "snapshot_truncated");
    CHECK(code_of("sku,location,quantity\nA,n,1\n#end rows=1\nB,n,1\n", {.trailer = true}) == "snapshot_row");
    CHECK(code_of("sku,location,quantity\nA,n,1\n#end rows=1\n", {.trailer = true}) == "ok");
    CHECK(code_of("sku,location,quantity\nA,n,1\n#end rows=1\n") == "ok");
    CHECK(code_of("sku,location,quantity\nA,n,1\n#end rows=3\n") == "snapshot_truncated");
}

TEST_CASE("csv: a trailer's checksum covers every byte before it", "[reconciliation][unit]") {
    std::string body = "sku,location,quantity\n";
    for (int row = 0; row < 20'000; ++row) {
        body += "SKU-" + std::to_string(row) + ",north," + std::to_string(row % 90) + "\n";
    }
    const auto with = [](const std::string& text, const std::string& digest) {
        return text + "#end rows=20000 sha256=" + digest + "\n";
    };
    const auto digest = core::hex_encode(core::bytes_of(core::sha256(body)));
    CHECK(code_of(with(body, digest), {.trailer = true}) == "ok");
    auto changed = body;
    changed[changed.find("SKU-777,north,") + 14] = '8';
    CHECK(code_of(with(changed, digest), {.trailer = true}) == "snapshot_checksum");
    CHECK(code_of(with(body, digest.substr(1)), {.trailer = true}) == "snapshot_checksum");
}

TEST_CASE("csv: another encoding or delimiter is named, never half-understood", "[reconciliation][unit]") {
    CHECK(code_of(std::string("\xFF\xFEs\0k\0u\0", 8)) == "snapshot_encoding");
    CHECK(code_of(std::string("s\0k\0u\0,\0", 8)) == "snapshot_encoding");
    CHECK(code_of("sku,location,quantity\nM\xFCtze,n,1\n") == "snapshot_encoding");
    CHECK(code_of("\xEF\xBB\xBFsku,location,quantity\nM\xC3\xBCtze,n,1\n") == "ok");
    CHECK(code_of("sku;location;quantity\nA;n;1\n") == "snapshot_delimiter");
    CHECK(code_of("sku\tlocation\tquantity\nA\tn\t1\n") == "snapshot_delimiter");
    CHECK(code_of("sku;location;quantity\nA;n;1\n", {.delimiter = ';'}) == "ok");
    CHECK(code_of("sku,location\nA,n\n") == "snapshot_header");
    CHECK(code_of("sku,location,quantity,sku\nA,n,1,A\n") == "snapshot_header");
    CHECK(code_of(std::string("sku,location,quantity\nA\0B,n,1\n", 30)) == "snapshot_encoding");
}

TEST_CASE("csv: one field that does not fit refuses the whole file", "[reconciliation][unit]") {
    CHECK(code_of("sku,location,quantity\nA,n,1\nB,n,1.234,5\n") == "snapshot_row");
    CHECK(code_of("sku,location,quantity\nA,n,+1\n") == "snapshot_quantity");
    CHECK(code_of("sku,location,quantity\nA,n,\n") == "snapshot_quantity");
    CHECK(code_of("sku,location,quantity\nA,n,NaN\n") == "snapshot_quantity");
    CHECK(code_of("sku,location,quantity\n,n,1\n") == "snapshot_row");
    CHECK(code_of("sku,location,quantity\nA,,1\n") == "snapshot_row");
    CHECK(code_of("sku,location,quantity\n\"A,n,1\n") == "snapshot_row");
    CHECK(code_of("sku,location,quantity\n\"A\"x,n,1\n") == "snapshot_row");
    CHECK(code_of("sku,location,quantity,observed_at\nA,n,1,yesterday\n") == "snapshot_time");
    CHECK(code_of("sku,location,quantity\n" + std::string(600, 'A') + ",n,1\n") == "snapshot_row");
    CHECK(code_of("sku,location,quantity\n" + std::string(400'000, 'A') + ",n,1\n") == "snapshot_row");
    CHECK(code_of("sku,location,quantity\n\nA,n,1\n") == "snapshot_row");
}

TEST_CASE("csv: a file of one place needs no such column", "[reconciliation][unit]") {
    const auto read = read_csv("sku,quantity\nA,1\n", {.fixed_location = "north", .observed_at_ns = 5});
    REQUIRE(read);
    CHECK(*read == std::vector<OwnedRow>{{"A", "north", "1", 5, 0}});
}

TEST_CASE("csv: summer time ends, and two local times an hour apart are two moments", "[reconciliation][unit]") {
    const auto read =
        read_csv("sku,location,quantity,observed_at\nA,n,1,2026-10-25T02:30:00+02:00\nB,n,1,2026-10-25T02:30:00+01:00\n");
    REQUIRE(read);
    CHECK((*read)[1].observed_at_ns - (*read)[0].observed_at_ns == 3'600'000'000'000);
}
