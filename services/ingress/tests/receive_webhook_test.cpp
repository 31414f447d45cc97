#include "app/receive_webhook.h"

#include <catch2/catch_test_macros.hpp>
#include <optional>

#include "domain/signature.h"
#include "tests/fakes.h"
#include "tests/samples.h"

using namespace ingress;
using namespace ingress::testing;
using namespace std::chrono_literals;
using Outcome = WebhookAnswer::Outcome;

namespace {

struct World {
    FakeShops shops;
    ShopifyMapping mapping;
    FakePublisher publisher;
    syncline::core::ManualClock clock{at("2026-11-20T10:00:01Z")};
    std::mutex mutex;
    std::condition_variable wake;
    std::vector<WebhookAnswer> answers;
    ReceiveWebhook receive{shops, mapping, publisher, clock, 3s};  // Last: its thread answers into the rest.

    ReceivedWebhook webhook(std::string topic, std::string body, const std::string& shop = "eu",
                            const std::string& secret = "eu-secret") {
        ReceivedWebhook received;
        received.shop = shops.by_alias(shop);
        received.topic = std::move(topic);
        received.signature = sign(body, secret);
        received.triggered_at = "2026-11-20T10:00:00.5Z";
        received.event_id = "action-1";
        received.webhook_id = "delivery-1";
        received.api_version = "2026-10";
        received.received_at = clock.now();
        received.body = std::move(body);
        return received;
    }
    void run(ReceivedWebhook received) {
        receive.run(std::move(received), [this](WebhookAnswer answer) {
            {
                const std::lock_guard lock(mutex);
                answers.push_back(std::move(answer));
            }
            wake.notify_all();
        });
    }
    [[nodiscard]] std::size_t answered() {
        const std::lock_guard lock(mutex);
        return answers.size();
    }
    // The one answer there must be by then.
    WebhookAnswer answer() {
        std::unique_lock lock(mutex);
        REQUIRE(wake.wait_for(lock, 10s, [this] { return !answers.empty(); }));
        REQUIRE(answers.size() == 1);
        return answers.front();
    }
};

}  // namespace

TEST_CASE("receive webhook: a wrong signature is refused and nothing is published", "[ingress][unit]") {
    World world;
    auto received = world.webhook("orders/create", sample("orders-create"));
    received.body.back() = ' ';
    world.run(std::move(received));
    CHECK(world.answer().outcome == Outcome::bad_signature);
    CHECK(world.answer().code == "signature_wrong");
    CHECK(world.publisher.published().empty());
}

TEST_CASE("receive webhook: the secret of another app does not sign", "[ingress][unit]") {
    World world;
    world.run(world.webhook("orders/create", sample("orders-create"), "eu", "us-secret"));
    CHECK(world.answer().outcome == Outcome::bad_signature);
}

TEST_CASE("receive webhook: a secret rotated a moment ago refuses nothing valid", "[ingress][unit]") {
    World world;
    world.shops.rotate("eu", {"eu-secret", "eu-next"});
    world.run(world.webhook("orders/create", sample("orders-create"), "eu", "eu-next"));
    CHECK(world.answer().outcome == Outcome::published);
}

TEST_CASE("receive webhook: the signature decides before the body is looked at", "[ingress][unit]") {
    World world;
    world.run(world.webhook("orders/create", "{ not json", "eu", "wrong"));
    CHECK(world.answer().outcome == Outcome::bad_signature);
}

TEST_CASE("receive webhook: without acknowledgement in time it is unavailable, and a late one changes nothing",
          "[ingress][unit]") {
    World world;
    world.publisher.mood = FakePublisher::Mood::silent;
    world.run(world.webhook("orders/create", sample("orders-create")));
    world.clock.advance(2'999ms);
    CHECK(world.receive.waiting() == 1);
    world.clock.advance(1ms);
    CHECK(world.answer().outcome == Outcome::unavailable);
    CHECK(world.answer().code == "acknowledge_timeout");
    world.publisher.published().front().done(RecordPlace{});
    CHECK(world.answered() == 1);
    CHECK(world.receive.waiting() == 0);
}

TEST_CASE("receive webhook: a full queue is unavailable at once", "[ingress][unit]") {
    World world;
    world.publisher.mood = FakePublisher::Mood::queue_full;
    world.run(world.webhook("orders/create", sample("orders-create")));
    CHECK(world.answer().code == "producer_queue_full");
    CHECK(world.answer().outcome == Outcome::unavailable);
}

TEST_CASE("receive webhook: a producer that fails makes it unavailable, not lost", "[ingress][unit]") {
    World world;
    world.publisher.mood = FakePublisher::Mood::fails;
    world.run(world.webhook("orders/create", sample("orders-create")));
    CHECK(world.answer().outcome == Outcome::unavailable);
    CHECK(world.answer().code == "delivery_unknown");
}

TEST_CASE("receive webhook: a dead letter that is not durable is unavailable too", "[ingress][unit]") {
    World world;
    world.publisher.mood = FakePublisher::Mood::queue_full;
    world.run(world.webhook("orders/create", "{}"));
    CHECK(world.answer().outcome == Outcome::unavailable);
}

TEST_CASE("receive webhook: what cannot be mapped is answered as good once it is kept", "[ingress][unit]") {
    World world;
    world.run(world.webhook("orders/create", R"({"id":1})"));
    CHECK(world.answer().outcome == Outcome::dead_lettered);
    CHECK(world.answer().code == "member_missing");
    REQUIRE(world.publisher.published().size() == 1);
    CHECK(world.publisher.published()[0].event.topic == "dead-letters.v1");
    CHECK(world.publisher.published()[0].event.code == "member_missing");
}

TEST_CASE("receive webhook: a topic that nobody consumes is answered and not published", "[ingress][unit]") {
    World world;
    world.run(world.webhook("products/update", sample("products-update")));
    CHECK(world.answer().outcome == Outcome::ignored);
    CHECK(world.publisher.published().empty());
}

TEST_CASE("receive webhook: it is answered when the broker has it, not before", "[ingress][unit]") {
    World world;
    world.publisher.mood = FakePublisher::Mood::silent;
    world.run(world.webhook("orders/create", sample("orders-create")));
    CHECK(world.answered() == 0);
    world.publisher.published().front().done(RecordPlace{});
    const auto answer = world.answer();
    CHECK(answer.outcome == Outcome::published);
    CHECK(answer.event_id == world.publisher.published()[0].event.id);
    const auto& context = world.publisher.published()[0].context;
    CHECK(context.correlation_id == "action-1");
    CHECK(context.source == "/shopify/eu");
}

TEST_CASE("receive webhook: what waits when the service ends is told to come again", "[ingress][unit]") {
    std::optional<WebhookAnswer> answer;
    FakeShops shops;
    ShopifyMapping mapping;
    FakePublisher publisher;
    publisher.mood = FakePublisher::Mood::silent;
    syncline::core::ManualClock clock(at("2026-11-20T10:00:01Z"));
    {
        ReceiveWebhook receive(shops, mapping, publisher, clock, 3s);
        World other;
        receive.run(other.webhook("orders/create", sample("orders-create")),
                    [&](WebhookAnswer given) { answer = std::move(given); });
        CHECK_FALSE(answer);
    }
    REQUIRE(answer);
    CHECK(answer->outcome == Outcome::unavailable);
    publisher.published().front().done(RecordPlace{});
}

TEST_CASE("receive webhook: 300 waits end each exactly once, by acknowledgement or limit", "[ingress][unit]") {
    World world;
    world.publisher.mood = FakePublisher::Mood::silent;
    const auto body = sample("orders-delete");
    for (int i = 0; i < 300; ++i) {
        world.run(world.webhook("orders/delete", body));
    }
    for (std::size_t i = 0; i < 300; i += 3) {
        world.publisher.published()[i].done(RecordPlace{});
    }
    CHECK(world.answered() == 100);
    CHECK(world.receive.waiting() == 200);
    world.clock.advance(3s);
    std::unique_lock lock(world.mutex);
    REQUIRE(world.wake.wait_for(lock, 10s, [&] { return world.answers.size() == 300; }));
}

TEST_CASE("correlation id: the sender's own if it is a plain word, else the event's", "[ingress][unit]") {
    CHECK(correlation_id_of("5f3c2a10-0000", "event") == "5f3c2a10-0000");
    CHECK(correlation_id_of("", "event") == "event");
    CHECK(correlation_id_of("two words", "event") == "event");
    CHECK(correlation_id_of("x\r\ninjected: 1", "event") == "event");
    CHECK(correlation_id_of(std::string(65, 'a'), "event") == "event");
}

TEST_CASE("webhook topics: every topic that becomes an event is found by its name, others are listed or unlisted",
          "[ingress][unit]") {
    for (int i = 0; i < static_cast<int>(WebhookTopic::other); ++i) {
        const auto topic = static_cast<WebhookTopic>(i);
        CHECK(webhook_topic_from(to_string(topic)) == topic);
        CHECK(listed_topic_name(to_string(topic)) == to_string(topic));
    }
    CHECK(webhook_topic_from("ORDERS/CREATE") == WebhookTopic::other);
    CHECK(webhook_topic_from("other") == WebhookTopic::other);
    CHECK(listed_topic_name("products/update") == "products/update");
    CHECK(listed_topic_name("products/made_up") == "unlisted");
    CHECK(listed_topic_name("") == "unlisted");
    CHECK(listed_topic_name("zzz") == "unlisted");
}
