#include "syncline/zendesk/reply.h"

#include <catch2/catch_test_macros.hpp>

using namespace syncline;
using core::ErrorKind;
using zendesk::Access;
using namespace std::chrono_literals;

namespace {

http::Response answer(int status, std::string body, http::Headers headers = {}) {
    return {.status = status, .headers = std::move(headers), .body = std::move(body)};
}

core::Error error_of(int status, std::string body = {}, Access access = Access::write, http::Headers headers = {}) {
    auto result = zendesk::body_of(answer(status, std::move(body), std::move(headers)), access);
    REQUIRE_FALSE(result);
    return std::move(result.error());
}

json::Document read(std::string body) {
    auto document = json::Document::parse(std::move(body));
    REQUIRE(document);
    return std::move(*document);
}

}  // namespace

// "Over the limit: 429 + Retry-After (seconds), body may be plain text."
TEST_CASE("zendesk reply: 429 asks for patience, whatever its body is", "[zendesk][unit]") {
    const auto error = error_of(429, "Number of allowed API requests per minute exceeded", Access::read, {{"retry-after", "93"}});
    CHECK(error.kind == ErrorKind::throttled);
    CHECK(error.retry_after == 93s);
    CHECK(error_of(429).retry_after == 60s);
    CHECK(error_of(429, "", Access::write, {{"retry-after", "soon"}}).retry_after == 60s);
    CHECK(error_of(429, "", Access::write, {{"retry-after", "99999999"}}).retry_after == 600s);
}

// "500, 502, 503 (with optional Retry-After), 504, timeout: transient; ticket create only with the same Idempotency-Key."
TEST_CASE("zendesk reply: what a proxy says of a write leaves its outcome open", "[zendesk][unit]") {
    for (const int status : {408, 500, 502, 504}) {
        CHECK(error_of(status, "<html>").kind == ErrorKind::unknown_outcome);
        CHECK(error_of(status, "<html>", Access::read).kind == ErrorKind::transient);
    }
    const auto away = error_of(503, "", Access::write, {{"retry-after", "7"}});
    CHECK(away.kind == ErrorKind::transient);
    CHECK(away.retry_after == 7s);
}

// "401 credentials; 403 role, scope or plan: permanent until configuration changes."
TEST_CASE("zendesk reply: a token without rights opens the circuit", "[zendesk][unit]") {
    CHECK(error_of(401, R"({"error":"Couldn't authenticate you"})").kind == ErrorKind::unauthorized);
    CHECK(error_of(403, R"({"error":{"title":"Forbidden","message":"You do not have access"}})").kind == ErrorKind::unauthorized);
}

// "The same key with other parameters gives 400 IdempotentRequestError."
TEST_CASE("zendesk reply: a key that was used with other bytes is no refusal of the ticket", "[zendesk][unit]") {
    const auto error = error_of(400, R"({"error":"IdempotentRequestError","description":"parameters differ"})");
    CHECK(error.kind == ErrorKind::conflict);
    CHECK(error.code == "idempotency_key_used");
    CHECK(error_of(400, R"({"error":{"title":"Bad Request"}})").code == "bad_request");
}

// "Closed tickets cannot be changed (422)"; "422 DuplicateValue = look up".
TEST_CASE("zendesk reply: 422 says what is wrong, and no more of it than known words", "[zendesk][unit]") {
    const auto closed = error_of(
        422,
        R"({"error":"RecordInvalid","description":"Record validation errors","details":{"status":[{"description":"Status: closed prevents ticket update"}]}})");
    CHECK(closed.code == "ticket_closed");
    const auto taken = error_of(
        422,
        R"({"error":"RecordInvalid","details":{"email":[{"description":"Email: ann@example.com is already in use","error":"DuplicateValue"}]}})");
    CHECK(taken.kind == ErrorKind::needs_decision);
    CHECK(taken.message.find("ann@") == std::string::npos);
    CHECK(error_of(422, R"({"error":"RecordInvalid","details":"odd"})").code == "record_invalid");
    CHECK(error_of(422, "plain text").code == "record_invalid");
}

// "404 RecordNotFound (also soft-deleted): permanent"; "409 conflict: transient".
TEST_CASE("zendesk reply: a deleted ticket and a concurrent change", "[zendesk][unit]") {
    CHECK(error_of(404, R"({"error":"RecordNotFound","description":"Not found"})").code == "ticket_gone");
    CHECK(error_of(409, R"({"error":"Conflict"})").kind == ErrorKind::conflict);
    CHECK(error_of(413).kind == ErrorKind::rejected);
}

// "Create POST /tickets → 201, {"ticket":{...},"audit":{...}}"; "external_id is not unique: several tickets may come back".
TEST_CASE("zendesk reply: tickets are read, the oldest of several counts", "[zendesk][unit]") {
    const auto created =
        zendesk::body_of(answer(201, R"({"ticket":{"id":35436,"status":"new"},"audit":{"id":1}})"), Access::write);
    REQUIRE(created);
    CHECK(zendesk::ticket_in(*created) == zendesk::Ticket{.id = 35436, .status = "new"});
    const auto several = read(R"({"tickets":[{"id":9,"status":"open"},{"id":7,"status":"solved"}],"next_page":null,"count":2})");
    CHECK(zendesk::first_ticket_in(several).value() == zendesk::Ticket{.id = 7, .status = "solved"});
    CHECK_FALSE(zendesk::first_ticket_in(read(R"({"tickets":[]})")).value());
    CHECK(zendesk::user_in(read(R"({"user":{"id":12}})")) == 12);
}

TEST_CASE("zendesk reply: success that cannot be read is no failure of a write", "[zendesk][unit]") {
    CHECK(error_of(201, R"({"ticket":{"id":3)").kind == ErrorKind::unknown_outcome);
    CHECK(error_of(200, "<html>maintenance</html>", Access::read).kind == ErrorKind::transient);
    CHECK(zendesk::ticket_in(read(R"({"ticket":{"id":"35436"}})")).error().kind == ErrorKind::unknown_outcome);
    CHECK(zendesk::ticket_in(read("[]")).error().kind == ErrorKind::unknown_outcome);
    CHECK(zendesk::first_ticket_in(read(R"({"tickets":{}})")).error().kind == ErrorKind::transient);
}

// "Cursor: answer meta{has_more,after_cursor}".
TEST_CASE("zendesk reply: a comment is found by how it ends, page by page", "[zendesk][unit]") {
    const auto page = read(
        R"({"audits":[{"id":1,"events":[{"type":"Comment","body":"text [mark 1]"},{"type":"Change"}]}],"meta":{"has_more":true,"after_cursor":"abc"}})");
    CHECK(zendesk::audits_in(page, "[mark 1]")->found);
    CHECK_FALSE(zendesk::audits_in(page, "[mark 2]")->found);
    CHECK(zendesk::audits_in(page, "[mark 2]")->next_after == "abc");
    CHECK(zendesk::audits_in(read(R"({"audits":[],"meta":{"has_more":false,"after_cursor":"abc"}})"), "x")->next_after.empty());
    CHECK_FALSE(zendesk::audits_in(read("{}"), "x"));
}
