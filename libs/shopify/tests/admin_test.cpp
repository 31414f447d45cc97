#include <atomic>
#include <catch2/catch_test_macros.hpp>
#include <optional>
#include <thread>
#include <vector>

#include "tests/rig.h"

using namespace syncline;
using namespace syncline::shopify;
using namespace syncline::shopify::testing;
using core::ErrorKind;

namespace {

constexpr const char* kNoLocations = R"({"locations":{"nodes":[],"pageInfo":{"hasNextPage":false,"endCursor":null}}})";

core::Result<Reply> ask(Rig& rig, const Operation& operation = kLocations) {
    return rig.admin().call(operation, {}, Priority::rest, rig.deadline);
}

}  // namespace

TEST_CASE("admin: a shop that is unknown or has no admin section is refused by name", "[shopify][http]") {
    Rig rig([](const http::IncomingRequest&) { return data_answer(kNoLocations); });
    CHECK(rig.admins.of("nowhere").error().code == "shop_unknown");
    CHECK(rig.admins.of("bare").error().code == "admin_not_configured");
}

TEST_CASE("admin: 5xx and no JSON are an absent server for a query and unknown for a mutation", "[shopify][http]") {
    for (const auto& broken :
         {json_answer("busy", 503), json_answer("<html>"), http::testing::StubAnswer{.reply = {}, .lose = true}}) {
        Rig rig([&](const http::IncomingRequest&) { return broken; });
        CHECK(ask(rig).error().kind == ErrorKind::transient);
        CHECK(ask(rig, kAddTags).error().kind == ErrorKind::unknown_outcome);
        CHECK(rig.stub.requests().size() == 2);
    }
}

TEST_CASE("admin: a refused connection is transient and costs no points", "[shopify][http]") {
    Rig rig([](const http::IncomingRequest&) { return data_answer(kNoLocations); });
    REQUIRE(ask(rig));
    const auto before = rig.admin().points();
    rig.stub.shut();
    const auto refused = ask(rig, kAddTags);
    CHECK(refused.error().kind == ErrorKind::transient);
    CHECK(rig.admin().points().available >= before.available);
    CHECK(rig.admin().points().reserved == 0);
}

TEST_CASE("admin: userErrors are an error unless the caller asks for them", "[shopify][http]") {
    Rig rig([](const http::IncomingRequest&) {
        return data_answer(R"({"tagsAdd":{"userErrors":[{"field":["id"],"message":"Order does not exist"}]}})");
    });
    const auto refused = ask(rig, kAddTags);
    REQUIRE_FALSE(refused);
    CHECK(refused.error().kind == ErrorKind::rejected);
    CHECK(refused.error().code == "not_found");
    const auto reply = rig.admin().call_with_user_errors(kAddTags, {}, Priority::rest, rig.deadline);
    REQUIRE(reply.has_value());
    CHECK(reply->user_errors().size() == 1);
}

TEST_CASE("admin: a call carries token, version, document and variables", "[shopify][http]") {
    Rig rig([](const http::IncomingRequest&) { return data_answer(kNoLocations, 1898, 102); });
    REQUIRE(rig.admin().call(kLocations, {.json = R"({"after":null})"}, Priority::rest, rig.deadline));
    const auto seen = rig.stub.requests().at(0);
    CHECK(seen.method == "POST");
    CHECK(seen.target == fmt::format("/admin/api/{}/graphql.json", kApiVersion));
    CHECK(seen.headers.get("x-shopify-access-token") == "shpat_1");
    CHECK(seen.headers.get("content-type") == "application/json");
    CHECK(seen.body.find(R"("operationName":"Locations")") != std::string::npos);
    CHECK(seen.body.find(R"("variables":{"after":null})") != std::string::npos);
    const auto page = rig.metrics.to_text();
    CHECK(page.find(R"(outcome="ok")") != std::string::npos);
    CHECK(page.find("syncline_shopify_points_spent_total") != std::string::npos);
    CHECK(rig.admin().points().maximum == 2000);
}

TEST_CASE("admin: THROTTLED is sent again after exactly the missing time", "[shopify][http]") {
    core::ManualClock clock;
    std::atomic<int> calls{0};
    Rig rig([&](const http::IncomingRequest&) { return ++calls == 1 ? throttled_answer(101, 51) : data_answer(kNoLocations); },
            clock);
    std::optional<core::Result<Reply>> reply;
    std::thread caller([&] { reply = ask(rig); });
    const bool throttled = eventually([&] { return rig.admin().points().waiting == 1; });
    clock.advance(499ms);
    std::this_thread::sleep_for(30ms);
    const int early = calls;
    clock.advance(1ms);
    caller.join();
    CHECK(throttled);
    CHECK(early == 1);
    CHECK(calls == 2);
    REQUIRE(reply.has_value());
    CHECK(reply->has_value());
}

TEST_CASE("admin: throttled beyond the deadline is an error with the time to wait", "[shopify][http]") {
    core::ManualClock clock;
    Rig rig([&](const http::IncomingRequest&) { return throttled_answer(900, 0); }, clock);
    std::optional<core::Result<Reply>> reply;
    std::thread caller([&] { reply = rig.admin().call(kLocations, {}, Priority::rest, core::Deadline(clock, 2s)); });
    const bool throttled = eventually([&] { return rig.admin().points().waiting == 1; });
    clock.advance(2s);
    caller.join();
    CHECK(throttled);
    REQUIRE(reply.has_value());
    REQUIRE_FALSE(reply->has_value());
    CHECK(reply->error().kind == ErrorKind::throttled);
    CHECK(reply->error().retry_after == 7s);
    CHECK(rig.stub.requests().size() == 1);
}

TEST_CASE("admin: 429 holds the whole shop as long as its header says", "[shopify][http]") {
    core::ManualClock clock;
    std::atomic<int> calls{0};
    Rig rig(
        [&](const http::IncomingRequest&) {
            return ++calls == 1 ? json_answer("", 429, {{"retry-after", "2.0"}}) : data_answer(kNoLocations);
        },
        clock);
    std::optional<core::Result<Reply>> reply;
    std::thread caller([&] { reply = ask(rig); });
    const bool held = eventually([&] { return rig.admin().points().waiting == 1; });
    clock.advance(1999ms);
    std::this_thread::sleep_for(30ms);
    const int early = calls;
    clock.advance(1ms);
    caller.join();
    CHECK(held);
    CHECK(early == 1);
    REQUIRE(reply.has_value());
    CHECK(reply->has_value());
}

TEST_CASE("admin: what a document costs is learned from the first answer", "[shopify][http]") {
    core::ManualClock clock;
    Rig rig([&](const http::IncomingRequest&) { return data_answer(kNoLocations, 50, 40); }, clock);
    REQUIRE(ask(rig));
    // The document declares 102 points; with 50 left it would have to wait if Shopify had not said 40.
    std::optional<core::Result<Reply>> reply;
    std::thread caller([&] { reply = ask(rig); });
    caller.join();
    REQUIRE(reply.has_value());
    CHECK(reply->has_value());
}

TEST_CASE("admin: another version in the answer and deprecations become metrics", "[shopify][http]") {
    core::ManualClock clock(core::SystemTime{std::chrono::sys_days{std::chrono::year{2026} / 11 / 20}});
    Rig rig(
        [](const http::IncomingRequest&) {
            return json_answer(
                fmt::format(R"({{"data":{}}})", kNoLocations), 200,
                {{"x-shopify-api-version", "2026-01"}, {"x-shopify-api-deprecated-reason", "https://shopify.dev/x"}});
        },
        clock, "token_file: token, api_version: 2025-10");
    REQUIRE(ask(rig));
    const auto page = rig.metrics.to_text();
    CHECK(page.find(R"(syncline_shopify_api_version_fallen_forward{service="shopify-test",shop="eu"} 1)") != std::string::npos);
    CHECK(page.find(R"(syncline_shopify_deprecated_calls_total{service="shopify-test",operation="Locations",shop="eu"} 1)") !=
          std::string::npos);
    // 2025-10 ended on 2026-10-01 at 17:00.
    CHECK(page.find(R"(syncline_shopify_api_version_days_left{service="shopify-test",shop="eu"} -49.2)") != std::string::npos);
}

TEST_CASE("admin: settings that change give a new client with the same points", "[shopify][http]") {
    Rig rig([](const http::IncomingRequest&) { return data_answer(kNoLocations, 321); });
    const auto before = rig.admins.of("eu").value();
    REQUIRE(before->call(kLocations, {}, Priority::rest, rig.deadline));
    CHECK(rig.admins.of("eu").value() == before);
    rig.load("token_file: token, api_version: 2026-07");
    const auto after = rig.admins.of("eu").value();
    CHECK(after != before);
    CHECK(after->api_version() == "2026-07");
    CHECK(after->points().maximum == 2000);
    // The one that somebody still holds goes on working.
    CHECK(before->call(kLocations, {}, Priority::rest, rig.deadline));
    rig.load("token_file: token, api_version: 2026-07, points_per_second: 500");
    CHECK(rig.admins.of("eu").value() == after);
}

TEST_CASE("admin: callers of many threads share one budget that is never exceeded", "[shopify][http]") {
    core::ManualClock clock;
    std::mutex mutex;
    double held = 200;
    auto filled = clock.steady();
    int refused = 0;
    Rig rig(
        [&](const http::IncomingRequest&) {
            const std::lock_guard lock(mutex);
            const auto now = clock.steady();
            held = std::min(200.0, held + std::chrono::duration<double>(now - filled).count() * 100);
            filled = now;
            if (held < 50) {
                ++refused;
            } else {
                held -= 50;
            }
            return json_answer(fmt::format(
                R"({{"data":{},"extensions":{{"cost":{{"requestedQueryCost":50,"actualQueryCost":50,"throttleStatus":{{"maximumAvailable":200,"currentlyAvailable":{},"restoreRate":100}}}}}}}})",
                kNoLocations, held));
        },
        clock);
    rig.deadline = core::Deadline(clock, 24h);
    REQUIRE(ask(rig));
    std::atomic<int> ok{0};
    std::atomic<int> running{4};
    std::vector<std::thread> callers;
    for (int i = 0; i < 4; ++i) {
        callers.emplace_back([&] {
            for (int n = 0; n < 10; ++n) {
                ok += ask(rig) ? 1 : 0;
            }
            --running;
        });
    }
    while (running > 0) {
        clock.advance(10ms);
        std::this_thread::sleep_for(1ms);
    }
    for (auto& caller : callers) {
        caller.join();
    }
    CHECK(ok == 40);
    CHECK(refused == 0);
}
