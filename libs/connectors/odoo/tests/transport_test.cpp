#include "syncline/odoo/transport.h"

#include <syncline/http/testing/stub_server.h>
#include <algorithm>
#include <catch2/catch_test_macros.hpp>

using namespace syncline;
using core::ErrorKind;
using namespace std::chrono_literals;

namespace {

http::testing::StubAnswer json_answer(int status, std::string body, std::string type = "application/json") {
    return {.reply = {.status = status, .body = std::move(body), .content_type = std::move(type)}};
}

struct Rig {
    std::unique_ptr<http::Client> client = http::make_client();
    core::Deadline deadline{core::system_clock(), 10s};
    static odoo::Target target(const http::testing::StubServer& stub) {
        return {.url = stub.url(), .database = "shopdb", .login = "integration", .api_key = [] {
                    return std::string("key-1");
                }};
    }
};

}  // namespace

TEST_CASE("odoo transport: what is no Odoo is not talked to", "[odoo][http]") {
    Rig rig;
    http::testing::StubServer stub(
        [](const http::IncomingRequest&) { return json_answer(200, "<html>welcome</html>", "text/html"); });
    const auto version = odoo::probe_version(*rig.client, Rig::target(stub), rig.deadline);
    CHECK(version.error().kind == ErrorKind::transient);
    stub.shut();
    CHECK(odoo::probe_version(*rig.client, Rig::target(stub), rig.deadline).error().kind == ErrorKind::transient);
}

TEST_CASE("odoo transport: 19 answers /web/version and is spoken to over JSON-2", "[odoo][http]") {
    Rig rig;
    http::testing::StubServer stub([](const http::IncomingRequest& request) {
        if (request.target() == "/web/version") {
            return json_answer(200, R"({"version_info":[19,0,0,"final",0,""],"version":"19.0"})");
        }
        return json_answer(200, R"([{"id":7,"state":"draft"}])");
    });
    const auto version = odoo::probe_version(*rig.client, Rig::target(stub), rig.deadline);
    REQUIRE(version);
    CHECK(version->major == 19);
    CHECK(version->json2());
    auto transport = odoo::make_transport(*version, *rig.client, Rig::target(stub));
    const auto answer = transport->call({.model = "sale.order",
                                         .method = "read",
                                         .ids = {7},
                                         .on_records = true,
                                         .params = R"({"fields":["state"]})",
                                         .context = R"({"tz":"UTC"})"},
                                        rig.deadline);
    REQUIRE(answer);
    CHECK(answer->value()->size() == 1);
    const auto seen = stub.requests().back();
    CHECK(seen.target == "/json/2/sale.order/read");
    CHECK(seen.headers.get("authorization") == "bearer key-1");
    CHECK(seen.headers.get("x-odoo-database") == "shopdb");
    CHECK(seen.body == R"({"fields":["state"],"ids":[7],"context":{"tz":"UTC"}})");
}

TEST_CASE("odoo transport: 17 is spoken to over JSON-RPC with its user asked once", "[odoo][http]") {
    Rig rig;
    http::testing::StubServer stub([](const http::IncomingRequest& request) {
        if (request.target() == "/web/version") {
            return json_answer(404, "<html>404</html>", "text/html");
        }
        if (request.body.find(R"("method":"version")") != std::string::npos) {
            return json_answer(
                200,
                R"({"jsonrpc":"2.0","id":1,"result":{"server_version":"17.0","server_version_info":[17,0,0,"final",0,""]}})");
        }
        if (request.body.find("authenticate") != std::string::npos) {
            return json_answer(200, R"({"jsonrpc":"2.0","id":1,"result":2})");
        }
        return json_answer(200, R"({"jsonrpc":"2.0","id":1})");
    });
    const auto version = odoo::probe_version(*rig.client, Rig::target(stub), rig.deadline);
    REQUIRE(version);
    CHECK(version->major == 17);
    auto transport = odoo::make_transport(*version, *rig.client, Rig::target(stub));
    for (int i = 0; i < 2; ++i) {
        const auto answer =
            transport->call({.model = "sale.order", .method = "action_cancel", .ids = {7}, .on_records = true}, rig.deadline);
        REQUIRE(answer);
        CHECK(!answer->value());
    }
    const auto requests = stub.requests();
    CHECK(std::ranges::count_if(requests, [](const auto& r) { return r.body.find("authenticate") != std::string::npos; }) == 1);
    CHECK(requests.back().body.find(R"("args":["shopdb",2,"key-1","sale.order","action_cancel",[[7]],{"context":{}}])") !=
          std::string::npos);
}

TEST_CASE("odoo transport: a wrong key is unauthorized over both", "[odoo][http]") {
    Rig rig;
    http::testing::StubServer stub([](const http::IncomingRequest& request) {
        return request.target() == "/jsonrpc"
                   ? json_answer(200, R"({"jsonrpc":"2.0","id":1,"result":false})")
                   : json_answer(401, R"({"name":"werkzeug.exceptions.Unauthorized","message":"Invalid apikey"})");
    });
    for (const int major : {17, 19}) {
        auto transport = odoo::make_transport({.major = major, .text = {}}, *rig.client, Rig::target(stub));
        CHECK(transport->call({.model = "res.users", .method = "context_get"}, rig.deadline).error().kind ==
              ErrorKind::unauthorized);
    }
}

TEST_CASE("odoo transport: a connection that closes after the request was taken is an unknown outcome", "[odoo][http]") {
    Rig rig;
    http::testing::StubServer stub(
        [](const http::IncomingRequest&) { return http::testing::StubAnswer{.reply = {}, .lose = true}; });
    auto transport = odoo::make_transport({.major = 19, .text = {}}, *rig.client, Rig::target(stub));
    CHECK(transport->call({.model = "sale.order", .method = "load", .changes = true}, rig.deadline).error().kind ==
          ErrorKind::unknown_outcome);
}
