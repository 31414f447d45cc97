#include "tests/fake_service.h"

#include <syncline/json/document.h>
#include <catch2/catch_test_macros.hpp>
#include <catch2/matchers/catch_matchers_string.hpp>

using Catch::Matchers::ContainsSubstring;
using synclinectl::testing::Answer;
using synclinectl::testing::Desk;
using synclinectl::testing::FakeService;

namespace {

std::string state(int to_be_read, int held = 1) {
    return R"({"shop":"eu","pairs":300,"to_be_read":)" + std::to_string(to_be_read) + R"(,"unsent":0,"on_their_way":0,"held":)" +
           std::to_string(held) + "}";
}

}  // namespace

TEST_CASE("synclinectl: backfill stock asks for it once and waits until nothing is left but what is held", "[http]") {
    FakeService service({{"GET /admin/stock/backfill/eu", Answer{.body = state(0)}},
                         {"POST /admin/stock/backfill", Answer{.body = R"({"pairs":300})"}}});
    FakeService other({});
    const Desk desk({{"order-export", "odoo-main", other.url()}, {"inventory-sync", "", service.url()}});
    const auto ran =
        desk.run({"backfill", "stock", "--shop", "eu", "--location", "7", "--wait", "--reason", "levels were typed over"});
    CHECK(ran.code == 0);
    CHECK_THAT(ran.err, ContainsSubstring("300 pairs"));
    CHECK_THAT(ran.out, ContainsSubstring("HELD"));
    int posts = 0;
    for (const auto& request : service.requests()) {
        if (request.method == "POST") {
            ++posts;
            const auto sent = syncline::json::Document::parse(request.body);
            REQUIRE(sent);
            CHECK(sent->root().int64_of("location") == 7);
            CHECK(sent->root().string_of("reason") == "levels were typed over");
        }
    }
    CHECK(posts == 1);
}

TEST_CASE("synclinectl: backfill stock says where it stands when the time to wait is over", "[http]") {
    FakeService service({{"GET /admin/stock/backfill/eu", Answer{.body = state(120)}},
                         {"POST /admin/stock/backfill", Answer{.body = R"({"pairs":300})"}}});
    const Desk desk({{"inventory-sync", "", service.url()}});
    const auto ran = desk.run({"backfill", "stock", "--shop", "eu", "--wait-at-most", "1", "--reason", "moved"});
    CHECK(ran.code == 1);
    CHECK_THAT(ran.err, ContainsSubstring("120 to be read"));
}

TEST_CASE("synclinectl: backfill stock needs a shop, a reason and a location that is a number", "[http]") {
    FakeService service({{"GET /admin/stock/backfill/eu", Answer{.body = state(0)}}});
    const Desk desk({{"inventory-sync", "", service.url()}});
    CHECK(desk.run({"backfill", "stock", "--reason", "x"}).code == 2);
    CHECK(desk.run({"backfill", "stock", "--shop", "eu"}).code == 2);
    CHECK(desk.run({"backfill", "stock", "--shop", "eu", "--location", "Berlin", "--reason", "x"}).code == 2);
    const auto dry = desk.run({"backfill", "stock", "--shop", "eu", "--dry-run"});
    CHECK(dry.code == 0);
    CHECK_THAT(dry.err, ContainsSubstring("300 pairs"));
    CHECK(service.requests().size() == 1);
}
