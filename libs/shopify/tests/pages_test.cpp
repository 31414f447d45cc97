#include <syncline/json/writer.h>
#include <syncline/shopify/gid.h>
#include <syncline/shopify/pages.h>
#include <catch2/catch_test_macros.hpp>
#include <string>

#include "tests/rig.h"

using namespace syncline;
using namespace syncline::shopify;
using namespace syncline::shopify::testing;
using core::ErrorKind;

namespace {

std::string text_of(const json::Value& value) {
    json::Writer out;
    out.value(value);
    return std::move(out).take();
}

core::Result<Completed> completed(Rig& rig, const std::string& part) {
    const auto document = json::Document::parse(part);
    return complete(rig.admin(), document.value().root(), Priority::rest, rig.deadline);
}

constexpr const char* kEnd = R"("pageInfo":{"hasNextPage":false,"endCursor":null})";
std::string more(const std::string& cursor) {
    return R"("pageInfo":{"hasNextPage":true,"endCursor":")" + cursor + "\"}";
}

}  // namespace

TEST_CASE("gid: only the asked type with a whole number is an id", "[shopify][unit]") {
    CHECK(id_of("gid://shopify/Order/450789469", "Order").value() == 450789469);
    CHECK(id_of("gid://shopify/InventoryLevel/12?inventory_item_id=3", "InventoryLevel").value() == 12);
    CHECK(id_of("gid://shopify/Order/820982911946154508", "Order").value() == 820982911946154508ULL);
    for (const char* wrong : {"", "gid://shopify/Order/", "gid://shopify/Order/x", "gid://shopify/OrderLine/1",
                              "gid://other/Order/1", "gid://shopify/Order/-1", "gid://shopify/Order"}) {
        CHECK(id_of(wrong, "Order").error().code == "gid_malformed");
    }
    CHECK(gid("Location", 7) == "gid://shopify/Location/7");
}

TEST_CASE("pages: a further page without its document is a bug, not a shorter list", "[shopify][http]") {
    Rig rig([](const http::IncomingRequest&) { return data_answer("{}"); });
    const auto lost = completed(rig, R"({"id":"gid://shopify/Order/1","events":{"nodes":[],)" + more("a") + "}}");
    REQUIRE_FALSE(lost);
    CHECK(lost.error().kind == ErrorKind::bug);
    CHECK(lost.error().code == "connection_not_paged");
    CHECK(rig.stub.requests().empty());
}

TEST_CASE("pages: a cursor that does not move and an object that vanishes end the walk", "[shopify][http]") {
    Rig rig([](const http::IncomingRequest&) { return data_answer(R"({"node":{"lineItems":{"nodes":[],)" + more("a") + "}}}"); });
    const std::string part = R"({"id":"gid://shopify/Order/1","lineItems":{"nodes":[],)" + more("a") + "}}";
    CHECK(completed(rig, part).error().code == "cursor_stuck");
    rig.stub.answer_with([](const http::IncomingRequest&) { return data_answer(R"({"node":null})"); });
    CHECK(completed(rig, part).error().code == "node_vanished");
    CHECK(completed(rig, R"({"id":"gid://shopify/Order/1","lineItems":{"nodes":[],"pageInfo":{"hasNextPage":true}}})")
              .error()
              .kind == ErrorKind::malformed);
}

TEST_CASE("pages: nested connections are read to their end, at every depth", "[shopify][http]") {
    Rig rig([](const http::IncomingRequest& request) {
        const auto has = [&](std::string_view text) {
            return request.body.find(text) != std::string_view::npos;
        };
        if (runs(request, "OrderReturnsPage")) {
            return data_answer(
                R"({"node":{"returns":{"nodes":[{"id":"gid://shopify/Return/2","exchangeLineItems":{"nodes":[{"id":"x1"}],)" +
                more("e1") + "}}]," + kEnd + "}}}");
        }
        if (runs(request, "ReturnExchangeLineItemsPage")) {
            if (!has(R"("id":"gid://shopify/Return/2")")) {
                return json_answer("", 500);
            }
            return has(R"("after":"e1")")
                       ? data_answer(R"({"node":{"exchangeLineItems":{"nodes":[{"id":"x2"}],)" + more("e2") + "}}}")
                       : data_answer(std::string(R"({"node":{"exchangeLineItems":{"nodes":[{"id":"x3"}],)") + kEnd + "}}}");
        }
        return json_answer("", 500);
    });
    const auto whole =
        completed(rig, R"({"id":"gid://shopify/Order/1","name":"#1","returns":{"nodes":[{"id":"gid://shopify/Return/1",
        "exchangeLineItems":{"nodes":[],)" +
                           std::string(kEnd) + "}}]," + more("r1") + "}}");
    REQUIRE(whole);
    CHECK(whole->further_calls == 3);
    CHECK(
        text_of(whole->document.root()) ==
        R"({"id":"gid://shopify/Order/1","name":"#1","returns":{"nodes":[{"id":"gid://shopify/Return/1","exchangeLineItems":{"nodes":[]}},)"
        R"({"id":"gid://shopify/Return/2","exchangeLineItems":{"nodes":[{"id":"x1"},{"id":"x2"},{"id":"x3"}]}}]}})");
}

TEST_CASE("pages: what a list of ids stands for is fetched one by one", "[shopify][http]") {
    Rig rig([](const http::IncomingRequest& request) {
        const bool first = request.body.find("Refund/1\"") != std::string_view::npos;
        return runs(request, "OrderRefunds") ? data_answer(first ? R"({"node":{"id":"gid://shopify/Refund/1","note":"a"}})"
                                                                 : R"({"node":{"id":"gid://shopify/Refund/2","note":"b"}})")
                                             : json_answer("", 500);
    });
    const auto whole = completed(
        rig, R"({"id":"gid://shopify/Order/1","refunds":[{"id":"gid://shopify/Refund/1"},{"id":"gid://shopify/Refund/2"}]})");
    REQUIRE(whole);
    CHECK(text_of(whole->document.root()).find(R"("note":"b")") != std::string::npos);
    CHECK(rig.stub.requests().size() == 2);
}
