// Bodies with a good signature that are broken, huge or made to harm: a clear error or a correct event, never anything else.
#include <syncline/common/v1/personal_data.pb.h>
#include <syncline/orders/v1/events.pb.h>
#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>

#include "tests/samples.h"

using namespace ingress;
using namespace ingress::testing;
using namespace syncline::orders::v1;

namespace {

std::string order_code(const Patches& patches) {
    return code_of(WebhookTopic::orders_create, patched(sample("orders-create"), patches));
}
std::string order_code(std::string body) {
    return code_of(WebhookTopic::orders_create, std::move(body));
}

}  // namespace

TEST_CASE("hostile body: what is not JSON is refused with the parser's code", "[ingress][unit]") {
    CHECK(order_code(std::string()) == "body_empty");
    CHECK(order_code(std::string("\n\n\n")) != "mapped");
    CHECK(order_code(std::string("{")) == "json_malformed");
    CHECK(order_code(std::string("id=1&name=x")) == "json_malformed");
    CHECK(order_code(std::string("{\"id\":1}{\"id\":2}")) == "json_trailing_text");
    CHECK(order_code(std::string(200UL * 1024, '[')) == "json_too_deep");
    CHECK(order_code(std::string("{\"name\":\"\xFF\xFE\"}")) == "utf8_invalid");
    CHECK(order_code(std::string("{\"name\":\"\\ud800\"}")) == "json_malformed");
    CHECK(order_code(std::string(R"({"total_weight":1e400})")) != "mapped");
    CHECK(order_code(std::string("[]")) == "wrong_type");
    CHECK(order_code(std::string("null")) == "wrong_type");
    CHECK(order_code(std::string("7")) == "wrong_type");
}

TEST_CASE("hostile body: an order without what gives it meaning is refused, and the message names the member",
          "[ingress][unit]") {
    const auto member = GENERATE("id", "currency", "updated_at", "line_items", "line_items[0].id", "line_items[2].quantity");
    const auto event = map(WebhookTopic::orders_create, patched(sample("orders-create"), {{member, std::nullopt}}));
    INFO(member);
    REQUIRE_FALSE(event);
    CHECK(event.error().kind == syncline::core::ErrorKind::malformed);
    CHECK(event.error().code == "member_missing");
    const std::string name = std::string(member).substr(std::string(member).rfind('.') + 1);
    CHECK(event.error().message.find(name) != std::string::npos);
}

TEST_CASE("hostile body: members of the wrong type are refused by name", "[ingress][unit]") {
    CHECK(order_code({{"id", "\"abc\""}}) == "integer_malformed");
    CHECK(order_code({{"id", "-1"}}) == "id_not_positive");
    CHECK(order_code({{"id", "0"}}) == "id_not_positive");
    CHECK(order_code({{"id", "99999999999999999999999999"}}) != "mapped");
    CHECK(order_code({{"id", "1.5"}}) != "mapped");
    CHECK(order_code({{"total_weight", "100.0"}}) == "mapped");
    CHECK(order_code({{"total_weight", "100.5"}}) != "mapped");
    CHECK(order_code({{"returns", R"([{"status":"open"}])"}, {"line_item_groups", R"([{"title":"set"}])"}}) == "mapped");
    CHECK(order_code({{"name", "{}"}}) == "wrong_type");
    CHECK(order_code({{"test", "\"yes\""}}) == "wrong_type");
    CHECK(order_code({{"line_items", "{}"}}) == "wrong_type");
    CHECK(order_code({{"line_items[0]", "\"line\""}}) == "wrong_type");
    CHECK(order_code({{"line_items[0].price_set", "\"89.99\""}}) == "wrong_type");
    CHECK(order_code({{"shipping_address", "\"Main street\""}}) == "wrong_type");
    CHECK(order_code({{"customer", "[]"}}) == "wrong_type");
    CHECK(order_code({{"updated_at", "\"yesterday\""}}) == "time_malformed");
    CHECK(order_code({{"updated_at", "1700000000"}}) == "wrong_type");
    CHECK(order_code({{"discount_codes", "[7]"}}) == "wrong_type");
}

TEST_CASE("hostile body: amounts that cannot be kept exactly are refused, not rounded", "[ingress][unit]") {
    const auto price = [](const std::string& amount) {
        return order_code({{"line_items[0].price_set", R"({"shop_money":{"amount":)" + amount + R"(,"currency_code":"USD"}})"}});
    };
    CHECK(price("\"0.1234567891\"") == "amount_precision");
    CHECK(price("\"abc\"") != "mapped");
    CHECK(price("\"1e400\"") != "mapped");
    CHECK(price("1e400") != "mapped");
    CHECK(price("\"99999999999999999999.00\"") != "mapped");
    CHECK(price("\"\"") != "mapped");
    CHECK(price("\" 1.00\"") != "mapped");
    CHECK(price("\"1,00\"") != "mapped");
    CHECK(price("\"NaN\"") != "mapped");
    CHECK(price("\"0.123456789\"") == "mapped");
    CHECK(price("-19.99") == "mapped");
    CHECK(order_code({{"line_items[0].price_set", R"({"shop_money":{"amount":"1.00"}})"}}) == "member_missing");
}

TEST_CASE("hostile body: a name that comes twice is refused, at any depth that is read", "[ingress][unit]") {
    CHECK(order_code(with_members(sample("orders-create"), R"("id":1)")) == "duplicate_key");
    CHECK(order_code(with_members(sample("orders-create"), R"("browser_ip":null)")) == "duplicate_key");
    CHECK(order_code({{"customer", R"({"id":1,"id":2})"}}) == "duplicate_key");
    CHECK(order_code({{"total_price_set", R"({"shop_money":{"amount":"1.00","amount":"2.00","currency_code":"USD"}})"}}) ==
          "duplicate_key");
    CHECK(code_of(WebhookTopic::orders_delete, R"({"id":1,"id":2})") == "duplicate_key");
    CHECK(code_of(WebhookTopic::refunds_create, with_members(sample("refunds-create"), R"("order_id":5)")) == "duplicate_key");
}

TEST_CASE("hostile body: empty and missing texts, empty lists and null lines are tolerated", "[ingress][unit]") {
    const auto order =
        mapped<OrderChanged>(WebhookTopic::orders_create, patched(sample("orders-create"), {{"line_items[0].sku", "\"\""},
                                                                                            {"line_items[1].sku", "null"},
                                                                                            {"line_items[2]", "null"},
                                                                                            {"email", "\"\""},
                                                                                            {"customer", "null"},
                                                                                            {"shipping_address", "null"},
                                                                                            {"billing_address", "{}"},
                                                                                            {"tags", "\"\""},
                                                                                            {"shipping_lines", "[]"}}))
            .order();
    CHECK(order.lines_size() == 4);
    CHECK(order.lines(1).sku().empty());
    CHECK(order.tags_size() == 0);
    CHECK(order.destination_country_code().empty());
    CHECK(mapped<OrderChanged>(WebhookTopic::orders_create, patched(sample("orders-create"), {{"line_items", "[]"}}))
              .order()
              .lines_size() == 0);
}

TEST_CASE("hostile body: U+0000 in a text is left out, because nothing behind can store it", "[ingress][unit]") {
    const auto order =
        mapped<OrderChanged>(WebhookTopic::orders_create, patched(sample("orders-create"), {{"name", R"("#1\u00002")"}}));
    CHECK(order.order().name() == "#12");
}

TEST_CASE("hostile body: attributes and properties of any type are kept as text", "[ingress][unit]") {
    const auto personal =
        mapped<OrderChanged>(
            WebhookTopic::orders_create,
            patched(sample("orders-create"), {{"note_attributes", R"([{"name":"gift","value":true},{"name":"n","value":1.50}])"},
                                              {"line_items[0].properties", R"([{"name":"a","value":{"b":[1,"c"]}}])"},
                                              {"line_items[1].properties", R"({"engraving":"A & B"})"}}))
            .order()
            .personal_data()
            .clear();
    CHECK(personal.note_attributes(0).value() == "true");
    CHECK(personal.note_attributes(1).value() == "1.50");
    CHECK(personal.line_properties(0).properties(0).value() == R"({"b":[1,"c"]})");
    CHECK(personal.line_properties(1).properties(0).name() == "engraving");
    CHECK(personal.line_properties(1).line_item_id() == 789012345678901234);
}

TEST_CASE("hostile body: an order of 500 lines and 3 MB keeps every line", "[ingress][unit]") {
    const auto document = syncline::json::Document::parse(sample("orders-create"));
    syncline::json::Writer line;
    line.value(document->root().get("line_items")->elements().begin().operator*());
    std::string lines = "[";
    const std::string filler(5'000, 'x');
    for (int i = 1; i <= 500; ++i) {
        auto text = patched(std::string(line.view()), {{"id", std::to_string(9'007'199'254'740'993 + i)},
                                                       {"properties", R"([{"name":"text","value":")" + filler + "\"}]"}});
        lines += (i > 1 ? "," : "") + text;
    }
    const auto body = patched(sample("orders-create"), {{"line_items", lines + "]"}});
    REQUIRE(body.size() > 3'000'000);
    const auto order = mapped<OrderChanged>(WebhookTopic::orders_create, body).order();
    REQUIRE(order.lines_size() == 500);
    CHECK(order.lines(499).line_item_id() == 9'007'199'254'740'993 + 500);
    CHECK(order.personal_data().clear().line_properties_size() == 500);
}

TEST_CASE("hostile body: an event that would not fit its topic becomes a dead letter", "[ingress][unit]") {
    // 13 bytes of the body become 24 of the event: a negative number takes ten bytes there.
    std::string taxes = "[";
    while (taxes.size() < 7'000'000) {
        taxes += R"({"price":-1},)";
    }
    taxes.back() = ']';
    const auto body = patched(sample("orders-create"), {{"tax_lines", taxes}});
    REQUIRE(body.size() < 8'000'000);
    CHECK(order_code(body) == "event_too_large");
}

TEST_CASE("hostile body: what cannot be mapped is kept without what may never leave, and maps when it is mended",
          "[ingress][unit]") {
    const ShopifyMapping mapping;
    const auto in = webhook(WebhookTopic::orders_create);
    const auto good = patched(sample("orders-create"), {{"browser_ip", R"("203.0.113.10")"},
                                                        {"token", R"("secret-token-1")"},
                                                        {"checkout_token", R"("secret-token-2")"},
                                                        {"client_details", R"({"user_agent":"secret-agent"})"}});
    const auto bad = patched(good, {{"line_items[0].quantity", "\"many\""}});
    const auto failed = mapping.map(in, bad);
    REQUIRE_FALSE(failed);
    const auto dead = mapping.unmappable(in, bad, failed.error());
    CHECK(dead.topic == "dead-letters.v1");
    CHECK(dead.code == failed.error().code);
    const auto kept = mapping.reopen(dead.value);
    REQUIRE(kept);
    CHECK(kept->shop == "eu");
    CHECK(kept->topic == "orders/create");
    CHECK(kept->path == "line_items[0].quantity");
    CHECK(kept->triggered_at == in.triggered_at);
    CHECK(kept->received_at == in.received_at);
    for (const auto* secret : {"203.0.113.10", "secret-token", "secret-agent", "authenticate?key"}) {
        CHECK(kept->body.find(secret) == std::string::npos);
    }
    CHECK(dead.reason.find("many") == std::string::npos);

    // The mended mapping sees what was kept and gives the event the id it would have had.
    const auto mended = patched(kept->body, {{"line_items[0].quantity", "1"}});
    const auto again = mapping.map(in, mended);
    const auto first = mapping.map(in, good);
    REQUIRE((again && first));
    CHECK(again->id == first->id);
    CHECK(again->value == first->value);
}

TEST_CASE("hostile body: what does not even parse is kept byte for byte", "[ingress][unit]") {
    const ShopifyMapping mapping;
    const std::string body = "{\"id\": 1, \xFF";
    const auto failed = mapping.map(webhook(WebhookTopic::orders_create), body);
    REQUIRE_FALSE(failed);
    const auto kept = mapping.reopen(mapping.unmappable(webhook(WebhookTopic::orders_create), body, failed.error()).value);
    REQUIRE(kept);
    CHECK(kept->body == body);
    CHECK_FALSE(mapping.reopen("no message"));
}
