#include <syncline/json/document.h>
#include <syncline/kit/admin.h>
#include <catch2/catch_test_macros.hpp>
#include <stdexcept>

#include "src/runtime/admin_door.h"

using namespace syncline;
using namespace syncline::kit;

namespace {

AdminReply send(const AdminRouter& router, std::string method, std::string path) {
    AdminRequest request;
    request.method = std::move(method);
    request.path = std::move(path);
    return router.dispatch(std::move(request));
}

std::string code_of(const AdminReply& reply) {
    const auto document = json::Document::parse(reply.body);
    REQUIRE(document);
    return std::string(*document->root().get("code")->string());
}

AdminRouter sample() {
    AdminRouter router;
    router.route("GET", "/admin/holds", "Holds.", [](const AdminRequest&) { return AdminReply::json("[]"); });
    router.route("GET", "/admin/orders/{shop}/{id}", "Order.", [](const AdminRequest& request) {
        return AdminReply::json("\"" + request.path_value("shop") + "|" + request.path_value("id") + "\"");
    });
    router.route("POST", "/admin/holds/{key...}/release", "Release.",
                 [](const AdminRequest& request) { return AdminReply::json("\"" + request.path_value("key") + "\""); });
    router.route("GET", "/admin/broken", "Broken.", [](const AdminRequest&) -> AdminReply { throw std::runtime_error("oops"); });
    return router;
}

}  // namespace

TEST_CASE("admin router: unknown paths, other methods and throwing handlers are problems with a code", "[kit][unit]") {
    const auto router = sample();
    CHECK(send(router, "GET", "/admin/nothing").status == 404);
    CHECK(code_of(send(router, "GET", "/admin/nothing")) == "no_such_route");
    CHECK(send(router, "GET", "/admin/orders/eu").status == 404);
    CHECK(send(router, "DELETE", "/admin/holds").status == 405);
    CHECK(send(router, "POST", "/admin/holds/release").status == 404);
    const auto broken = send(router, "GET", "/admin/broken");
    CHECK(broken.status == 500);
    CHECK(code_of(broken) == "internal");
    CHECK(broken.content_type == "application/problem+json");
}

TEST_CASE("admin router: segments are decoded and long ones take slashes", "[kit][unit]") {
    const auto router = sample();
    CHECK(send(router, "GET", "/admin/holds").body == "[]");
    CHECK(send(router, "GET", "/admin/holds/").body == "[]");
    CHECK(send(router, "GET", "/admin/orders/eu/4%2F2").body == "\"eu|4/2\"");
    CHECK(send(router, "POST", "/admin/holds/eu/42/release").body == "\"eu/42\"");
    CHECK(send(router, "POST", "/admin/holds/eu%2F42/release").body == "\"eu/42\"");
    CHECK(send(router, "POST", "/admin/holds/eu/release/release").body == "\"eu/release\"");
}

TEST_CASE("admin: queries and broken escapes are read without surprises", "[kit][unit]") {
    const auto query = parsed_query("class=bug&since=2026-11-20T10%3A00%3A00Z&flag&text=a+b&class=hold&=x&&bad=%zz%4");
    CHECK(query.at("class") == "hold");
    CHECK(query.at("since") == "2026-11-20T10:00:00Z");
    CHECK(query.at("flag").empty());
    CHECK(query.at("text") == "a b");
    CHECK(query.at("bad") == "%zz%4");
}

TEST_CASE("admin: the kind of an error decides the status", "[kit][unit]") {
    const auto status = [](core::ErrorKind kind) {
        return AdminReply::problem(core::Error{.kind = kind, .code = "c", .message = "m"}).status;
    };
    CHECK(status(core::ErrorKind::malformed) == 400);
    CHECK(status(core::ErrorKind::not_ready) == 404);
    CHECK(status(core::ErrorKind::conflict) == 409);
    CHECK(status(core::ErrorKind::transient) == 503);
    CHECK(status(core::ErrorKind::bug) == 500);
}

TEST_CASE("admin door: a token that is wrong, short or commented out belongs to nobody", "[kit][unit]") {
    const std::string lines =
        "ops:0123456789abcdef\r\n# old:fedcba9876543210\nshort:abc\nnocolon0123456789abc\nnight:abcdefabcdefabcdef\n";
    CHECK(actor_with_token(lines, "").empty());
    CHECK(actor_with_token(lines, "0123456789abcde").empty());
    CHECK(actor_with_token(lines, "0123456789abcdef0").empty());
    CHECK(actor_with_token(lines, "fedcba9876543210").empty());
    CHECK(actor_with_token(lines, "abc").empty());
    CHECK(actor_with_token("", "0123456789abcdef").empty());
    CHECK(actor_with_token(lines, "0123456789abcdef") == "ops");
    CHECK(actor_with_token(lines, "abcdefabcdefabcdef") == "night");
}

TEST_CASE("admin door: a probe names what failed and lists all when asked", "[kit][unit]") {
    const std::vector<Check> checks{
        {"started", {}}, {"kafka", core::fail(core::ErrorKind::transient, "kafka_unavailable", "no broker is connected")}};
    CHECK(probe_reply(checks, false).status == 503);
    CHECK(probe_reply(checks, false).body == "kafka kafka_unavailable\n");
    CHECK(probe_reply(checks, true).body == "[+] started ok\n[-] kafka failed: kafka_unavailable: no broker is connected\n");
    const std::vector<Check> advised{
        {"started", {}}, {"target", core::fail(core::ErrorKind::transient, "target_unavailable", "it is away"), true}};
    CHECK(probe_reply(advised, false).status == 200);
    CHECK(probe_reply(advised, false).body == "target target_unavailable\nok\n");
    CHECK(probe_reply(advised, true).body == "[+] started ok\n[!] target failed: target_unavailable: it is away\nok\n");
    CHECK(probe_reply({{"started", {}}}, false).status == 200);
    CHECK(probe_reply({{"started", {}}}, false).body == "ok\n");
}
