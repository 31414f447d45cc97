#include <syncline/orders/v1/events.pb.h>
#include <catch2/catch_test_macros.hpp>
#include <set>

#include "tests/samples.h"

using namespace ingress;
using namespace ingress::testing;
using namespace syncline::orders::v1;

namespace {

MappedEvent event_of(const Webhook& in, const std::string& body) {
    return ShopifyMapping().map(in, body).value();
}

}  // namespace

TEST_CASE("event identity: a redelivery has the same id, whenever it comes", "[ingress][unit]") {
    auto in = webhook(WebhookTopic::orders_updated);
    const auto first = event_of(in, sample("orders-create"));
    in.received_at += std::chrono::hours(3);
    in.webhook_id = "another-delivery";
    in.event_id = "another-action";
    const auto again = event_of(in, sample("orders-create"));
    CHECK(again.id == first.id);
    CHECK(again.value == first.value);
    CHECK(first.id.size() == 36);
    CHECK(first.id[14] == '5');
}

TEST_CASE("event identity: shop, cause, order, times and content each make another event", "[ingress][unit]") {
    std::set<std::string> ids;
    const auto add = [&](const Webhook& in, const std::string& body) {
        CHECK(ids.insert(event_of(in, body).id).second);
    };
    const auto base = sample("orders-create");
    auto in = webhook(WebhookTopic::orders_updated);
    add(in, base);
    add(webhook(WebhookTopic::orders_updated, "us"), base);
    add(webhook(WebhookTopic::orders_paid), base);
    add(in, patched(base, {{"id", "1"}}));
    add(in, patched(base, {{"updated_at", R"("2021-12-31T19:00:01-05:00")"}}));
    add(in, patched(base, {{"line_items[0].quantity", "2"}}));
    add(in, patched(base, {{"shipping_address.city", R"("Elsewhere")"}}));
    in.triggered_at = "2026-11-20T10:00:00.123456790Z";
    add(in, base);
}

TEST_CASE("event identity: a state that comes back is another event with the same content hash", "[ingress][unit]") {
    auto in = webhook(WebhookTopic::orders_updated);
    const auto a = event_of(in, sample("orders-create"));
    in.triggered_at = "2026-11-20T10:00:02Z";
    const auto b =
        event_of(in, patched(sample("orders-create"), {{"updated_at", R"("2021-12-31T19:00:05-05:00")"}, {"tags", R"("b")"}}));
    in.triggered_at = "2026-11-20T10:00:03Z";
    const auto back = event_of(in, patched(sample("orders-create"), {{"updated_at", R"("2021-12-31T19:00:06-05:00")"}}));
    CHECK(a.id != back.id);
    const auto hash = [](const MappedEvent& event) {
        return decoded<OrderChanged>(event).order().content_hash();
    };
    CHECK(hash(a) == hash(back));
    CHECK(hash(a) != hash(b));
}

TEST_CASE("event identity: what ingress leaves out and the order of members do not change the content hash", "[ingress][unit]") {
    const auto in = webhook(WebhookTopic::orders_updated);
    const auto hash = [&](const std::string& body) {
        return decoded<OrderChanged>(event_of(in, body)).order().content_hash();
    };
    const auto base = sample("orders-create");
    CHECK(hash(base) == hash(patched(base, {{"browser_ip", R"("203.0.113.1")"}, {"landing_site", R"("/x")"}})));
    const auto document = syncline::json::Document::parse(base);
    syncline::json::Writer turned;
    turned.begin_object();
    std::vector<syncline::json::Member> members;
    for (const auto member : document->root().members()) {
        members.push_back(member);
    }
    for (auto member = members.rbegin(); member != members.rend(); ++member) {
        turned.key(member->name).value(member->value);
    }
    turned.end_object();
    CHECK(hash(base) == hash(std::string(turned.view())));
}

TEST_CASE("event identity: both parts of the version keep every digit", "[ingress][unit]") {
    const auto event = event_of(webhook(WebhookTopic::orders_updated), sample("orders-create"));
    const auto order = decoded<OrderChanged>(event).order();
    CHECK(order.observed_at().seconds() == 1'795'168'800);
    CHECK(order.observed_at().nanos() == 123'456'789);
    CHECK(order.source_updated_at().seconds() == 1'640'995'200);
    CHECK_FALSE(order.fetched());
}
