#include <syncline/core/time.h>
#include <syncline/shopify/operations.h>
#include <syncline/shopify/reply.h>
#include <syncline/shopify/version.h>
#include <catch2/catch_test_macros.hpp>
#include <string>

using namespace syncline;
using namespace syncline::shopify;
using namespace std::chrono_literals;
using core::ErrorKind;

namespace {

Answer answer(int status, std::string body, const Operation& operation, http::Headers headers = {}) {
    return read_answer({.status = status, .headers = std::move(headers), .body = std::move(body)}, operation);
}
core::Error error(int status, std::string body, const Operation& operation, http::Headers headers = {}) {
    auto read = answer(status, std::move(body), operation, std::move(headers));
    return read.reply ? core::Error{} : std::move(read.reply.error());
}
std::string coded(const std::string& code) {
    return R"({"errors":[{"message":"secret text","path":["inventorySetQuantities"],"extensions":{"code":")" + code +
           R"("}}],"data":null})";
}

constexpr const char* kThrottled =
    R"({"errors":[{"message":"Throttled","extensions":{"code":"THROTTLED","documentation":"https://shopify.dev"}}],
        "extensions":{"cost":{"requestedQueryCost":101,"actualQueryCost":null,
        "throttleStatus":{"maximumAvailable":2000.0,"currentlyAvailable":51,"restoreRate":100.0}}}})";

}  // namespace

TEST_CASE("shopify reply: each HTTP status has its kind, and a mutation that met 5xx is unknown", "[shopify][unit]") {
    CHECK(error(401, R"({"errors":"[API] Invalid API key or access token"})", kLocations).kind == ErrorKind::unauthorized);
    for (const int status : {301, 402, 403, 404, 423}) {
        CHECK(error(status, "", kLocations).kind == ErrorKind::unauthorized);
    }
    for (const int status : {500, 502, 503, 504, 520}) {
        CHECK(error(status, "<html>", kLocations).kind == ErrorKind::transient);
        CHECK(error(status, "<html>", kSetQuantities).kind == ErrorKind::unknown_outcome);
    }
    CHECK(error(400, "", kLocations).kind == ErrorKind::bug);
    CHECK(error(422, "", kLocations).kind == ErrorKind::rejected);
}

TEST_CASE("shopify reply: 429 says how long, with or without a header", "[shopify][unit]") {
    CHECK(error(429, "", kLocations, {{"retry-after", "2.5"}}).retry_after == 2500ms);
    CHECK(error(429, "", kLocations, {{"retry-after", "soon"}}).retry_after == 1s);
    CHECK(error(429, "", kLocations, {{"retry-after", "99999999999999999999"}}).retry_after <= 10min);
    const auto plain = error(429, "", kSetQuantities);
    CHECK(plain.kind == ErrorKind::throttled);
    CHECK(plain.retry_after == 1s);
}

TEST_CASE("shopify reply: HTTP 200 with THROTTLED is throttled for exactly the missing points", "[shopify][unit]") {
    const auto read = answer(200, kThrottled, kSetQuantities);
    REQUIRE_FALSE(read.reply);
    CHECK(read.reply.error().kind == ErrorKind::throttled);
    CHECK(read.reply.error().retry_after == 500ms);
    REQUIRE(read.cost);
    CHECK(read.cost->requested == 101);
    CHECK_FALSE(read.cost->actual);
    REQUIRE(read.cost->throttle);
    CHECK(read.cost->throttle->available == 51);
}

TEST_CASE("shopify reply: top-level errors with HTTP 200 have their kinds and keep Shopify's text out", "[shopify][unit]") {
    CHECK(error(200, coded("ACCESS_DENIED"), kLocations).kind == ErrorKind::unauthorized);
    CHECK(error(200, coded("SHOP_INACTIVE"), kLocations).kind == ErrorKind::unauthorized);
    CHECK(error(200, coded("MAX_COST_EXCEEDED"), kLocations).kind == ErrorKind::bug);
    CHECK(error(200, coded("undefinedField"), kLocations).kind == ErrorKind::bug);
    CHECK(error(200, coded("INTERNAL_SERVER_ERROR"), kLocations).kind == ErrorKind::conflict);
    CHECK(error(200, coded("INTERNAL_SERVER_ERROR"), kSetQuantities).kind == ErrorKind::unknown_outcome);
    CHECK(error(200, coded("SOMETHING_NEW"), kSetQuantities).kind == ErrorKind::unknown_outcome);
    CHECK(error(200, coded("IDEMPOTENCY_KEY_PARAMETER_MISMATCH"), kSetQuantities).kind == ErrorKind::bug);
    CHECK(error(200, R"({"errors":[{"message":"Parse error on \"x\"","locations":[{"line":1}]}]})", kLocations).kind ==
          ErrorKind::bug);
    const auto told = error(200, coded("INTERNAL_SERVER_ERROR"), kLocations);
    CHECK(told.code == "internal_server_error");
    CHECK(told.message.find("secret") == std::string::npos);
    CHECK(told.message.find("inventorySetQuantities") != std::string::npos);
}

TEST_CASE("shopify reply: partial data beside an error is an error unless the document allows denied fields", "[shopify][unit]") {
    const std::string partial =
        R"({"data":{"order":{"id":"gid://shopify/Order/1","customer":null}},
            "errors":[{"message":"x","path":["order","customer"],"extensions":{"code":"ACCESS_DENIED"}}]})";
    CHECK(error(200, partial, kFulfillmentOrders).code == "access_denied");
    const auto read = answer(200, partial, kOrder);
    REQUIRE(read.reply);
    CHECK(read.reply->denied() == 1);
    // The whole order denied is no partial answer, and another error beside it is not forgiven.
    CHECK(error(200, R"({"data":{"order":null},"errors":[{"path":["order"],"extensions":{"code":"ACCESS_DENIED"}}]})", kOrder)
              .code == "access_denied");
    CHECK(error(200,
                R"({"data":{"order":{"id":"x"}},"errors":[{"path":["order","customer"],"extensions":{"code":"ACCESS_DENIED"}},
                    {"path":["order","lineItems"],"extensions":{"code":"INTERNAL_SERVER_ERROR"}}]})",
                kOrder)
              .kind != ErrorKind::bug);
}

TEST_CASE("shopify reply: what is no JSON or says nothing is never success", "[shopify][unit]") {
    for (const std::string body :
         {"", "<html>busy</html>", "{\"data\":", "[]", "null", "{\"data\":{}} x", "{\"data\":\"\xff\"}"}) {
        CHECK(error(200, body, kLocations).kind == ErrorKind::transient);
        CHECK(error(200, body, kSetQuantities).kind == ErrorKind::unknown_outcome);
    }
    CHECK(error(200, "{}", kLocations).code == "reply_unexpected");
    CHECK(error(200, R"({"data":null})", kSetQuantities).kind == ErrorKind::unknown_outcome);
    CHECK(error(200, R"({"data":[]})", kSetQuantities).kind == ErrorKind::unknown_outcome);
}

TEST_CASE("shopify reply: userErrors keep code and field", "[shopify][unit]") {
    const auto read = answer(200,
                             R"({"data":{"inventorySetQuantities":{"userErrors":[
                                {"code":"INVALID_LOCATION","field":["input","quantities","3","locationId"],"message":"secret"},
                                {"code":"CHANGE_FROM_QUANTITY_STALE","field":null,"message":"y"}]}}})",
                             kSetQuantities);
    REQUIRE(read.reply);
    REQUIRE(read.reply->user_errors().size() == 2);
    CHECK(read.reply->user_errors()[0].code == "invalid_location");
    CHECK(read.reply->user_errors()[0].field == std::vector<std::string>{"input", "quantities", "3", "locationId"});
    const auto whole = error_of(read.reply->user_errors());
    CHECK(whole.kind == ErrorKind::rejected);
    CHECK(whole.code == "invalid_location");
    CHECK(whole.message == "Shopify refuses input.quantities.3.locationId: invalid_location, change_from_quantity_stale");
}

TEST_CASE("shopify reply: a userError without a code is told by Shopify's fixed phrases alone", "[shopify][unit]") {
    const auto code = [](const std::string& message) {
        const auto read =
            answer(200, R"({"data":{"x":{"userErrors":[{"field":["topic"],"message":")" + message + R"("}]}}})", kAddTags);
        return read.reply->user_errors().at(0).code;
    };
    CHECK(code("Address for this topic has already been taken") == "taken");
    CHECK(code("Webhook subscription does not exist") == "not_found");
    CHECK(code("anna@example.com is no good") == "user_error");
}

TEST_CASE("shopify reply: absurd figures of cost are no figures", "[shopify][unit]") {
    const auto cost_of = [](const std::string& cost) {
        return answer(200, R"({"data":{},"extensions":{"cost":)" + cost + "}}", kLocations).cost;
    };
    CHECK_FALSE(cost_of("7"));
    CHECK_FALSE(cost_of(R"({"requestedQueryCost":"many"})"));
    CHECK_FALSE(cost_of(R"({"requestedQueryCost":-5})"));
    CHECK_FALSE(cost_of(R"({"requestedQueryCost":1e300})"));
    const auto odd =
        cost_of(R"({"requestedQueryCost":5,"throttleStatus":{"maximumAvailable":2000,"currentlyAvailable":1,"restoreRate":0}})");
    REQUIRE(odd);
    CHECK_FALSE(odd->throttle);
}

TEST_CASE("api version: twelve months from the first of its quarter", "[shopify][unit]") {
    const auto at = [](const char* text) {
        return core::parse_rfc3339(text).value();
    };
    CHECK(days_left("2026-10", at("2026-10-01T17:00:00Z")) == 365.0);
    CHECK(days_left("2026-10", at("2027-10-02T17:00:00Z")) == -1.0);
    CHECK(days_left("2027-04", at("2027-04-01T17:00:00Z")) == 366.0);
    CHECK_FALSE(days_left("unstable", at("2026-10-01T17:00:00Z")));
    CHECK_FALSE(days_left("2026-13", at("2026-10-01T17:00:00Z")));
}
