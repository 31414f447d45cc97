#include "tests/fake_service.h"

#include <syncline/json/document.h>
#include <catch2/catch_test_macros.hpp>
#include <catch2/matchers/catch_matchers_string.hpp>

using Catch::Matchers::ContainsSubstring;
using synclinectl::testing::Answer;
using synclinectl::testing::Desk;
using synclinectl::testing::FakeService;

namespace {

const std::string kId = "0b9c6a4e-0000-4000-8000-000000000001";
const std::string kLetters =
    R"({"group":"g","items":[{"id":")" + kId +
    R"(","state":"dead","key":"eu/5001","class":"rejected","code":"no_lines","reason":"no lines","attempts":1,)" +
    R"("last_at":"2026-11-21T10:00:00Z"}]})";
const std::string kLetter = R"({"dead_letter":{"id":")" + kId + R"(","code":"no_lines","value_bytes":12}})";
const std::string kHold =
    R"({"key":"eu/5001","items":[{"key":"eu/5001","state":"held","code":"totals_differ","expected":"10.00",)"
    R"("found":"10.05","currency":"EUR","attempts":2,"first_at":"2026-11-21T10:00:00Z"}]})";

}  // namespace

TEST_CASE("synclinectl: a service that does not answer is a warning, exit code 3, and the others are shown", "[http]") {
    FakeService good({{"GET /admin/dead-letters", Answer{.body = kLetters}}});
    FakeService gone({});
    gone.shut();
    const Desk desk({{"order-export", "odoo-main", good.url()}, {"order-export", "odoo-two", gone.url()}});
    const auto ran = desk.run({"dlq", "list"});
    CHECK(ran.code == 3);
    CHECK_THAT(ran.out, ContainsSubstring("eu/5001"));
    CHECK_THAT(ran.err, ContainsSubstring("order-export/odoo-two does not answer"));
}

TEST_CASE("synclinectl: of two instances the second is asked when the first is away, and rows are not doubled", "[http]") {
    FakeService gone({});
    gone.shut();
    FakeService one({{"GET /admin/dead-letters", Answer{.body = kLetters}}});
    FakeService two({{"GET /admin/dead-letters", Answer{.body = kLetters}}});
    const Desk desk({{"order-export", "odoo-main", gone.url()},
                     {"order-export", "odoo-main", one.url()},
                     {"order-export", "odoo-main", two.url()}});
    const auto ran = desk.run({"dlq", "list", "-o", "csv"});
    CHECK(ran.code == 0);
    CHECK(std::ranges::count(ran.out, '\n') == 2);
    CHECK(one.requests().size() + two.requests().size() == 1);
}

TEST_CASE("synclinectl: a refused token is said, not shown as an empty list", "[http]") {
    FakeService service({{"GET /admin/holds", Answer{.status = 401, .body = R"({"code":"bad_token","detail":"send a token"})"}}});
    const auto ran = Desk({{"order-export", "odoo-main", service.url()}}).run({"hold", "list"});
    CHECK(ran.code == 1);
    CHECK_THAT(ran.err, ContainsSubstring("bad_token"));
}

TEST_CASE("synclinectl: nothing found ends with 1", "[http]") {
    FakeService service({{"GET /admin/holds", Answer{.body = R"({"group":"g","items":[]})"}}});
    const Desk desk({{"order-export", "odoo-main", service.url()}});
    CHECK(desk.run({"hold", "list"}).code == 1);
    CHECK(desk.run({"dlq", "show", kId}).code == 1);
    CHECK(desk.run({"--service", "nobody", "hold", "list"}).code == 2);
}

TEST_CASE("synclinectl: the filters reach the service, encoded, with the token", "[http]") {
    FakeService service({{"GET /admin/dead-letters", Answer{.body = kLetters}}});
    const Desk desk({{"order-export", "odoo-main", service.url()}});
    REQUIRE(desk.run({"dlq", "list", "--class", "bug", "--shop", "us-b2b", "--key", "eu/5 1", "--since", "2026-11-21T10:00:00Z",
                      "--limit", "7"})
                .code == 0);
    const auto seen = service.requests().at(0);
    CHECK_THAT(seen.target, ContainsSubstring("class=bug"));
    CHECK_THAT(seen.target, ContainsSubstring("shop=us-b2b"));
    CHECK_THAT(seen.target, ContainsSubstring("key=eu%2F5%201"));
    CHECK_THAT(seen.target, ContainsSubstring("since=2026-11-21T10%3A00%3A00Z"));
    CHECK_THAT(seen.target, ContainsSubstring("limit=7"));
    CHECK(seen.headers.get("authorization") == "Bearer 0123456789abcdef-token");
}

TEST_CASE("synclinectl: nothing is written without a reason, and a dry run writes nothing", "[http]") {
    FakeService service(
        {{"GET /admin/dead-letters/" + kId, Answer{.body = kLetter}}, {"GET /admin/holds/eu/5001", Answer{.body = kHold}}});
    const Desk desk({{"order-export", "odoo-main", service.url()}});
    CHECK(desk.run({"dlq", "replay", kId}).code == 2);
    CHECK(desk.run({"hold", "release", "eu/5001"}).code == 2);
    CHECK(desk.run({"dlq", "replay", "--reason", "r"}).code == 2);
    CHECK(service.requests().empty());
    const auto dry = desk.run({"dlq", "discard", kId, "--dry-run"});
    CHECK(dry.code == 0);
    CHECK_THAT(dry.out, ContainsSubstring("would discard"));
    CHECK(desk.run({"hold", "override", "eu/5001", "--dry-run"}).code == 0);
    for (const auto& request : service.requests()) {
        CHECK(request.method == "GET");
    }
}

TEST_CASE("synclinectl: a replay names itself and goes to the service that has the letter", "[http]") {
    FakeService other({});
    FakeService owner(
        {{"GET /admin/dead-letters/" + kId, Answer{.body = kLetter}},
         {"POST /admin/dead-letters/" + kId + "/replay", Answer{.body = R"({"id":"x","verb":"replay","repeated":false})"}}});
    const Desk desk({{"ingress", "", other.url()}, {"order-export", "odoo-main", owner.url()}});
    const auto ran = desk.run({"dlq", "replay", kId, "--reason", "mapping mended", "--replay-id", "monday"});
    CHECK(ran.code == 0);
    CHECK_THAT(ran.out, ContainsSubstring("replay accepted"));
    const auto sent = owner.requests().at(1);
    CHECK(sent.method == "POST");
    const auto body = syncline::json::Document::parse(sent.body);
    REQUIRE(body.has_value());
    CHECK(body->root().string_of("reason").value() == "mapping mended");
    CHECK(body->root().string_of("replay_id").value() == "monday");
}

TEST_CASE("synclinectl: a refused replay ends with 1 and says the service's code", "[http]") {
    FakeService owner({{"GET /admin/dead-letters/" + kId, Answer{.body = kLetter}},
                       {"POST /admin/dead-letters/" + kId + "/replay",
                        Answer{.status = 409, .body = R"({"code":"not_dead","detail":"the letter is discarded"})"}}});
    const auto ran = Desk({{"order-export", "odoo-main", owner.url()}}).run({"dlq", "replay", kId, "--reason", "r"});
    CHECK(ran.code == 1);
    CHECK_THAT(ran.out, ContainsSubstring("not_dead"));
}

TEST_CASE("synclinectl: all that fit are replayed under one name", "[http]") {
    FakeService owner({{"GET /admin/dead-letters", Answer{.body = kLetters}},
                       {"POST /admin/dead-letters/" + kId + "/replay", Answer{.body = R"({"repeated":true})"}}});
    const auto ran =
        Desk({{"order-export", "odoo-main", owner.url()}}).run({"dlq", "replay", "--all", "--code", "no_lines", "--reason", "r"});
    CHECK(ran.code == 0);
    CHECK_THAT(ran.out, ContainsSubstring("was done before"));
}

TEST_CASE("synclinectl: a key held in two connections is not touched until one is named", "[http]") {
    const std::map<std::string, Answer> answers{
        {"GET /admin/holds/eu/5001", Answer{.body = kHold}},
        {"POST /admin/holds/eu/5001/override", Answer{.body = R"({"key":"eu/5001","released":1})"}}};
    FakeService main(answers);
    FakeService two(answers);
    const Desk desk({{"order-export", "odoo-main", main.url()}, {"order-export", "odoo-two", two.url()}});
    const auto ambiguous = desk.run({"hold", "override", "eu/5001", "--reason", "r"});
    CHECK(ambiguous.code == 2);
    CHECK_THAT(ambiguous.err, ContainsSubstring("order-export/odoo-two"));
    const auto named = desk.run({"hold", "override", "eu/5001", "--reason", "r", "--connection", "odoo-two"});
    CHECK(named.code == 0);
    const auto body = two.requests().back().body;
    // The only code of the hold is taken.
    CHECK_THAT(body, ContainsSubstring("totals_differ"));
}

TEST_CASE("synclinectl: a hold is shown with both figures", "[http]") {
    FakeService service({{"GET /admin/holds/eu/5001", Answer{.body = kHold}}, {"GET /admin/holds", Answer{.body = kHold}}});
    const Desk desk({{"order-export", "odoo-main", service.url()}});
    CHECK_THAT(desk.run({"hold", "list"}).out, ContainsSubstring("10.00 expected, 10.05 found EUR"));
    const auto shown = desk.run({"hold", "show", "eu/5001"});
    CHECK(shown.code == 0);
    CHECK_THAT(shown.out, ContainsSubstring("10.05"));
}

TEST_CASE("synclinectl: pause and resume go to the named connection", "[http]") {
    const std::string paused =
        R"({"connection":"odoo-main","paused":true,"paused_by":"local","reason":"m","circuit_open":false})";
    FakeService service(
        {{"GET /admin/connection", Answer{.body = paused}}, {"POST /admin/connection/pause", Answer{.body = paused}}});
    const Desk desk({{"ingress", "", service.url()}, {"order-export", "odoo-main", service.url()}});
    const auto ran = desk.run({"connection", "pause", "odoo-main", "--reason", "m"});
    CHECK(ran.code == 0);
    CHECK_THAT(ran.out, ContainsSubstring("order-export/odoo-main"));
    CHECK(desk.run({"connection", "pause", "odoo-three", "--reason", "m"}).code == 2);
}

TEST_CASE("synclinectl: redrive looks first and acts on the one service that did it", "[http]") {
    FakeService service(
        {{"POST /admin/redrive",
          Answer{.body = R"({"dry_run":true,"was":"done","key":"eu/5001","type":"syncline.orders.v1.OrderChanged"})"}}});
    const Desk desk({{"order-export", "odoo-main", service.url()}});
    const auto dry = desk.run({"redrive", "5f0c0000-0000-5000-8000-000000000000", "--dry-run"});
    CHECK(dry.code == 0);
    CHECK_THAT(dry.out, ContainsSubstring("would be done again"));
    REQUIRE(service.requests().size() == 1);
    CHECK_THAT(service.requests()[0].body, ContainsSubstring("\"dry_run\":true"));
    CHECK(desk.run({"redrive", "5f0c0000-0000-5000-8000-000000000000", "--reason", "r"}).code == 0);
    CHECK_THAT(service.requests().back().body, ContainsSubstring("\"dry_run\":false"));
}
