// The signature covers the body alone: a captured body may come again under any topic and shop. It must destroy nothing.
#include <algorithm>
#include <array>
#include <catch2/catch_test_macros.hpp>

#include "tests/samples.h"

using namespace ingress;
using namespace ingress::testing;

namespace {

constexpr std::array kOrderTopics{WebhookTopic::orders_create,    WebhookTopic::orders_updated,
                                  WebhookTopic::orders_cancelled, WebhookTopic::orders_paid,
                                  WebhookTopic::orders_fulfilled, WebhookTopic::orders_partially_fulfilled};

bool is_order_topic(WebhookTopic topic) {
    return std::ranges::find(kOrderTopics, topic) != kOrderTopics.end();
}

// The part before the slash: "locations".
std::string_view resource_of(WebhookTopic topic) {
    return to_string(topic).substr(0, to_string(topic).find('/'));
}

// Topics of one resource whose bodies are alike, and say by themselves what is the case: nothing follows from the topic.
bool alike(WebhookTopic a, WebhookTopic b) {
    const auto destroys = [](WebhookTopic topic) {
        return to_string(topic).ends_with("/delete") || topic == WebhookTopic::inventory_levels_disconnect;
    };
    const bool later = family_of(a) == TopicFamily::inventory || family_of(a) == TopicFamily::fulfillments;
    return later && resource_of(a) == resource_of(b) && destroys(a) == destroys(b);
}

}  // namespace

TEST_CASE("forged header: no body passes as another topic, except an order as an order", "[ingress][unit]") {
    const std::pair<const char*, WebhookTopic> bodies[] = {
        {"orders-create", WebhookTopic::orders_create},
        {"orders-edited", WebhookTopic::orders_edited},
        {"refunds-create", WebhookTopic::refunds_create},
        {"order_transactions-create", WebhookTopic::order_transactions_create},
        {"customers-redact", WebhookTopic::customers_redact},
        {"customers-data_request", WebhookTopic::customers_data_request},
        {"shop-redact", WebhookTopic::shop_redact},
        {"app-uninstalled", WebhookTopic::app_uninstalled},
        {"fulfillments-create", WebhookTopic::fulfillments_create},
        {"fulfillment_orders-moved", WebhookTopic::fulfillment_orders_moved},
        {"fulfillment_orders-split", WebhookTopic::fulfillment_orders_split},
        {"inventory_items-delete", WebhookTopic::inventory_items_delete},
        {"inventory_items-update", WebhookTopic::inventory_items_update},
        {"inventory_levels-disconnect", WebhookTopic::inventory_levels_disconnect},
        {"inventory_levels-update", WebhookTopic::inventory_levels_update},
        {"locations-update", WebhookTopic::locations_update},
        {"returns-approve", WebhookTopic::returns_approve},
        {"returns-cancel", WebhookTopic::returns_cancel},
        {"companies-update", WebhookTopic::other},
        {"company_locations-update", WebhookTopic::other},
        {"fulfillment_events-create", WebhookTopic::other},
        {"inventory_transfers-complete", WebhookTopic::other},
        {"tender_transactions-create", WebhookTopic::other},
        {"variants-out_of_stock", WebhookTopic::other},
        {"products-update", WebhookTopic::other},
        {"draft_orders-create", WebhookTopic::other},
        {"customers-update", WebhookTopic::other},
        {"payment_terms-create", WebhookTopic::other},
    };
    for (const auto& [name, own] : bodies) {
        auto body = sample(name);
        if (own == WebhookTopic::customers_redact || own == WebhookTopic::customers_data_request ||
            own == WebhookTopic::shop_redact) {
            body = patched(body, {{"shop_domain", R"("acme-eu.myshopify.com")"}});
        }
        if (own == WebhookTopic::app_uninstalled) {
            body = patched(body, {{"myshopify_domain", R"("acme-eu.myshopify.com")"}});
        }
        for (int i = 0; i < static_cast<int>(WebhookTopic::other); ++i) {
            const auto topic = static_cast<WebhookTopic>(i);
            INFO(name << " as " << to_string(topic));
            if (topic == own || (is_order_topic(own) && is_order_topic(topic)) || alike(own, topic)) {
                CHECK(code_of(topic, body) == "mapped");
            } else {
                CHECK(code_of(topic, body) != "mapped");
            }
        }
    }
}

TEST_CASE("forged header: a deletion has `id` and nothing else", "[ingress][unit]") {
    CHECK(code_of(WebhookTopic::orders_delete, R"({"id":1})") == "mapped");
    CHECK(code_of(WebhookTopic::orders_delete, R"({"id":1,"name":"x"})") == "delete_with_members");
    CHECK(code_of(WebhookTopic::orders_delete, R"({"id":1,"updated_at":null})") == "delete_with_members");
    CHECK(code_of(WebhookTopic::orders_delete, R"({})") == "delete_with_members");
    CHECK(code_of(WebhookTopic::orders_delete, R"({"order_id":1})") == "delete_with_members");
    CHECK(code_of(WebhookTopic::orders_delete, R"([1])") == "delete_with_members");
    CHECK(code_of(WebhookTopic::orders_delete, R"({"id":null})") == "delete_with_members");
}

TEST_CASE("forged header: what erases names its shop in the body, and it is the header's", "[ingress][unit]") {
    const std::pair<const char*, WebhookTopic> bodies[] = {{"customers-redact", WebhookTopic::customers_redact},
                                                           {"customers-data_request", WebhookTopic::customers_data_request},
                                                           {"shop-redact", WebhookTopic::shop_redact}};
    for (const auto& [name, topic] : bodies) {
        INFO(name);
        CHECK(code_of(topic, patched(sample(name), {{"shop_domain", R"("acme-us.myshopify.com")"}})) == "shop_mismatch");
        CHECK(code_of(topic, patched(sample(name), {{"shop_domain", std::nullopt}})) != "mapped");
        CHECK(code_of(topic, patched(sample(name), {{"shop_domain", "7"}})) == "shop_mismatch");
    }
    CHECK(code_of(WebhookTopic::app_uninstalled, sample("app-uninstalled")) == "member_missing");
    CHECK(code_of(WebhookTopic::app_uninstalled,
                  patched(sample("app-uninstalled"), {{"myshopify_domain", R"("acme-us.myshopify.com")"},
                                                      {"domain", R"("acme-eu.myshopify.com")"}})) == "shop_mismatch");
}

TEST_CASE("forged header: an order whose status page is another configured shop's is not this shop's", "[ingress][unit]") {
    const auto body = patched(sample("orders-create"),
                              {{"order_status_url", R"("https://acme-us.myshopify.com/1/orders/x/authenticate?key=1")"}});
    const std::string_view others[] = {"acme-us.myshopify.com"};
    auto in = webhook(WebhookTopic::orders_updated);
    CHECK(ShopifyMapping().map(in, body));
    in.other_shop_domains = others;
    const auto event = ShopifyMapping().map(in, body);
    REQUIRE_FALSE(event);
    CHECK(event.error().code == "shop_mismatch");
    CHECK(ShopifyMapping().map(in, sample("orders-create")));
}

TEST_CASE("forged header: a time in the future does not win for ever", "[ingress][unit]") {
    auto in = webhook(WebhookTopic::orders_updated);
    for (const auto& [sent, source] :
         {std::pair{"2036-01-01T00:00:00Z", ObservedAt::Source::future}, std::pair{"", ObservedAt::Source::missing},
          std::pair{"soon", ObservedAt::Source::unreadable},
          std::pair{"2026-11-20T10:00:59Z", ObservedAt::Source::triggered_at}}) {
        in.triggered_at = sent;
        const auto event = ShopifyMapping().map(in, sample("orders-create"));
        REQUIRE(event);
        INFO(sent);
        CHECK(event->observed.source == source);
        CHECK(event->observed.at == (source == ObservedAt::Source::triggered_at ? at(sent) : in.received_at));
    }
}
