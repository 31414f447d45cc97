#include <syncline/http/problem.h>
#include <syncline/http/server.h>
#include <catch2/catch_test_macros.hpp>
#include <string>

#include "src/budget.h"

namespace syncline::http {

TEST_CASE("problem: every member is escaped, so that no text can end its string", "[http-problem][unit]") {
    const auto reply = to_reply({.status = 400, .code = "bad", .title = "a\"b\\c\n", .detail = {}, .members = {}});
    CHECK(reply.body == R"({"type":"urn:syncline:problem:bad","title":"a\"b\\c\u000a","status":400,"code":"bad"})");
    CHECK(reply.content_type == "application/problem+json");
}

TEST_CASE("problem: retry-after and allow become headers", "[http-problem][unit]") {
    CHECK(unavailable("broker_down", "no acknowledgement", std::chrono::seconds{3}).headers.get("retry-after") == "3");
    CHECK(method_not_allowed("GET, POST").headers.get("allow") == "GET, POST");
    CHECK_FALSE(not_found().headers.find("retry-after").has_value());
}

TEST_CASE("problem: the kind of an error decides the status", "[http-problem][unit]") {
    using enum core::ErrorKind;
    const auto status = [](core::ErrorKind kind) {
        return from_error({.kind = kind, .code = "c", .message = "m"}).status;
    };
    CHECK(status(malformed) == 400);
    CHECK(status(unauthorized) == 401);
    CHECK(status(not_ready) == 404);
    CHECK(status(conflict) == 409);
    CHECK(status(needs_decision) == 409);
    CHECK(status(rejected) == 422);
    CHECK(status(throttled) == 429);
    CHECK(status(transient) == 503);
    CHECK(status(unknown_outcome) == 500);
    CHECK(status(bug) == 500);
}

TEST_CASE("incoming request: query values are percent-decoded and a broken escape stays as it is", "[http-request][unit]") {
    const IncomingRequest request("GET", "/admin/dead-letters?shop=us%2Db2b&since=2026-01-01T00%3A00%3A00Z&bad=%zz&flag&a+b=c+d",
                                  {}, "");
    CHECK(request.path() == "/admin/dead-letters");
    CHECK(request.query_value("shop") == "us-b2b");
    CHECK(request.query_value("since") == "2026-01-01T00:00:00Z");
    CHECK(request.query_value("bad") == "%zz");
    CHECK(request.query_value("flag") == "");
    CHECK(request.query_value("a b") == "c d");
    CHECK(request.query_value("none") == std::nullopt);
}

TEST_CASE("incoming request: it can be moved without losing what it shows", "[http-request][unit]") {
    IncomingRequest request("POST", "/x", {{"X-One", "1"}, {"x-two", "2"}}, "body", "::1");
    const IncomingRequest moved = std::move(request);
    CHECK(moved.method() == "POST");
    CHECK(moved.get("x-one") == "1");
    CHECK(moved.count("x-two") == 1);
    CHECK(moved.header(1) == std::pair<std::string_view, std::string_view>("x-two", "2"));
    CHECK(moved.peer() == "::1");
    CHECK(moved.body == "body");
}

TEST_CASE("budget: one tag cannot take more than its share, the rest stays for others", "[http-budget][unit]") {
    Budget budget({.requests_max = 4, .bytes_max = 100, .tag_requests_max = 2, .tag_bytes_max = 50});
    auto* const eu = budget.hold("eu");
    auto* const us = budget.hold("us");
    CHECK(budget.take_bytes(eu, 51) == Budget::Verdict::tag_reached);
    CHECK(budget.take_bytes(eu, 50) == Budget::Verdict::granted);
    CHECK(budget.take_bytes(us, 50) == Budget::Verdict::granted);
    CHECK(budget.take_bytes(nullptr, 1) == Budget::Verdict::total_reached);
    CHECK(budget.bytes() == 100);
    budget.give_bytes(eu, 50);
    CHECK(budget.take_bytes(nullptr, 50) == Budget::Verdict::granted);

    CHECK(budget.take_request(eu) == Budget::Verdict::granted);
    CHECK(budget.take_request(eu) == Budget::Verdict::granted);
    CHECK(budget.take_request(eu) == Budget::Verdict::tag_reached);
    CHECK(budget.room_for_request(us) == Budget::Verdict::granted);
    CHECK(budget.take_request(us) == Budget::Verdict::granted);
    CHECK(budget.take_request(us) == Budget::Verdict::granted);
    CHECK(budget.take_request(nullptr) == Budget::Verdict::total_reached);
    budget.give_request(eu);
    CHECK(budget.take_request(nullptr) == Budget::Verdict::granted);
}

TEST_CASE("budget: a tag that nobody holds is forgotten", "[http-budget][unit]") {
    Budget budget({.requests_max = 4, .bytes_max = 100, .tag_requests_max = 2, .tag_bytes_max = 50});
    auto* const first = budget.hold("eu");
    CHECK(budget.hold("eu") == first);
    CHECK(budget.take_bytes(first, 10) == Budget::Verdict::granted);
    budget.give_bytes(first, 10);
    budget.release("eu", first);
    budget.release("eu", first);
    CHECK(budget.hold("") == nullptr);
    CHECK(budget.bytes() == 0);
}

}  // namespace syncline::http
