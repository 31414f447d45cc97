#include "app/replay_webhook.h"

#include <catch2/catch_test_macros.hpp>

#include "tests/fakes.h"
#include "tests/samples.h"

using namespace ingress;
using namespace ingress::testing;
using namespace std::chrono_literals;

namespace {

struct World {
    FakeShops shops;
    ShopifyMapping mapping;
    FakePublisher publisher;
    FakeDeadLetterLog log;
    syncline::core::ManualClock clock{at("2026-11-21T10:00:00Z")};
    ReplayWebhook replay{shops, mapping, publisher, log, clock};

    [[nodiscard]] syncline::core::Deadline deadline() const { return {clock, 10s}; }
    // A dead letter that keeps this body, as if its mapping had failed then.
    void keep(const std::string& body, WebhookTopic topic = WebhookTopic::orders_updated, const std::string& shop = "eu") {
        const auto event =
            mapping.unmappable(webhook(topic, shop), body,
                               {.kind = syncline::core::ErrorKind::malformed, .code = "wrong_type", .message = "x: is wrong"});
        log.records.push_back({.at = {.partition = 2, .offset = static_cast<std::int64_t>(log.records.size())},
                               .key = event.key,
                               .event_id = event.id,
                               .correlation_id = "action-1",
                               .code = event.code,
                               .reason = event.reason,
                               .failed_at = at("2026-11-20T10:00:01Z") + std::chrono::seconds(log.records.size()),
                               .value = event.value});
    }
};

}  // namespace

TEST_CASE("replay webhook: an id that names nothing is an error", "[ingress][unit]") {
    World world;
    CHECK(world.replay.replay("2-0", {}, false, world.deadline()).error().code == "no_such_dead_letter");
    for (const auto* id : {"", "2", "2-", "-1-2", "a-b", "2-0-1", "99999999999-1"}) {
        CHECK(world.replay.replay(id, {}, false, world.deadline()).error().code == "bad_dead_letter_id");
    }
    CHECK(world.publisher.published().empty());
}

TEST_CASE("replay webhook: what still does not map stays dead, and nothing is noted", "[ingress][unit]") {
    World world;
    world.keep(R"({"id":1})");
    const auto replayed = world.replay.replay("2-0", {.actor = "ops", .reason = "try"}, false, world.deadline());
    REQUIRE_FALSE(replayed);
    CHECK(replayed.error().code == "member_missing");
    CHECK(world.publisher.published().empty());
    CHECK(world.log.noted.empty());
    CHECK(world.replay.show("2-0", world.deadline())->state == "dead");
}

TEST_CASE("replay webhook: a shop that has gone cannot be replayed into", "[ingress][unit]") {
    World world;
    world.keep(sample("orders-create"));
    world.shops.remove("eu");
    CHECK(world.replay.replay("2-0", {}, false, world.deadline()).error().code == "unknown_shop");
}

TEST_CASE("replay webhook: when the brokers do not have it, it is not noted as replayed", "[ingress][unit]") {
    World world;
    world.keep(sample("orders-create"));
    world.publisher.mood = FakePublisher::Mood::fails;
    CHECK(world.replay.replay("2-0", {}, false, world.deadline()).error().code == "delivery_unknown");
    world.publisher.mood = FakePublisher::Mood::queue_full;
    CHECK(world.replay.replay("2-0", {}, false, world.deadline()).error().code == "producer_queue_full");
    CHECK(world.log.noted.empty());
}

TEST_CASE("replay webhook: a mended mapping publishes the event that the webhook would have been", "[ingress][unit]") {
    World world;
    world.keep(sample("orders-create"));
    const auto original = world.mapping.map(webhook(WebhookTopic::orders_updated), sample("orders-create"));
    const auto replayed =
        world.replay.replay("2-0", {.replay_id = "r-1", .actor = "ops", .reason = "mended"}, false, world.deadline());
    REQUIRE(replayed);
    CHECK(replayed->event_id == original->id);
    CHECK(replayed->key == original->key);
    REQUIRE(world.publisher.published().size() == 1);
    CHECK(world.publisher.published()[0].event.value == original->value);
    CHECK(world.publisher.published()[0].context.correlation_id == "action-1");
    CHECK(world.publisher.published()[0].context.received_at == at("2026-11-20T10:00:01Z"));
    REQUIRE(world.log.noted.size() == 1);
    CHECK(world.log.noted[0].verb == "replay");
    CHECK(world.log.noted[0].actor == "ops");
    CHECK(world.log.noted[0].reason == "mended");
    CHECK(world.replay.show("2-0", world.deadline())->state == "replayed");
}

TEST_CASE("replay webhook: pressed twice it is published once, and another replay of it is refused", "[ingress][unit]") {
    World world;
    world.keep(sample("orders-create"));
    REQUIRE(world.replay.replay("2-0", {.replay_id = "r-1", .actor = "ops"}, false, world.deadline()));
    const auto again = world.replay.replay("2-0", {.replay_id = "r-1", .actor = "ops"}, false, world.deadline());
    REQUIRE(again);
    CHECK(again->repeated);
    CHECK(world.replay.replay("2-0", {.replay_id = "r-2"}, false, world.deadline()).error().code == "not_dead");
    CHECK(world.replay.discard("2-0", {.reason = "x"}, world.deadline()).error().code == "not_dead");
    CHECK(world.publisher.published().size() == 1);
    CHECK(world.log.noted.size() == 1);
}

TEST_CASE("replay webhook: a note that is lost lets the operator press again, and the event keeps its id", "[ingress][unit]") {
    World world;
    world.keep(sample("orders-create"));
    world.log.broken = true;
    CHECK_FALSE(world.replay.replay("2-0", {.replay_id = "r-1"}, false, world.deadline()));
    world.log.broken = false;
    REQUIRE(world.replay.replay("2-0", {.replay_id = "r-1"}, false, world.deadline()));
    REQUIRE(world.publisher.published().size() == 2);
    CHECK(world.publisher.published()[0].event.id == world.publisher.published()[1].event.id);
}

TEST_CASE("replay webhook: a dry run says what would be published and does nothing", "[ingress][unit]") {
    World world;
    world.keep(sample("orders-create"));
    const auto replayed = world.replay.replay("2-0", {}, true, world.deadline());
    REQUIRE(replayed);
    CHECK(replayed->type == "syncline.orders.v1.OrderChanged");
    CHECK(world.publisher.published().empty());
    CHECK(world.log.noted.empty());
}

TEST_CASE("replay webhook: discarding needs the record and is noted", "[ingress][unit]") {
    World world;
    world.keep(R"({"id":1})");
    CHECK_FALSE(world.replay.discard("2-9", {.reason = "test"}, world.deadline()));
    world.log.broken = true;
    CHECK_FALSE(world.replay.discard("2-0", {.reason = "test"}, world.deadline()));
    world.log.broken = false;
    REQUIRE(world.replay.discard("2-0", {.actor = "ops", .reason = "a test body"}, world.deadline()));
    CHECK(world.replay.show("2-0", world.deadline())->state == "discarded");
    CHECK(world.replay.discard("2-0", {.reason = "again"}, world.deadline()).value());
    CHECK(world.log.noted.size() == 1);
}

TEST_CASE("replay webhook: the list is filtered, newest first, and bounded", "[ingress][unit]") {
    World world;
    world.keep(R"({"id":1})");
    world.keep(R"({"id":2})", WebhookTopic::orders_paid, "us");
    world.keep(R"({"id":3})");
    const auto ids = [&](const DeadWebhookFilter& filter) {
        std::vector<std::string> found;
        const auto listed = world.replay.list(filter, world.deadline());
        for (const auto& state : listed.value()) {
            found.push_back(state.id);
        }
        return found;
    };
    using Ids = std::vector<std::string>;
    CHECK(ids({}) == Ids{"2-2", "2-1", "2-0"});
    CHECK(ids({.shop = "us"}) == Ids{"2-1"});
    CHECK(ids({.code = "nothing_like_it"}).empty());
    CHECK(ids({.since = at("2026-11-20T10:00:02Z")}) == Ids{"2-2", "2-1"});
    CHECK(ids({.limit = 1}) == Ids{"2-2"});
    REQUIRE(world.replay.discard("2-2", {.reason = "x"}, world.deadline()));
    CHECK(ids({.state = "dead"}) == Ids{"2-1", "2-0"});
}
