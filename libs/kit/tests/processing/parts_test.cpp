// The pure pieces: offsets, the circuit, lanes, who may act, headers.
#include <catch2/catch_test_macros.hpp>

#include <memory>
#include <string>

#include "src/processing/circuit.h"
#include "src/processing/event.h"
#include "src/processing/lanes.h"
#include "src/processing/offsets.h"
#include "src/store/intent_rows.h"
#include "src/store/rows.h"

using namespace syncline;
using namespace syncline::kit;
using namespace std::chrono_literals;
using core::ErrorKind;

TEST_CASE("offsets: only the contiguous finished prefix is committed", "[unit]") {
    Offsets offsets;
    CHECK_FALSE(offsets.next().has_value());
    for (const auto offset : {5, 6, 9, 10}) {  // 7 and 8 are control records.
        offsets.begin(offset);
    }
    CHECK(offsets.next() == 5);
    offsets.finish(6);
    offsets.finish(10);
    CHECK(offsets.next() == 5);
    offsets.finish(5);
    CHECK(offsets.next() == 9);
    offsets.finish(7);  // Never begun.
    offsets.finish(5);  // Twice.
    CHECK(offsets.next() == 9);
    CHECK(offsets.open() == 2);
    offsets.finish(9);
    CHECK(offsets.next() == 11);
    CHECK(offsets.open() == 0);
}

namespace {

struct CircuitUnderTest {
    explicit CircuitUnderTest(bool can_probe) : circuit(clock, can_probe, [] { return 0.5; }, [this] { ++changes; }) {}
    core::ManualClock clock;
    int changes = 0;
    Circuit circuit;

    void fail(const std::string& key, ErrorKind kind = ErrorKind::transient, std::chrono::milliseconds retry_after = 0ms) {
        circuit.failed(key, {.kind = kind, .code = "c", .retry_after = retry_after});
    }
};

core::Result<void> no() {
    return core::fail(ErrorKind::transient, "down", "down");
}

}  // namespace

TEST_CASE("circuit: one failing key does not open it, five different ones with no success between do", "[unit]") {
    CircuitUnderTest t(false);
    for (int i = 0; i < 20; ++i) {
        t.fail("same");
    }
    CHECK_FALSE(t.circuit.open());
    for (const auto* key : {"a", "b", "c"}) {
        t.fail(key);
    }
    t.circuit.answered();
    for (const auto* key : {"a", "b", "c", "d"}) {
        t.fail(key);
    }
    CHECK_FALSE(t.circuit.open());
    t.fail("e");
    CHECK(t.circuit.open());
    CHECK(t.changes == 1);
}

TEST_CASE("circuit: a failed probe opens it at once, a good one does not", "[unit]") {
    CircuitUnderTest t(true);
    CHECK(t.circuit.due() == Circuit::Step::nothing);
    t.fail("a");
    CHECK(t.circuit.due() == Circuit::Step::probe);
    t.circuit.probed({});
    CHECK_FALSE(t.circuit.open());
    t.fail("a");
    t.circuit.probed(no());
    CHECK(t.circuit.open());
}

TEST_CASE("circuit: unauthorized and throttled open it at once, throttled for as long as it was asked", "[unit]") {
    CircuitUnderTest t(false);
    t.fail("a", ErrorKind::unauthorized);
    CHECK(t.circuit.open());
    CircuitUnderTest u(false);
    u.fail("a", ErrorKind::throttled, 90s);
    CHECK(u.circuit.open());
    u.clock.advance(89s);
    CHECK(u.circuit.due() == Circuit::Step::nothing);
    u.clock.advance(2s);
    CHECK(u.circuit.due() == Circuit::Step::trial);
}

TEST_CASE("circuit: an open one gives one trial for each step, the steps grow to 30 s, a success closes it", "[unit]") {
    CircuitUnderTest t(false);
    t.fail("a", ErrorKind::unauthorized);
    for (const auto step : {1s, 2s, 4s, 8s, 16s, 30s, 30s}) {
        t.clock.advance(step - 100ms);
        CHECK(t.circuit.due() == Circuit::Step::nothing);
        t.clock.advance(200ms);
        CHECK(t.circuit.due() == Circuit::Step::trial);
        CHECK(t.circuit.due() == Circuit::Step::nothing);
        t.fail("b");
    }
    t.clock.advance(31s);
    CHECK(t.circuit.due() == Circuit::Step::trial);
    t.circuit.undecided();  // It did not ask the target: another may.
    CHECK(t.circuit.due() == Circuit::Step::trial);
    t.circuit.answered();
    CHECK_FALSE(t.circuit.open());
    CHECK(t.changes == 2);
}

TEST_CASE("circuit: with a probe nothing is tried before the probe goes well", "[unit]") {
    CircuitUnderTest t(true);
    t.fail("a", ErrorKind::unauthorized);
    t.clock.advance(2s);
    CHECK(t.circuit.due() == Circuit::Step::probe);
    t.circuit.probed(no());
    CHECK(t.circuit.due() == Circuit::Step::nothing);
    t.clock.advance(3s);
    CHECK(t.circuit.due() == Circuit::Step::probe);
    t.circuit.probed({});
    CHECK(t.circuit.due() == Circuit::Step::trial);
}

TEST_CASE("circuit: lost answers alone never open it, but many of them ask for a probe", "[unit]") {
    CircuitUnderTest t(true);
    for (int i = 0; i < 100; ++i) {
        t.fail("same", ErrorKind::unknown_outcome);
    }
    CHECK(t.circuit.due() == Circuit::Step::nothing);
    for (const auto* key : {"a", "b", "c", "d"}) {
        t.fail(key, ErrorKind::unknown_outcome);
    }
    CHECK_FALSE(t.circuit.open());
    CHECK(t.circuit.due() == Circuit::Step::probe);
}

namespace {

struct LanesUnderTest {
    core::ManualClock clock;
    Lanes lanes{clock, [] {
                }};
    AssignmentPtr home = std::make_shared<Assignment>(TopicPartition{"orders.v1", 0});

    TaskPtr push(const std::string& key, const std::string& event_id = "e", bool alone = false) {
        auto task = std::make_shared<Task>();
        task->key = {"orders.v1", key};
        task->home = home;
        task->event.row.event_id = event_id;
        task->alone = alone;
        lanes.reserve(task->key);
        lanes.push(task);
        return task;
    }
};

}  // namespace

TEST_CASE("lanes: one task of a key at a time, keys side by side", "[unit]") {
    LanesUnderTest t;
    const auto a1 = t.push("a", "1");
    const auto a2 = t.push("a", "2");
    const auto b1 = t.push("b", "3");
    CHECK(t.lanes.take() == a1);
    CHECK(t.lanes.take() == b1);
    CHECK(t.lanes.take() == nullptr);
    t.lanes.finish(a1, {});
    CHECK(t.lanes.take() == a2);
}

TEST_CASE("lanes: a lane remembers what it settled and parked while something of its key is on the way", "[unit]") {
    LanesUnderTest t;
    const auto first = t.push("a", "1");
    t.lanes.reserve({"orders.v1", "a"});  // Another is being admitted.
    CHECK(t.lanes.take() == first);
    t.lanes.finish(first, {.parked = true, .settled = "1"});
    auto again = std::make_shared<Task>();
    again->key = first->key;
    again->home = t.home;
    again->event.row.event_id = "1";
    t.lanes.push(again);
    CHECK(t.lanes.take() == again);
    CHECK(again->lane_knows_event);
    CHECK(again->lane_parked);
    t.lanes.finish(again, {});
    const auto later = t.push("a", "1");
    CHECK(t.lanes.take() == later);
    CHECK_FALSE(later->lane_knows_event);  // By then the database knows.
}

TEST_CASE("lanes: a task that is tried again keeps its place and waits its time, or until what it waits for has ended",
          "[unit]") {
    LanesUnderTest t;
    const auto a1 = t.push("a", "1");
    t.push("a", "2");
    CHECK(t.lanes.take() == a1);
    CHECK(t.lanes.retry(a1, t.clock.steady() + 2s, "customer"));
    CHECK(t.lanes.take() == nullptr);
    t.clock.advance(1s);
    t.lanes.tick();
    CHECK(t.lanes.take() == nullptr);
    t.lanes.wake("another");
    CHECK(t.lanes.take() == nullptr);
    t.lanes.wake("customer");
    CHECK(t.lanes.take() == a1);
    CHECK(t.lanes.retry(a1, t.clock.steady() + 2s, "customer"));
    t.clock.advance(2s);
    t.lanes.tick();
    CHECK(t.lanes.take() == a1);
}

TEST_CASE("lanes: while the circuit is open one task at a time is tried, of another key than before", "[unit]") {
    LanesUnderTest t;
    const auto a = t.push("a");
    const auto b = t.push("b");
    t.lanes.trials_only(true);
    CHECK(t.lanes.take() == nullptr);
    CHECK(t.lanes.allow_trial());
    CHECK(t.lanes.take() == a);
    CHECK(a->trial);
    CHECK(t.lanes.take() == nullptr);
    t.lanes.retry(a, {});
    CHECK(t.lanes.allow_trial());
    CHECK(t.lanes.take() == b);
    t.lanes.finish(b, {});
    CHECK(t.lanes.allow_trial());
    CHECK(t.lanes.take() == a);
    t.lanes.finish(a, {});
    CHECK_FALSE(t.lanes.allow_trial());
}

TEST_CASE("lanes: a task that runs alone begins when nothing runs, and nothing is begun beside it", "[unit]") {
    LanesUnderTest t;
    const auto a = t.push("a");
    CHECK(t.lanes.take() == a);
    const auto alone = t.push("b", "e", true);
    t.push("c");
    CHECK(t.lanes.take() == nullptr);
    t.lanes.finish(a, {});
    CHECK(t.lanes.take() == alone);
    CHECK(t.lanes.take() == nullptr);
    // Waiting for a lease, it stands in nobody's way.
    t.lanes.retry(alone, t.clock.steady() + 2s);
    CHECK(t.lanes.take() != nullptr);
}

TEST_CASE("lanes: what waits for a revoked partition is dropped, what runs ends by itself", "[unit]") {
    LanesUnderTest t;
    const auto running = t.push("a", "1");
    const auto waiting = t.push("a", "2");
    const auto other = t.push("b", "3");
    CHECK(t.lanes.take() == running);
    t.home->stopping = true;
    const auto dropped = t.lanes.drop([&](const Assignment& a) { return &a == t.home.get(); });
    CHECK(dropped.size() == 2);
    CHECK(t.lanes.take() == nullptr);
    CHECK_FALSE(t.lanes.wait_idle([](const Assignment&) { return true; }, core::Deadline(core::system_clock(), 1ms)));
    CHECK_FALSE(t.lanes.retry(running, {}));
    CHECK(t.lanes.wait_idle([](const Assignment&) { return true; }, core::Deadline(core::system_clock(), 1ms)));
    CHECK(t.lanes.running() == 0);
    CHECK_FALSE(t.lanes.allow_trial());
}

TEST_CASE("lanes: a key has one run of its queue at a time", "[unit]") {
    LanesUnderTest t;
    CHECK(t.lanes.push_run({"orders.v1", "a"}, t.home));
    CHECK_FALSE(t.lanes.push_run({"orders.v1", "a"}, t.home));
    const auto run = t.lanes.take();
    CHECK_FALSE(t.lanes.push_run({"orders.v1", "a"}, t.home));
    t.lanes.finish(run, {.parked = false, .settled = {}});
    CHECK(t.lanes.push_run({"orders.v1", "a"}, t.home));
}

TEST_CASE("intents: who may act", "[unit]") {
    using store::IntentAnswerKind;
    const core::SystemTime now{100s};
    const store::IntentWish wish{.external_key = "order",
                                 .version = {5, 0, false},
                                 .holder = "eu/1",
                                 .epoch = 2,
                                 .position = {},
                                 .lease_until = now + 30s};
    store::IntentRow row{.version = Version{4, 0, false},
                         .owner = "me",
                         .holder = "eu/1",
                         .epoch = 2,
                         .lease_until = now - 1s,
                         .open = false,
                         .record = {}};
    SECTION("an older result gives way") {
        CHECK(decide_intent(wish, row, "me", now).kind == IntentAnswerKind::taken);
    }
    SECTION("an equal or newer result is the answer") {
        row.version = Version{5, 0, false};
        row.record.target_id = "7";
        const auto answer = decide_intent(wish, row, "me", now);
        CHECK(answer.kind == IntentAnswerKind::already);
        CHECK(answer.record.already_done);
        CHECK(answer.record.target_id == "7");
        row.version = Version{5, 0, true};  // Fetched wins the tie.
        CHECK(decide_intent(wish, row, "me", now).kind == IntentAnswerKind::already);
    }
    SECTION("verification and redrive write an equal version again, never an older one") {
        auto again = wish;
        again.again = true;
        row.version = Version{5, 0, false};
        CHECK(decide_intent(again, row, "me", now).kind == IntentAnswerKind::taken);
        row.version = Version{6, 0, false};
        CHECK(decide_intent(again, row, "me", now).kind == IntentAnswerKind::already);
    }
    SECTION("a shared record that exists will do, whatever its version") {
        auto any = wish;
        any.any_version = true;
        CHECK(decide_intent(any, row, "me", now).kind == IntentAnswerKind::already);
        row.version.reset();
        CHECK(decide_intent(any, row, "me", now).kind == IntentAnswerKind::taken);
    }
    SECTION("a live lease of another owner, another key or an earlier epoch is waited for") {
        row.open = true;
        row.lease_until = now + 10s;
        CHECK(decide_intent(wish, row, "me", now).kind == IntentAnswerKind::taken);
        CHECK(decide_intent(wish, row, "other", now).kind == IntentAnswerKind::busy);
        CHECK(decide_intent(wish, row, "other", now).busy_until == now + 10s);
        row.holder = "eu/2";
        CHECK(decide_intent(wish, row, "me", now).kind == IntentAnswerKind::busy);
        row.holder = "eu/1";
        row.epoch = 1;
        CHECK(decide_intent(wish, row, "me", now).kind == IntentAnswerKind::busy);
    }
    SECTION("a lease that ran out is taken over, and that is remembered") {
        row.open = true;
        const auto answer = decide_intent(wish, row, "other", now);
        CHECK(answer.kind == IntentAnswerKind::taken);
        CHECK(answer.took_over);
        CHECK_FALSE(decide_intent(wish, row, "me", now).took_over);
    }
}

TEST_CASE("rows: headers survive packing byte for byte, text that PostgreSQL cannot store is marked", "[unit]") {
    const RecordHeaders headers{{"a", std::string("\0\xff", 2)}, {"", ""}, {"a", "again"}};
    CHECK(store::unpack_headers(store::pack_headers(headers)) == headers);
    CHECK(store::unpack_headers("").empty());
    CHECK(store::unpack_headers(std::string_view("\0\0\0\x09x", 5)).size() == 1);
    CHECK(store::storable("eu/1 é") == "eu/1 é");
    CHECK(store::storable(std::string_view("a\0b", 3)) == "hex:610062");
    CHECK(store::storable("\xff") == "hex:ff");
    CHECK(store::group_number("a") != store::group_number("b"));
}

TEST_CASE("event: handlers of two groups, twice one type, or a snapshot without a version do not start", "[unit]") {
    const auto spec = [](std::string type, std::string group, Family family) {
        HandlerSpec handler;
        handler.type = std::move(type);
        handler.topic = "orders.v1";
        handler.consumer_group = std::move(group);
        handler.family = family;
        handler.make = [] {
            return nullptr;
        };
        handler.call = [](const google::protobuf::MessageLite&, Delivery&) {
            return Outcome::done();
        };
        return handler;
    };
    CHECK_FALSE(HandlerTable::make({}));
    CHECK_FALSE(HandlerTable::make({spec("A", "g", Family::fact), spec("B", "h", Family::fact)}));
    CHECK_FALSE(HandlerTable::make({spec("A", "g", Family::fact), spec("A", "g", Family::fact)}));
    CHECK_FALSE(HandlerTable::make({spec("A", "g", Family::snapshot)}));
    CHECK(HandlerTable::make({spec("A", "g", Family::fact), spec("B", "g", Family::fact)}));
}

TEST_CASE("event: a record without a usable id gets one from its position, the same each time", "[unit]") {
    HandlerSpec handler;
    handler.type = "A";
    handler.topic = "t";
    handler.consumer_group = "g";
    handler.make = [] {
        return nullptr;
    };
    handler.call = [](const google::protobuf::MessageLite&, Delivery&) {
        return Outcome::done();
    };
    const auto table = HandlerTable::make({handler});
    TransportRecord record{.position = {"t", 1, 2}, .key = std::nullopt, .value = {}, .headers = {{"ce_type", "A"}}};
    const auto event = read_event(record, *table);
    CHECK(event.row.event_id == read_event(record, *table).row.event_id);
    CHECK(event.row.event_id.size() == 36);
    CHECK(event.headers.key == "@1/2");
    CHECK(event.handler != nullptr);
    record.headers.emplace_back("ce_id", "not a uuid");
    const auto named = read_event(record, *table);
    CHECK(named.row.event_id != event.row.event_id);
    CHECK(named.headers.id == "not a uuid");
}
