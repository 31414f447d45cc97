#include "syncline/odoo/reply.h"

#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>

using namespace syncline;
using core::ErrorKind;

namespace {

http::Response response(int status, std::string body, std::string_view type = "application/json") {
    http::Response made;
    made.status = status;
    made.headers.add("content-type", type);
    made.body = std::move(body);
    return made;
}

core::Error json2_error(int status, std::string body, std::string_view type = "application/json") {
    auto answer = odoo::read_json2(response(status, std::move(body), type));
    REQUIRE(!answer);
    return answer.error();
}

odoo::LoadReply load_reply(std::string body) {
    auto answer = odoo::read_json2(response(200, std::move(body)));
    REQUIRE(answer);
    auto reply = odoo::read_load(*answer);
    REQUIRE(reply);
    return *reply;
}

}  // namespace

TEST_CASE("odoo reply: every exception of the table has its kind", "[odoo][unit]") {
    struct Row {
        const char* name;
        const char* text;
        int status;
        ErrorKind kind;
    };
    const auto row = GENERATE(values<Row>({
        {"odoo.exceptions.UserError", "no", 422, ErrorKind::rejected},
        {"odoo.exceptions.ValidationError", "no", 422, ErrorKind::rejected},
        {"odoo.exceptions.RedirectWarning", "no", 500, ErrorKind::needs_decision},
        {"odoo.exceptions.AccessError", "no", 403, ErrorKind::needs_decision},
        {"odoo.exceptions.MissingError", "no", 404, ErrorKind::needs_decision},
        {"odoo.exceptions.LockError", "no", 409, ErrorKind::conflict},
        {"werkzeug.exceptions.NotFound", "the model 'x' does not exist", 404, ErrorKind::needs_decision},
        {"werkzeug.exceptions.UnprocessableEntity", "missing argument", 422, ErrorKind::bug},
        {"psycopg2.errors.SerializationFailure", "could not serialize", 500, ErrorKind::conflict},
        {"psycopg2.errors.DeadlockDetected", "deadlock", 500, ErrorKind::conflict},
        {"psycopg2.errors.LockNotAvailable", "lock", 500, ErrorKind::conflict},
        {"psycopg2.OperationalError", "server closed the connection", 500, ErrorKind::transient},
        {"builtins.ValueError", "Invalid field 'x'", 500, ErrorKind::rejected},
        {"builtins.KeyError", "'x'", 500, ErrorKind::conflict},
    }));
    CAPTURE(row.name);
    CHECK(odoo::error_of(row.name, row.text, row.status).kind == row.kind);
    CHECK(json2_error(row.status, std::string(R"({"name":")") + row.name + R"(","message":")" + row.text + R"("})").kind ==
          row.kind);
}

TEST_CASE("odoo reply: an error text of Odoo never reaches ours, because it quotes names", "[odoo][unit]") {
    const auto error = json2_error(
        422,
        R"({"name":"odoo.exceptions.ValidationError","message":"The VAT number [DE1] for partner [Ann Example] is not valid","debug":"Ann Example"})");
    CHECK(error.message.find("Ann") == std::string::npos);
    CHECK(error.hint.find("Ann") == std::string::npos);
    CHECK(error.code == "invalid_vat");
    CHECK(odoo::error_of("Ann Example's exception", "", 500).message.find("Ann") == std::string::npos);
}

TEST_CASE("odoo reply: status alone decides nothing", "[odoo][unit]") {
    CHECK(json2_error(404, "<!doctype html><title>404</title>", "text/html; charset=utf-8").kind == ErrorKind::transient);
    CHECK(json2_error(415, "<html>", "text/html").kind == ErrorKind::bug);
    CHECK(json2_error(401, R"({"name":"werkzeug.exceptions.Unauthorized","message":"Invalid apikey"})").kind ==
          ErrorKind::unauthorized);
    CHECK(json2_error(502, "Bad Gateway", "text/html").kind == ErrorKind::unknown_outcome);
    CHECK(json2_error(504, "").kind == ErrorKind::unknown_outcome);
    CHECK(json2_error(503, "").kind == ErrorKind::transient);
    CHECK(json2_error(429, "").kind == ErrorKind::throttled);
    CHECK(json2_error(500, "<html>Internal Server Error</html>", "text/html").kind == ErrorKind::conflict);
    CHECK(json2_error(200, "{\"ids\":[1", "application/json").kind == ErrorKind::unknown_outcome);
    // The first previews of 19 sent only a JSON string.
    CHECK(json2_error(500, "\"could not serialize access due to concurrent update\"").kind == ErrorKind::conflict);
}

TEST_CASE("odoo reply: JSON-RPC hides errors behind 200 and sends None without a result", "[odoo][unit]") {
    auto none = odoo::read_jsonrpc(response(200, R"({"jsonrpc":"2.0","id":1})"));
    REQUIRE(none);
    CHECK(!none->value());
    auto result = odoo::read_jsonrpc(response(200, R"({"jsonrpc":"2.0","id":1,"result":[7]})"));
    REQUIRE(result);
    CHECK(odoo::ids(result->value()) == std::vector<std::int64_t>{7});
    const auto failed = [](std::string_view name, std::string_view text) {
        return odoo::read_jsonrpc(
                   response(200, R"({"jsonrpc":"2.0","id":1,"error":{"code":0,"message":"Odoo Server Error","data":{"name":")" +
                                     std::string(name) + R"(","message":")" + std::string(text) + R"("}}})"))
            .error();
    };
    CHECK(failed("odoo.exceptions.AccessDenied", "Access Denied").kind == ErrorKind::unauthorized);
    CHECK(failed("odoo.exceptions.AccessError", "not allowed").kind == ErrorKind::needs_decision);
    CHECK(failed("odoo.exceptions.UserError", "no").kind == ErrorKind::rejected);
    CHECK(failed("psycopg2.errors.SerializationFailure", "x").kind == ErrorKind::conflict);
    CHECK(odoo::read_jsonrpc(response(200, "Bad request", "text/plain")).error().kind == ErrorKind::unknown_outcome);
}

TEST_CASE("odoo reply: ids false is a refusal although the status is 200", "[odoo][unit]") {
    const auto reply = load_reply(
        R"({"ids":false,"messages":[{"type":"error","record":16,"rows":{"from":48,"to":50},"field":"product_id","message":"No matching record found for database id '9' in field 'Product'"}],"nextrow":0})");
    CHECK(!reply.ids);
    const auto verdict = odoo::judge(reply, 50);
    CHECK(!verdict.send_again);
    REQUIRE(verdict.refused.size() == 1);
    CHECK(verdict.refused[0].record == 16);
    CHECK(verdict.refused[0].field == "product_id");
    CHECK(verdict.refused[0].code == "unknown_reference");
}

TEST_CASE("odoo reply: the first message after a user error is a copy with record 0, and record 0 is innocent", "[odoo][unit]") {
    const auto verdict = odoo::judge(
        load_reply(
            R"({"ids":false,"messages":[{"type":"error","record":0,"message":"Bad VAT"},{"type":"error","record":7,"message":"Bad VAT"}]})"),
        10);
    REQUIRE(verdict.refused.size() == 1);
    CHECK(verdict.refused[0].record == 7);
    // Alone, record 0 is guilty.
    const auto alone =
        odoo::judge(load_reply(R"({"ids":false,"messages":[{"type":"error","record":0,"message":"Bad VAT"}]})"), 10);
    REQUIRE(alone.refused.size() == 1);
    CHECK(alone.refused[0].record == 0);
    // Listed twice, it is guilty whatever the others say.
    const auto twice = odoo::judge(
        load_reply(
            R"({"ids":false,"messages":[{"type":"error","record":0,"message":"a"},{"type":"error","record":0,"message":"a"},{"type":"error","record":3,"message":"a"}]})"),
        10);
    CHECK(twice.refused.size() == 2);
}

TEST_CASE("odoo reply: any word of serialization makes the whole answer transient", "[odoo][unit]") {
    const auto verdict = odoo::judge(
        load_reply(
            R"({"ids":false,"messages":[{"type":"error","record":3,"message":"Missing required value"},{"type":"error","record":4,"message":"could not serialize access due to concurrent update"}]})"),
        10);
    CHECK(verdict.send_again);
    CHECK(verdict.refused.empty());
}

TEST_CASE("odoo reply: warnings and records that do not exist refuse nobody", "[odoo][unit]") {
    const auto verdict = odoo::judge(
        load_reply(
            R"({"ids":false,"messages":[{"type":"warning","record":1,"message":"x"},{"type":"error","record":99,"message":"y"},{"type":"error","message":"z"}]})"),
        10);
    CHECK(verdict.refused.empty());
    CHECK(!verdict.send_again);
}

TEST_CASE("odoo reply: an answer of load without ids is not taken for success", "[odoo][unit]") {
    for (const auto* body : {"[]", "true", "{}", R"({"ids":"x"})", R"({"ids":[0]})", R"({"ids":[1.5]})", R"({"messages":[]})"}) {
        CAPTURE(body);
        auto answer = odoo::read_json2(response(200, body));
        REQUIRE(answer);
        CHECK(!odoo::read_load(*answer));
    }
}

TEST_CASE("odoo reply: floats are read from their text and rounded once", "[odoo][unit]") {
    auto answer = odoo::read_json2(response(200, R"([1.8499999999999996, 3.57, 1e3, 0.30000000000000004, "x", false, 1e400])"));
    // No double could hold the last one.
    REQUIRE(!answer);
    answer = odoo::read_json2(response(200, R"([1.8499999999999996, 3.57, 1e3, 0.30000000000000004, "x", false])"));
    REQUIRE(answer);
    std::vector<std::string> read;
    for (const auto element : answer->value()->elements()) {
        const auto amount = odoo::amount(element, 2);
        read.push_back(amount ? amount->to_string() : "error");
    }
    CHECK(read == std::vector<std::string>{"1.85", "3.57", "1000", "0.3", "error", "error"});
}

TEST_CASE("odoo reply: empty fields read as false", "[odoo][unit]") {
    auto answer = odoo::read_json2(
        response(200, R"({"name":false,"partner_id":[7,"Ann"],"invoice_ids":false,"currency_id":false,"bad":"x"})"));
    REQUIRE(answer);
    const auto& root = *answer->value();
    CHECK(odoo::text(root.get("name")).empty());
    CHECK(odoo::ids(root.get("invoice_ids")).empty());
    CHECK(odoo::reference(*root.get("partner_id")).value()->id == 7);
    CHECK(odoo::reference(*root.get("currency_id")).value() == std::nullopt);
    CHECK(!odoo::reference(*root.get("bad")));
}
