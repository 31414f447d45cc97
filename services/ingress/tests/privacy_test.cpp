// No personal text outside the envelope, and nothing in it that no consumer needs.
#include <syncline/common/v1/personal_data.pb.h>
#include <syncline/orders/v1/events.pb.h>
#include <catch2/catch_test_macros.hpp>

#include "adapters/kafka_publisher.h"
#include "tests/samples.h"

using namespace ingress;
using namespace ingress::testing;
using namespace syncline::orders::v1;

namespace {

// Every place of an order's body where a person may be named, each with a text of its own.
std::string seeded_order() {
    const std::string address =
        R"({"first_name":"Seedfirst","last_name":"Seedlast","name":"Seedfirst Seedlast","company":"Seedcompany","address1":"Seedstreet 1",)"
        R"("address2":"Seedfloor","city":"Seedcity","zip":"Seedzip","province":"Seedprovince","province_code":"KY","country":"United States",)"
        R"("country_code":"US","phone":"Seedphone","latitude":12.345678,"longitude":98.7654321})";
    return with_members(
        patched(sample("orders-create"),
                {{"billing_address", address},
                 {"shipping_address", address},
                 {"email", R"("seedmail@example.com")"},
                 {"contact_email", R"("seedcontact@example.com")"},
                 {"phone", R"("Seedphone")"},
                 {"note", R"("Seednote")"},
                 {"note_attributes", R"([{"name":"Seedattribute","value":"Seedvalue"}])"},
                 {"line_items[0].properties", R"([{"name":"Seedproperty","value":"Seedengraving"}])"},
                 {"customer.first_name", R"("Seedfirst")"},
                 {"customer.note", R"("Seedsecret")"},
                 {"browser_ip", R"("Seedip")"},
                 {"token", R"("Seedtoken")"},
                 {"client_details", R"({"browser_ip":"Seedip","user_agent":"Seedagent"})"},
                 {"order_status_url", R"("https://shop.example/Seedkey")"},
                 {"landing_site", R"("/?Seedclick")"},
                 {"refunds", "[" +
                                 patched(sample("refunds-create"),
                                         {{"note", R"("Seedrefundnote")"}, {"transactions[0].message", R"("Seedmessage")"}}) +
                                 "]"}}),
        R"("company":{"id":1,"location_id":2,"contact":{"first_name":"Seedcontact"}})");
}

}  // namespace

TEST_CASE("privacy: seeded personal texts are in the envelope and nowhere else", "[ingress][unit]") {
    const auto event = map(WebhookTopic::orders_create, seeded_order());
    REQUIRE(event);
    auto changed = decoded<OrderChanged>(*event);
    const auto personal = changed.order().personal_data().clear().SerializeAsString();
    for (const auto* text : {"Seedfirst", "Seedlast", "Seedcompany", "Seedstreet", "Seedzip", "seedmail@", "Seedphone",
                             "Seednote", "Seedattribute", "Seedengraving", "Seedrefundnote", "Seedcontact"}) {
        INFO(text);
        CHECK(personal.find(text) != std::string::npos);
    }
    changed.mutable_order()->clear_personal_data();
    CHECK(changed.SerializeAsString().find("Seed") == std::string::npos);
    CHECK(changed.SerializeAsString().find("seed") == std::string::npos);
}

TEST_CASE("privacy: tokens, addresses of the network, positions and gateway texts are not even in the envelope",
          "[ingress][unit]") {
    const auto event = map(WebhookTopic::orders_create, seeded_order());
    REQUIRE(event);
    for (const auto* text :
         {"Seedip", "Seedtoken", "Seedagent", "Seedkey", "Seedclick", "Seedmessage", "Seedsecret", "12.345678"}) {
        INFO(text);
        CHECK(event->value.find(text) == std::string::npos);
    }
}

TEST_CASE("privacy: key and headers of a record carry none of it, those of a dead letter neither", "[ingress][unit]") {
    const auto check = [](MappedEvent event) {
        const auto record = to_record(std::move(event), {.correlation_id = "c", .source = "/shopify/eu"});
        CHECK(record.key->find("Seed") == std::string::npos);
        for (const auto& header : record.headers) {
            INFO(header.name << ": " << header.value);
            CHECK(header.value.find("eed") == std::string::npos);
        }
    };
    check(map(WebhookTopic::orders_create, seeded_order()).value());
    const auto bad = patched(seeded_order(), {{"customer", R"("Seedfirst Seedlast")"}});
    const auto failed = map(WebhookTopic::orders_create, bad);
    REQUIRE_FALSE(failed);
    CHECK(failed.error().message.find("eed") == std::string::npos);
    check(ShopifyMapping().unmappable(webhook(WebhookTopic::orders_create), bad, failed.error()));
}

TEST_CASE("privacy: a refund's note is in its envelope alone", "[ingress][unit]") {
    auto recorded =
        mapped<RefundRecorded>(WebhookTopic::refunds_create, patched(sample("refunds-create"), {{"note", R"("Seednote")"}}));
    CHECK(recorded.personal_data().clear().refund_notes(0).note() == "Seednote");
    recorded.clear_personal_data();
    CHECK(recorded.SerializeAsString().find("Seed") == std::string::npos);
}
