// Keys in trouble: parked, held, behind one another, and how they come free again.
#include <catch2/catch_test_macros.hpp>

#include <algorithm>

#include "tests/processing/fixtures.h"

using namespace syncline;
using namespace syncline::kit;
using namespace syncline::kit::testing;
using namespace std::chrono_literals;
using core::ErrorKind;

#define NEEDS_POSTGRES()                     \
    if (!Harness::available()) {             \
        SKIP(std::string(Harness::kWhyNot)); \
    }                                        \
    static_assert(true)

TEST_CASE("processing: a conflict parks its key alone, later events wait behind it and the newest snapshot wins", "[kit]") {
    NEEDS_POSTGRES();
    FakeTarget target;
    std::atomic<bool> locked = true;
    std::mutex mutex;
    std::vector<std::int64_t> seen;
    Harness h({.handlers = {on_order([&](const auto& event, Delivery& delivery) {
                   if (event.order().order_id() == 1) {
                       const std::lock_guard lock(mutex);
                       seen.push_back(event.order().source_updated_at().seconds());
                       if (locked) {
                           return Outcome::failed(failure(ErrorKind::conflict, "record_locked"));
                       }
                   }
                   return exporting(target)(event, delivery);
               })},
               .target = target_of(target)});
    h.start();
    h.publish(kOrders, key_of(1), order(1, 1));
    REQUIRE(h.eventually([&] { return h.inbox("parked") == 1; }));
    h.publish(kOrders, key_of(1), order(1, 3));
    h.publish(kOrders, key_of(1), order(1, 2));  // Late: it is older than what waits.
    h.publish(kOrders, key_of(2), order(2, 1));
    REQUIRE(h.settle());
    REQUIRE(h.eventually([&] { return h.inbox("skipped") == 2; }));
    CHECK(h.inbox("done") == 1);  // The other key.
    CHECK(h.parked("waiting") == 1);
    CHECK(h.dead_letters().empty());
    CHECK_FALSE(h.member().processor->figures().circuit_open);
    locked = false;
    REQUIRE(h.advance_until([&] { return h.inbox("done") == 2; }, 10s));
    REQUIRE(h.settle());
    CHECK(target.document("order_1").version == 3);
    CHECK(target.document("order_1").writes == 1);
    CHECK(h.count("SELECT count(*) FROM parked_keys") == 0);
    CHECK(h.inbox("done") == 2);
    const std::lock_guard lock(mutex);
    CHECK(seen.front() == 1);
    CHECK(std::ranges::find(seen, 2) == seen.end());
}

TEST_CASE("processing: a refund that comes before its order waits for it and does not keep it away", "[kit]") {
    NEEDS_POSTGRES();
    FakeTarget target;
    std::atomic<int> refunds = 0;
    Harness h({.handlers = {on_order(exporting(target)), on_refund([&](const auto& event, Delivery&) {
                                if (target.document("order_" + std::to_string(event.refund().order_id())).writes == 0) {
                                    return Outcome::failed(failure(ErrorKind::not_ready, "order_missing"));
                                }
                                ++refunds;
                                return Outcome::done();
                            })},
               .target = target_of(target)});
    h.start();
    h.publish(kOrders, key_of(1), refund(1, 11));
    h.publish(kOrders, key_of(1), refund(1, 12));
    REQUIRE(h.eventually([&] { return h.inbox("parked") == 2; }));
    h.publish(kOrders, key_of(1), order(1, 1));
    REQUIRE(h.eventually([&] { return h.inbox("done") == 3; }));
    CHECK(refunds == 2);
    CHECK(target.document("order_1").writes == 1);
    CHECK(h.count("SELECT count(*) FROM parked_keys") == 0);
}

TEST_CASE("processing: what stays in conflict for a day is dead-lettered with its queue", "[kit]") {
    NEEDS_POSTGRES();
    FakeTarget target;
    Harness h({.handlers = {on_order([](const auto&, Delivery&) {
                                return Outcome::failed(failure(ErrorKind::conflict, "record_locked"));
                            }),
                            on_refund([](const auto&, Delivery&) {
                                return Outcome::failed(failure(ErrorKind::not_ready, "order_missing"));
                            })},
               .target = target_of(target)});
    h.start();
    h.publish(kOrders, key_of(1), order(1, 1));
    REQUIRE(h.eventually([&] { return h.inbox("parked") == 1; }));
    h.publish(kOrders, key_of(1), refund(1, 11));
    REQUIRE(h.eventually([&] { return h.inbox("parked") == 2; }));
    REQUIRE(h.advance_until([&] { return h.inbox("dead") == 2; }, 10min));
    REQUIRE(h.settle());
    CHECK(h.dead_letters().size() == 2);
    CHECK(h.count("SELECT count(*) FROM parked_keys") == 0);
}

TEST_CASE("processing: a hold is released by the mapping it waits for and announced once", "[kit]") {
    NEEDS_POSTGRES();
    FakeTarget target;
    std::atomic<bool> mapped = false;
    Harness h({.handlers = {on_order([&](const auto& event, Delivery& delivery) {
                   if (!mapped) {
                       delivery.publish_if_held({.topic = "exports.v1", .key = delivery.headers().key, .subject = {}},
                                                refund(1, 1));
                       return Outcome::failed(failure(ErrorKind::mapping_missing, "tax_unmapped", "tax:FR/20.0/incl"));
                   }
                   return exporting(target)(event, delivery);
               })},
               .target = target_of(target),
               .resolves_hold = [&](std::string_view entry) {
                   return mapped && entry == "tax:FR/20.0/incl";
               }});
    h.start();
    for (int id = 1; id <= 30; ++id) {
        h.publish(kOrders, key_of(id), order(id, 1));
    }
    REQUIRE(h.settle());
    REQUIRE(h.inbox("held") == 30);
    h.advance(1min, 5s);
    CHECK(h.inbox("held") == 30);
    CHECK(h.published("exports.v1").size() == 30);
    const auto holds = h.admin("GET", "/admin/holds?limit=5");
    CHECK(holds.status == 200);
    CHECK(holds.body.find("tax:FR/20.0/incl") != std::string::npos);
    // Looking again without the mapping changes nothing and announces nothing.
    CHECK(h.admin("POST", "/admin/holds/eu/1/release", R"({"reason":"look again"})").status == 200);
    h.advance(3s);
    CHECK(h.inbox("held") == 30);
    CHECK(h.published("exports.v1").size() == 30);
    mapped = true;
    h.member().processor->mappings_changed("v2");
    REQUIRE(h.advance_until([&] { return h.inbox("done") == 30; }, 1s));
    CHECK(target.documents() == 30);
    CHECK(h.count("SELECT count(*) FROM parked_keys") == 0);
    CHECK(h.count("SELECT count(*) FROM mapping_versions WHERE version = 'v2'") == 1);
}

TEST_CASE("processing: a newer event settles a hold, and an override is handed to the handler", "[kit]") {
    NEEDS_POSTGRES();
    FakeTarget target;
    Harness h({.handlers = {on_order([&](const auto& event, Delivery& delivery) {
                   if (event.order().name() == "differs" && delivery.override_code() != "totals_differ") {
                       auto error = failure(ErrorKind::needs_decision, "totals_differ");
                       error.figures = {.expected = "10", .found = "11", .currency = "EUR"};
                       return Outcome::failed(error);
                   }
                   return exporting(target)(event, delivery);
               })},
               .target = target_of(target)});
    h.start();
    h.publish(kOrders, key_of(1), order(1, 1, "differs"));
    h.publish(kOrders, key_of(2), order(2, 1, "differs"));
    REQUIRE(h.eventually([&] { return h.inbox("held") == 2; }));
    h.publish(kOrders, key_of(1), order(1, 2, "mended"));
    REQUIRE(h.eventually([&] { return h.inbox("done") == 1; }));
    CHECK(target.document("order_1").version == 2);
    CHECK(h.inbox("skipped") == 1);

    CHECK(h.admin("POST", "/admin/holds/eu/2/override", R"({"code":"something_else","reason":"no"})").status == 404);
    CHECK(h.admin("POST", "/admin/holds/eu/2/override", R"({"code":"totals_differ"})").status == 400);
    CHECK(h.admin("POST", "/admin/holds/eu/2/override", R"({"code":"totals_differ","reason":"agreed"})").status == 200);
    REQUIRE(h.advance_until([&] { return h.inbox("done") == 2; }, 1s));
    CHECK(target.document("order_2").version == 1);
    CHECK(h.count("SELECT count(*) FROM admin_actions WHERE verb = 'override' AND actor = 'tester' AND subject = 'eu/2'") == 1);
}

TEST_CASE("processing: a held fact holds up facts of its own resource, not the snapshot and not other facts", "[kit]") {
    NEEDS_POSTGRES();
    FakeTarget target;
    std::mutex mutex;
    std::vector<std::int64_t> done;
    Harness h({.handlers = {on_order(exporting(target)), on_refund([&](const auto& event, Delivery& delivery) {
                                if (event.refund().refund_id() == 11 && delivery.override_code().empty()) {
                                    return Outcome::failed(failure(ErrorKind::needs_decision, "money_pending"));
                                }
                                const std::lock_guard lock(mutex);
                                done.push_back(event.refund().refund_id());
                                return Outcome::done();
                            })},
               .target = target_of(target)});
    h.start();
    h.publish(kOrders, key_of(1), refund(1, 11));
    REQUIRE(h.eventually([&] { return h.inbox("held") == 1; }));
    h.publish(kOrders, key_of(1), refund(1, 11));
    h.publish(kOrders, key_of(1), refund(1, 12));
    h.publish(kOrders, key_of(1), order(1, 5));
    REQUIRE(h.eventually([&] { return target.document("order_1").version == 5 && h.inbox("done") == 2; }));
    h.advance(3s);
    {
        const std::lock_guard lock(mutex);
        CHECK(done == std::vector<std::int64_t>{12});
    }
    CHECK(h.parked("held") + h.parked("waiting") == 2);
    CHECK(h.admin("POST", "/admin/holds/eu/1/override", R"({"code":"money_pending","reason":"seen"})").status == 200);
    CHECK(h.advance_until([&] {
        const std::lock_guard lock(mutex);
        return std::ranges::count(done, 11) >= 1;
    }));
}

TEST_CASE("processing: a dead letter is replayed once for each replay id, an older snapshot is not applied over a newer one",
          "[kit]") {
    NEEDS_POSTGRES();
    FakeTarget target;
    std::atomic<bool> refuses = true;
    std::atomic<int> refunds = 0;
    Harness h({.handlers = {on_order([&](const auto& event, Delivery& delivery) {
                                if (refuses && event.order().source_updated_at().seconds() == 1) {
                                    return Outcome::failed(failure(ErrorKind::rejected, "no_lines"));
                                }
                                return exporting(target)(event, delivery);
                            }),
                            on_refund([&](const auto&, Delivery&) {
                                if (refuses) {
                                    return Outcome::failed(failure(ErrorKind::rejected, "refused"));
                                }
                                ++refunds;
                                return Outcome::done();
                            })},
               .target = target_of(target)});
    h.start();
    h.publish(kOrders, key_of(1), order(1, 1));
    h.publish(kOrders, key_of(1), refund(1, 7));
    h.publish(kOrders, key_of(1), order(1, 2));  // Later events of the key go on.
    REQUIRE(h.settle());
    REQUIRE(h.inbox("dead") == 2);
    CHECK(target.document("order_1").version == 2);
    CHECK(h.dead_letters().size() == 2);
    refuses = false;
    const auto id_of = [&](const std::string& code) {
        return h.database().value("SELECT id::text FROM dead_letters WHERE code = $1", postgres::Params{}.add(code));
    };
    const auto order_letter = "/admin/dead-letters/" + id_of("no_lines");
    const auto refund_letter = "/admin/dead-letters/" + id_of("refused");
    CHECK(h.admin("GET", order_letter).status == 200);
    CHECK(h.admin("POST", order_letter + "/replay", R"({"replay_id":"r1"})").status == 400);
    for (int pressed = 0; pressed < 2; ++pressed) {
        CHECK(h.admin("POST", order_letter + "/replay", R"({"replay_id":"r1","reason":"mended"})").status == 200);
        CHECK(h.admin("POST", refund_letter + "/replay", R"({"replay_id":"r1","reason":"mended"})").status == 200);
    }
    CHECK(h.admin("POST", order_letter + "/replay", R"({"replay_id":"r2","reason":"mended"})").status == 409);
    REQUIRE(h.advance_until([&] { return h.inbox("dead") + h.inbox("parked") == 0; }));
    REQUIRE(h.settle());
    CHECK(target.document("order_1").version == 2);
    CHECK(target.document("order_1").writes == 1);
    CHECK(refunds == 1);
    CHECK(h.inbox("dead") == 0);
    CHECK(h.count("SELECT count(*) FROM admin_actions WHERE verb = 'replay'") == 2);
    CHECK(h.published("dead-letter-actions.v1").size() == 2);
    CHECK(h.broker().records(kOrders).size() == 3);  // Nobody else saw anything.
}

TEST_CASE("processing: a discarded dead letter stays dead and is settled", "[kit]") {
    NEEDS_POSTGRES();
    FakeTarget target;
    Harness h(
        {.handlers = {on_order([](const auto&, Delivery&) { return Outcome::failed(failure(ErrorKind::rejected, "no_lines")); })},
         .target = target_of(target)});
    h.start();
    h.publish(kOrders, key_of(1), order(1, 1));
    REQUIRE(h.settle());
    const auto path = "/admin/dead-letters/" + h.database().value("SELECT id::text FROM dead_letters");
    CHECK(h.count("SELECT count(*) FROM inbox WHERE settled_at IS NULL") == 1);
    CHECK(h.admin("POST", path + "/discard", R"({"reason":"a test order"})").status == 200);
    CHECK(h.admin("POST", path + "/replay", R"({"replay_id":"r","reason":"oh"})").status == 409);
    CHECK(h.count("SELECT count(*) FROM inbox WHERE settled_at IS NOT NULL") == 1);
    CHECK(h.count("SELECT count(*) FROM dead_letters WHERE state = 'discarded'") == 1);
}

TEST_CASE("processing: redrive handles a done event once more, after a dry run that changes nothing", "[kit]") {
    NEEDS_POSTGRES();
    FakeTarget target;
    Harness h({.handlers = {on_order(exporting(target))}, .target = target_of(target)});
    h.start();
    const std::string id = "0f8fad5b-d9cb-469f-a165-70867728950e";
    h.publish(kOrders, key_of(1), order(1, 1), {.id = id});
    REQUIRE(h.settle());
    const std::string body = R"({"ce_id":")" + id + R"(","reason":"the document was lost")";
    CHECK(h.admin("POST", "/admin/redrive", body + R"(,"dry_run":true})").status == 200);
    h.advance(3s);
    CHECK(target.document("order_1").writes == 1);
    CHECK(h.admin("POST", "/admin/redrive", body + "}").status == 200);
    REQUIRE(h.advance_until(
        [&] { return target.document("order_1").writes == 2 && h.count("SELECT count(*) FROM parked_keys") == 0; }));
    CHECK(h.inbox("done") == 1);
    CHECK(h.count("SELECT count(*) FROM parked_keys") == 0);
}

TEST_CASE("processing: what stands at the position of an event after its topic was made anew is not taken for it", "[kit]") {
    NEEDS_POSTGRES();
    std::mutex mutex;
    std::vector<std::string> timers;
    core::Clock* clock = nullptr;
    Harness h({.handlers = {on_order([&](const auto& event, Delivery& delivery) {
                   const std::lock_guard lock(mutex);
                   if (delivery.timer()) {
                       timers.push_back(event.order().name());
                   }
                   return delivery.timer() ? Outcome::done() : Outcome::done_until(clock->now() + 10min, "unconfirmed");
               })}});
    clock = &h.clock();
    h.start();
    const std::string id = "0f8fad5b-d9cb-469f-a165-70867728950e";
    h.publish(kOrders, key_of(1), order(1, 1, "mine"), {.id = id});
    h.publish(kOrders, key_of(1), order(1, 1, "another"));
    REQUIRE(h.settle());
    // As after a broker that lost everything: the row's position holds another event.
    const std::string other = "(SELECT max(record_offset) FROM inbox)";
    REQUIRE(h.count("WITH moved AS (UPDATE inbox SET record_offset = " + other + " WHERE event_id = '" + id +
                    "' RETURNING 1) SELECT count(*) FROM moved") == 1);
    REQUIRE(h.count("WITH moved AS (UPDATE timers SET event_id = '" + id + "' RETURNING 1) SELECT count(*) FROM moved") == 1);
    const auto reply = h.admin("POST", "/admin/redrive", R"({"ce_id":")" + id + R"(","reason":"the document was lost"})");
    CHECK(reply.status == 409);
    CHECK(reply.body.contains("record_gone"));
    REQUIRE(h.advance_until([&] { return h.count("SELECT count(*) FROM timers") == 0; }, 30s));
    REQUIRE(h.settle());
    const std::lock_guard lock(mutex);
    CHECK(timers.empty());
    CHECK(h.count("SELECT count(*) FROM parked_keys") == 0);
}

TEST_CASE("processing: done_until runs the handler again at its time, with the newest snapshot, and blocks nothing", "[kit]") {
    NEEDS_POSTGRES();
    std::mutex mutex;
    std::vector<std::pair<std::int64_t, bool>> runs;
    core::Clock* clock = nullptr;
    Harness h({.handlers = {on_order([&](const auto& event, Delivery& delivery) {
                   const std::lock_guard lock(mutex);
                   runs.emplace_back(event.order().source_updated_at().seconds(), delivery.timer());
                   if (delivery.timer() || event.order().name() == "paid") {
                       return Outcome::done();
                   }
                   return Outcome::done_until(clock->now() + 10min, "unconfirmed");
               })}});
    clock = &h.clock();
    h.start();
    h.publish(kOrders, key_of(1), order(1, 1));
    h.publish(kOrders, key_of(2), order(2, 1));
    REQUIRE(h.settle());
    h.advance(2min, 30s);
    h.publish(kOrders, key_of(1), order(1, 2));          // Sets the timer anew, with itself.
    h.publish(kOrders, key_of(2), order(2, 2, "paid"));  // Settles it.
    REQUIRE(h.settle());
    CHECK(h.count("SELECT count(*) FROM timers") == 1);
    REQUIRE(h.advance_until(
        [&] { return h.count("SELECT count(*) FROM timers") == 0 && h.count("SELECT count(*) FROM parked_keys") == 0; }, 30s));
    const std::lock_guard lock(mutex);
    REQUIRE(runs.size() == 5);
    CHECK(runs.back() == std::pair<std::int64_t, bool>{2, true});
    CHECK(h.inbox("done") == 4);
}
