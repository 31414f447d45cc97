// What travels, against a real HTTP server on loopback.
#include "syncline/zendesk/client.h"

#include <syncline/core/hash.h>
#include <syncline/http/testing/stub_server.h>
#include <syncline/telemetry/metrics.h>
#include <catch2/catch_test_macros.hpp>

using namespace syncline;
using core::ErrorKind;
using namespace std::chrono_literals;

namespace {

http::testing::StubAnswer says(int status, std::string body) {
    return {.reply = {.status = status, .body = std::move(body), .content_type = "application/json; charset=utf-8"}};
}

struct Rig {
    explicit Rig(http::testing::StubScript script)
        : stub(std::move(script)),
          desk(*client,
               {.url = stub.url(),
                .email = "agent@example.com",
                .api_token =
                    [] {
                        return std::string("token-1");
                    }},
               core::system_clock(), metrics) {}
    telemetry::Metrics metrics{"test"};
    std::unique_ptr<http::Client> client = http::make_client();
    http::testing::StubServer stub;
    zendesk::Client desk;
    core::Deadline deadline{core::system_clock(), 10s};
};

const zendesk::NewTicket kTicket{.external_id = "syncline.main.abc.1",
                                 .subject = "Orders wait",
                                 .comment = "tax_unmapped",
                                 .priority = "normal",
                                 .tags = {"syncline"},
                                 .group_id = 0,
                                 .requester_id = 12,
                                 .followup_of = 0};

}  // namespace

// "Ticket creation accepts header Idempotency-Key"; "basic {email}/token:{api_token}".
TEST_CASE("zendesk client: a ticket is created with its key, the same bytes each time", "[zendesk][http]") {
    Rig rig([](const http::IncomingRequest&) { return says(201, R"({"ticket":{"id":5,"status":"new"},"audit":{}})"); });
    REQUIRE(rig.desk.create(kTicket, "syncline-key", rig.deadline));
    REQUIRE(rig.desk.create(kTicket, "syncline-key", rig.deadline));
    const auto seen = rig.stub.requests();
    REQUIRE(seen.size() == 2);
    CHECK(seen[0].target == "/api/v2/tickets");
    CHECK(seen[0].method == "POST");
    CHECK(seen[0].headers.get("idempotency-key") == "syncline-key");
    CHECK(seen[0].headers.get("authorization") == "Basic " + core::base64_encode("agent@example.com/token:token-1"));
    CHECK(seen[0].headers.get("content-type") == "application/json");
    CHECK(seen[0].body == seen[1].body);
    CHECK(
        seen[0].body ==
        R"({"ticket":{"subject":"Orders wait","external_id":"syncline.main.abc.1","priority":"normal","requester_id":12,"tags":["syncline"],"comment":{"body":"tax_unmapped","public":false}}})");
}

// "POST /users/create_or_update with {"user":{...}}; 201 created, 200 existing; skip_verify_email avoids the mail".
TEST_CASE("zendesk client: the requester is made or found", "[zendesk][http]") {
    Rig rig([](const http::IncomingRequest&) { return says(200, R"({"user":{"id":12}})"); });
    CHECK(rig.desk.requester({.external_id = "syncline.main", .name = "Syncline", .email = "ops@example.com"}, rig.deadline) ==
          12);
    CHECK(rig.stub.requests()[0].target == "/api/v2/users/create_or_update");
    CHECK(rig.stub.requests()[0].body ==
          R"({"user":{"external_id":"syncline.main","name":"Syncline","email":"ops@example.com","skip_verify_email":true}})");
}

TEST_CASE("zendesk client: the history is read to its end", "[zendesk][http]") {
    Rig rig([](const http::IncomingRequest& request) {
        const bool second = request.target().find("after") != std::string_view::npos;
        return second ? says(200, R"({"audits":[{"events":[{"type":"Comment","body":"x [u 2]"}]}],"meta":{"has_more":false}})")
                      : says(200, R"({"audits":[],"meta":{"has_more":true,"after_cursor":"a=b"}})");
    });
    CHECK(rig.desk.has_comment(5, "[u 2]", rig.deadline) == true);
    CHECK(rig.stub.requests()[1].target == "/api/v2/tickets/5/audits?page%5Bsize%5D=100&page%5Bafter%5D=a%3db");
    CHECK(rig.desk.has_comment(5, "[u 3]", rig.deadline) == false);
}

TEST_CASE("zendesk client: a lost answer leaves a write open and a question unanswered", "[zendesk][http]") {
    Rig rig([](const http::IncomingRequest&) {
        auto answer = says(200, "{}");
        answer.lose = true;
        return answer;
    });
    CHECK(rig.desk.create(kTicket, "k", rig.deadline).error().kind == ErrorKind::unknown_outcome);
    CHECK(rig.desk.update(5, {.comment = "x", .status = "solved"}, rig.deadline).error().kind == ErrorKind::unknown_outcome);
    CHECK(rig.desk.find("syncline.a", rig.deadline).error().kind == ErrorKind::transient);
    CHECK(rig.metrics.to_text().find("syncline_zendesk_calls_total{") != std::string::npos);
}

TEST_CASE("zendesk client: what is left of the minute is shown", "[zendesk][http]") {
    Rig rig([](const http::IncomingRequest&) {
        auto answer = says(200, R"({"tickets":[]})");
        answer.reply.headers.add("x-rate-limit-remaining", "387");
        return answer;
    });
    CHECK(rig.desk.probe(rig.deadline));
    CHECK(rig.metrics.to_text().find("syncline_zendesk_calls_left{service=\"test\"} 387") != std::string::npos);
}
