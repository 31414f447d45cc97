#include "app/receive_stock.h"

#include <catch2/catch_test_macros.hpp>
#include <condition_variable>
#include <mutex>

#include "adapters/stock/stock_mapping.h"
#include "domain/signature.h"
#include "tests/fakes.h"
#include "tests/samples.h"
#include "tests/stock_fakes.h"

using namespace ingress;
using namespace ingress::testing;
using namespace std::chrono_literals;
using Outcome = StockAnswer::Outcome;

namespace {

struct World {
    explicit World(StockLimits limits = {}) : receive(sources, mapping, publisher, clock, limits) {}

    FakeSources sources;
    JsonStockMapping mapping{StockRules{}};
    FakePublisher publisher;
    syncline::core::ManualClock clock{at("2026-11-20T10:00:00Z")};
    ReceiveStock receive;
    std::mutex mutex;
    std::condition_variable wake;
    std::vector<StockAnswer> answers;

    void run(std::string body, const std::string& source = "wms-north", const std::string& proof = "north-key") {
        ReceivedStock stock;
        stock.source = sources.by_name(source);
        if (stock.source->proof == StockProof::api_key) {
            stock.api_key = proof;
        } else {
            stock.signature = sign(body, proof);
        }
        stock.received_at = clock.now();
        stock.body = std::move(body);
        receive.run(std::move(stock), [this](StockAnswer answer) {
            {
                const std::lock_guard lock(mutex);
                answers.push_back(std::move(answer));
            }
            wake.notify_all();
        });
    }
    // The newest answer, once there are that many.
    StockAnswer answer(std::size_t count = 1) {
        std::unique_lock lock(mutex);
        REQUIRE(wake.wait_for(lock, 10s, [&] { return answers.size() >= count; }));
        REQUIRE(answers.size() == count);
        return answers.back();
    }
};

}  // namespace

TEST_CASE("receive stock: who proves nothing publishes nothing, whatever the body", "[ingress][unit]") {
    World world;
    world.run("{ no json", "wms-north", "wrong");
    CHECK(world.answer().outcome == Outcome::not_proven);
    CHECK(world.answer().code == "api_key_wrong");
    world.run(report("A-1"), "wms-north", "");
    CHECK(world.answer(2).code == "api_key_missing");
    world.run(report("A-1"), "erp", "north-key");
    CHECK(world.answer(3).code == "signature_wrong");
    world.run(report("A-1"), "till", "north-key");
    CHECK(world.answer(4).code == "api_key_wrong");
    world.sources.set_secrets("till", {""});
    world.run(report("A-1"), "till", "");
    CHECK(world.answer(5).code == "api_key_missing");
    CHECK(world.publisher.published().empty());
}

TEST_CASE("receive stock: a signature covers every byte of the body", "[ingress][unit]") {
    World world;
    world.run(report("A-1"), "erp", "erp-secret");
    CHECK(world.answer().outcome == Outcome::accepted);
    ReceivedStock altered;
    altered.source = world.sources.by_name("erp");
    altered.body = report("A-1", "12");
    altered.signature = sign(report("A-1", "13"), "erp-secret");
    std::string code;
    world.receive.run(std::move(altered), [&](const StockAnswer& answer) { code = answer.code; });
    CHECK(code == "signature_wrong");
    CHECK(world.publisher.published().size() == 1);
}

TEST_CASE("receive stock: while a secret is rotated either one is good, and one rotated a moment ago too", "[ingress][unit]") {
    World world;
    world.sources.set_secrets("wms-north", {"north-key", "north-next"});
    world.run(report("A-1"), "wms-north", "north-next");
    CHECK(world.answer().outcome == Outcome::accepted);
    world.sources.rotate("wms-north", {"north-third"});
    world.run(report("A-1"), "wms-north", "north-third");
    CHECK(world.answer(2).outcome == Outcome::accepted);
    world.run(report("A-1"), "wms-north", "north-key");
    CHECK(world.answer(3).outcome == Outcome::not_proven);
    world.sources.rotate("erp", {"erp-next"});
    world.run(report("A-1"), "erp", "erp-next");
    CHECK(world.answer(4).outcome == Outcome::accepted);
}

TEST_CASE("receive stock: it is accepted when the broker has the last record, not before", "[ingress][unit]") {
    World world;
    world.publisher.mood = FakePublisher::Mood::silent;
    world.run(batch_of(3));
    REQUIRE(world.publisher.published().size() == 3);
    world.publisher.published()[2].done(RecordPlace{});
    world.publisher.published()[0].done(RecordPlace{});
    CHECK(world.answers.empty());
    CHECK(world.receive.records_in_flight() == 1);
    world.publisher.published()[1].done(RecordPlace{});
    const auto answer = world.answer();
    CHECK(answer.outcome == Outcome::accepted);
    CHECK(answer.reports == 3);
    CHECK(answer.adjustments == 0);
    CHECK(world.receive.records_in_flight() == 0);
}

TEST_CASE("receive stock: the context of a record says where it comes from", "[ingress][unit]") {
    World world;
    world.run(report("A-1"));
    static_cast<void>(world.answer());
    const auto& published = world.publisher.published().at(0);
    CHECK(published.context.source == "/stock/wms-north");
    CHECK(published.context.correlation_id == published.event.id);
    CHECK(published.context.received_at == world.clock.now());
}

TEST_CASE("receive stock: one record that is not stored makes the whole unavailable", "[ingress][unit]") {
    World world;
    world.publisher.mood = FakePublisher::Mood::silent;
    world.run(batch_of(3));
    world.publisher.published()[0].done(RecordPlace{});
    world.publisher.published()[1].done(
        syncline::core::fail(syncline::core::ErrorKind::unknown_outcome, "delivery_unknown", "the producer was rebuilt"));
    CHECK(world.answer().outcome == Outcome::unavailable);
    CHECK(world.answer().code == "delivery_unknown");
    world.publisher.published()[2].done(RecordPlace{});
    CHECK(world.answers.size() == 1);
    CHECK(world.receive.records_in_flight() == 0);
}

TEST_CASE("receive stock: a full queue is unavailable at once and leaves nothing counted", "[ingress][unit]") {
    World world;
    world.publisher.mood = FakePublisher::Mood::queue_full;
    world.run(batch_of(3));
    CHECK(world.answer().outcome == Outcome::unavailable);
    CHECK(world.answer().code == "producer_queue_full");
    CHECK(world.receive.records_in_flight() == 0);
    world.publisher.mood = FakePublisher::Mood::fails;
    world.run(batch_of(3));
    CHECK(world.answer(2).code == "delivery_unknown");
    CHECK(world.receive.records_in_flight() == 0);
}

TEST_CASE("receive stock: without acknowledgement in time it is unavailable, but its records still count", "[ingress][unit]") {
    World world(StockLimits{.acknowledge_limit = 3s});
    world.publisher.mood = FakePublisher::Mood::silent;
    world.run(batch_of(2));
    world.clock.advance(3s);
    CHECK(world.answer().code == "acknowledge_timeout");
    // They lie in the producer's queue until the broker says something.
    CHECK(world.receive.records_in_flight() == 2);
    world.publisher.published()[0].done(RecordPlace{});
    world.publisher.published()[1].done(RecordPlace{});
    CHECK(world.answers.size() == 1);
    CHECK(world.receive.records_in_flight() == 0);
}

TEST_CASE("receive stock: one source does not take the room of the others", "[ingress][unit]") {
    World world(StockLimits{.records_in_flight_max = 10, .source_share_percent = 50});
    world.publisher.mood = FakePublisher::Mood::silent;
    world.run(batch_of(5));
    world.run(report("B-1"));
    CHECK(world.answer().outcome == Outcome::over_share);
    CHECK(world.answer().code == "source_over_share");
    world.run(batch_of(4), "till", "till-key");
    CHECK(world.receive.records_in_flight() == 9);
    // All together are bounded as well.
    world.run(batch_of(2), "erp", "erp-secret");
    CHECK(world.answer(2).outcome == Outcome::over_share);
    for (auto& published : world.publisher.published()) {
        published.done(RecordPlace{});
    }
    CHECK(world.answers.size() == 4);
    CHECK(world.receive.records_in_flight() == 0);
    // A batch above the share passes alone: else it never would.
    const auto before = world.publisher.published().size();
    world.run(batch_of(8));
    CHECK(world.publisher.published().size() == before + 8);
    for (std::size_t i = before; i < world.publisher.published().size(); ++i) {
        world.publisher.published()[i].done(RecordPlace{});
    }
    CHECK(world.answer(5).outcome == Outcome::accepted);
}

TEST_CASE("receive stock: a wrong record among good ones publishes none of them", "[ingress][unit]") {
    World world;
    world.run(R"({"reports":[)" + report("A-1") + "," + report("A-2", "null") + "]}");
    const auto answer = world.answer();
    CHECK(answer.outcome == Outcome::refused);
    CHECK(answer.code == "member_missing");
    REQUIRE(answer.refusal);
    CHECK(answer.refusal->faults.front().at == "reports[1].quantity");
    CHECK(world.publisher.published().empty());
}
