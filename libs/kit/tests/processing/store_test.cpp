// The kit's SQL against a real PostgreSQL: fences, queues, outbox, claims.
#include <catch2/catch_test_macros.hpp>

#include <syncline/core/hash.h>
#include <syncline/kit/batch.h>
#include <syncline/postgres/testing/database.h>
#include <algorithm>
#include <thread>

#include "src/processing/closing.h"
#include "src/store/batch_rows.h"
#include "src/store/closing_rows.h"
#include "src/store/inbox_rows.h"
#include "src/store/intent_rows.h"
#include "src/store/outbox_rows.h"
#include "src/store/parked_rows.h"
#include "src/store/partition_rows.h"
#include "src/store/schema.h"

using namespace syncline;
using namespace syncline::kit;
using namespace std::chrono_literals;
using postgres::Params;

#define NEEDS_POSTGRES()                                         \
    if (!postgres::testing::Database::available()) {             \
        SKIP(std::string(postgres::testing::Database::kWhyNot)); \
    }                                                            \
    static_assert(true)

namespace {

core::Deadline soon() {
    return {core::system_clock(), 20s};
}

struct Fixture {
    Fixture() {
        for (const auto& migration : store::migrations()) {
            REQUIRE(db.pool().run(soon(), [&](postgres::Transaction& tx) { return tx.exec_script(migration.sql); }));
        }
        db.exec("CREATE TABLE ledger (key text PRIMARY KEY, amount bigint NOT NULL CHECK (amount >= 0))");
        const auto claims = store::claim_partitions(db.pool(), soon(), who, now, std::span(&partition, 1));
        REQUIRE(claims);
        epoch = claims->front().epoch;
        home->epoch = epoch;
    }

    store::EventRow event(const std::string& key, std::int64_t offset) const {
        return {.event_id = core::uuid_v5(core::kSynclineNamespace, key + std::to_string(offset)),
                .at = {"orders.v1", key},
                .type = "syncline.orders.v1.OrderChanged",
                .position = {"orders.v1", 0, offset}};
    }
    store::Closing closing(const std::string& key, std::int64_t offset, store::InboxState state = store::InboxState::done) const {
        store::Closing c;
        c.partition = partition;
        c.epoch = epoch;
        c.key = {"orders.v1", key};
        c.inbox = store::InboxWrite{.event = event(key, offset), .state = state, .reason = {}};
        return c;
    }
    store::ParkedEvent parked(const std::string& key, std::int64_t offset, Family family, Version version = {}) const {
        return {
            .event = event(key, offset),
            .family = family,
            .resource = family == Family::fact ? "refund/" + std::to_string(offset) : "",
            .version = version,
            .waiting = {.code = "locked"},
            .first_at = now,
            .last_at = now,
            .due_at = now,
            .record = {
                .position = {"orders.v1", 0, offset}, .key = key, .value = std::string("\0value", 6), .headers = {{"h", "v"}}}};
    }
    core::Result<store::ClosingBatchAnswer> write(const std::vector<store::Closing>& closings) {
        std::vector<const store::Closing*> pointers;
        std::ranges::transform(closings, std::back_inserter(pointers), [](const auto& c) { return &c; });
        store::TransactionId id;
        store::ClosingBatchAnswer answer;
        auto ran = db.pool().run(soon(), [&](postgres::Transaction& tx) -> core::Result<void> {
            auto written = store::write_closings(tx, who, now, pointers, id);
            if (!written) {
                return std::unexpected(written.error());
            }
            answer = *written;
            if (answer.again) {
                return core::fail(core::ErrorKind::conflict, "again", "again");
            }
            return {};
        });
        if (!ran && ran.error().code != "again") {
            return std::unexpected(ran.error());
        }
        return answer;
    }
    store::IntentAnswer acquire(const store::IntentWish& wish, const store::Identity& as) {
        auto answers = db.pool().run(soon(), [&](postgres::Transaction& tx) {
            return store::acquire_intents(tx, as, now, now + 2min, std::span(&wish, 1));
        });
        REQUIRE(answers);
        return answers->front();
    }

    postgres::testing::Database db;
    store::Identity who{.group = "g.v1", .grp = store::group_number("g.v1"), .connection = "target", .owner = "me"};
    core::SystemTime now{1'760'000'000s};
    TopicPartition partition{"orders.v1", 0};
    std::int64_t epoch = 0;
    AssignmentPtr home = std::make_shared<Assignment>(TopicPartition{"orders.v1", 0});
};

}  // namespace

TEST_CASE("store: a newer owner of the partition makes closings of the old one void", "[postgres]") {
    NEEDS_POSTGRES();
    Fixture f;
    auto other = f.who;
    other.owner = "other";
    REQUIRE(store::claim_partitions(f.db.pool(), soon(), other, f.now, std::span(&f.partition, 1)));
    const auto answer = f.write({f.closing("eu/1", 1), f.closing("eu/2", 2)});
    REQUIRE(answer);
    CHECK(answer->again);
    CHECK(answer->answers[0].verdict == store::Verdict::not_owner);
    CHECK(answer->answers[1].verdict == store::Verdict::not_owner);
    CHECK(f.db.value("SELECT count(*) FROM inbox") == "0");
}

TEST_CASE("store: an event whose intent was taken over is not written, the others of its batch are", "[postgres]") {
    NEEDS_POSTGRES();
    Fixture f;
    const store::IntentWish wish{.external_key = "order_1",
                                 .version = {1, 1, false},
                                 .holder = "eu/1",
                                 .epoch = f.epoch,
                                 .position = {},
                                 .lease_until = f.now + 30s};
    CHECK(f.acquire(wish, f.who).kind == store::IntentAnswerKind::taken);
    auto other = f.who;
    other.owner = "other";
    CHECK(f.acquire(wish, other).kind == store::IntentAnswerKind::busy);
    f.now += 31s;
    auto later = wish;
    later.lease_until = f.now + 30s;
    const auto taken = f.acquire(later, other);
    CHECK(taken.kind == store::IntentAnswerKind::taken);
    CHECK(taken.took_over);
    CHECK(f.db.value("SELECT count(*) FROM intents WHERE verify_at IS NOT NULL") == "1");

    Database database(f.db.pool(), [](bool) {});
    ClosingDesk desk(database, f.who, core::system_clock(), 50ms);
    auto lost = f.closing("eu/1", 1);
    lost.intents.push_back({.external_key = "order_1", .version = {1, 1, false}, .record = {}, .position = {"orders.v1", 0, 1}});
    auto good = f.closing("eu/2", 2);
    core::Result<store::ClosingAnswer> lost_answer;
    core::Result<store::ClosingAnswer> good_answer;
    {
        std::jthread one([&] { lost_answer = desk.settle({lost, f.home}); });
        std::jthread two([&] { good_answer = desk.settle({good, f.home}); });
    }
    REQUIRE(lost_answer);
    REQUIRE(good_answer);
    CHECK(lost_answer->verdict == store::Verdict::fence_lost);
    CHECK(good_answer->verdict == store::Verdict::closed);
    CHECK(f.db.value("SELECT string_agg(key, ',') FROM inbox") == "eu/2");
}

TEST_CASE("store: rows that PostgreSQL refuses fail their event alone", "[postgres]") {
    NEEDS_POSTGRES();
    Fixture f;
    Database database(f.db.pool(), [](bool) {});
    ClosingDesk desk(database, f.who, core::system_clock(), 50ms);
    constexpr std::string_view kSql = "INSERT INTO ledger (key, amount) SELECT * FROM unnest($1::text[], $2::bigint[])";
    std::vector<core::Result<store::ClosingAnswer>> answers(20);
    {
        std::vector<std::jthread> threads;
        for (int i = 0; i < 20; ++i) {
            threads.emplace_back([&, i] {
                auto closing = f.closing("eu/" + std::to_string(i), i);
                closing.rows.push_back({.sql = kSql, .values = {"k" + std::to_string(i), i == 7 ? "-1" : "1"}});
                answers[static_cast<std::size_t>(i)] = desk.settle({std::move(closing), f.home});
            });
        }
    }
    for (int i = 0; i < 20; ++i) {
        CHECK(answers[static_cast<std::size_t>(i)].has_value() == (i != 7));
    }
    CHECK(answers[7].error().kind == core::ErrorKind::rejected);
    CHECK(f.db.value("SELECT count(*) FROM ledger") == "19");
    CHECK(f.db.value("SELECT count(*) FROM inbox") == "19");
}

TEST_CASE("store: an event settled by another run is a duplicate and leaves no rows", "[postgres]") {
    NEEDS_POSTGRES();
    Fixture f;
    REQUIRE(f.write({f.closing("eu/1", 1)}));
    auto again = f.closing("eu/1", 1);
    again.rows.push_back(
        {.sql = "INSERT INTO ledger (key, amount) SELECT * FROM unnest($1::text[], $2::bigint[])", .values = {"k", "1"}});
    const auto answer = f.write({again, f.closing("eu/2", 2)});
    REQUIRE(answer);
    CHECK(answer->again);
    CHECK(answer->answers[0].verdict == store::Verdict::duplicate);
    CHECK(answer->answers[1].verdict == store::Verdict::closed);
    CHECK(f.db.value("SELECT count(*) FROM ledger") == "0");
}

TEST_CASE("store: a transaction can be asked whether it was committed", "[postgres]") {
    NEEDS_POSTGRES();
    Fixture f;
    const auto closing = f.closing("eu/1", 1);
    const store::Closing* pointer = &closing;
    store::TransactionId committed;
    store::TransactionId rolled_back;
    REQUIRE(f.db.pool().run(soon(), [&](postgres::Transaction& tx) -> core::Result<void> {
        (void)store::write_closings(tx, f.who, f.now, std::span(&pointer, 1), committed);
        const auto running = store::was_committed(f.db.pool(), soon(), committed);
        CHECK((running && !running->has_value()));
        return {};
    }));
    (void)f.db.pool().run(soon(), [&](postgres::Transaction& tx) -> core::Result<void> {
        (void)store::write_closings(tx, f.who, f.now, std::span(&pointer, 1), rolled_back);
        return core::fail(core::ErrorKind::bug, "no", "no");
    });
    CHECK(**store::was_committed(f.db.pool(), soon(), committed) == true);
    CHECK(**store::was_committed(f.db.pool(), soon(), rolled_back) == false);
}

TEST_CASE("store: a queue holds the newest snapshot and all facts, in the order of a run", "[postgres]") {
    NEEDS_POSTGRES();
    Fixture f;
    const auto append = [&](std::int64_t offset, Family family, Version version) {
        auto closing = f.closing("eu/1", offset, store::InboxState::parked);
        closing.append = f.parked("eu/1", offset, family, version);
        closing.append_wakes = true;
        const auto answer = f.write({closing});
        REQUIRE(answer);
        CHECK(answer->answers[0].key_parked);
        return answer->answers[0].superseded;
    };
    CHECK_FALSE(append(1, Family::fact, {}));
    CHECK_FALSE(append(2, Family::snapshot, {20, 0, false}));
    CHECK(append(3, Family::snapshot, {10, 0, false}));
    CHECK_FALSE(append(4, Family::snapshot, {30, 0, false}));
    CHECK_FALSE(append(5, Family::fact, {}));
    const store::KeyOf key{"orders.v1", "eu/1"};
    const auto queue = store::load_queues(f.db.pool(), soon(), f.who, f.now, std::span(&key, 1));
    REQUIRE(queue);
    REQUIRE(queue->size() == 3);
    CHECK((*queue)[0].event.position.offset == 4);
    CHECK((*queue)[1].event.position.offset == 1);
    CHECK((*queue)[2].event.position.offset == 5);
    CHECK((*queue)[0].record.value == std::string("\0value", 6));
    CHECK((*queue)[0].record.headers == RecordHeaders{{"h", "v"}});
    CHECK(
        f.db.value("SELECT string_agg(record_offset::text, ',' ORDER BY record_offset) FROM inbox WHERE reason = 'superseded'") ==
        "2,3");

    const auto due = store::due_keys(f.db.pool(), soon(), f.who, f.now, std::span(&f.partition, 1), {}, 10);
    REQUIRE(due);
    CHECK(due->size() == 1);
    CHECK(store::due_keys(f.db.pool(), soon(), f.who, f.now, std::span(&f.partition, 1), std::span(&key, 1), 10)->empty());
    const TopicPartition elsewhere{"orders.v1", 1};
    CHECK(store::due_keys(f.db.pool(), soon(), f.who, f.now, std::span(&elsewhere, 1), {}, 10)->empty());

    for (const auto& event : *queue) {
        auto closing = f.closing("eu/1", event.event.position.offset);
        closing.inbox->known = true;
        closing.remove = event.seq;
        const auto answer = f.write({closing});
        REQUIRE(answer);
        CHECK(answer->answers[0].key_parked == (event.event.position.offset != 5));
    }
    CHECK(f.db.value("SELECT count(*) FROM parked_keys") == "0");
    CHECK(f.db.value("SELECT count(*) FROM inbox WHERE state = 'done'") == "3");
}

TEST_CASE("store: outbox versions count up for each aggregate, and each row is sent once", "[postgres]") {
    NEEDS_POSTGRES();
    Fixture f;
    const auto row = [&](const std::string& key, int n) {
        return store::OutboxRow{.id = core::uuid_v5(core::kSynclineNamespace, key + "|" + std::to_string(n)),
                                .aggregate_type = "exports.v1",
                                .aggregate_id = key,
                                .type = "T",
                                .record = {.topic = "exports.v1", .key = key, .value = std::to_string(n), .headers = {}}};
    };
    for (int batch = 0; batch < 3; ++batch) {
        auto a = f.closing("eu/1", batch);
        a.outbox = {row("eu/1", 2 * batch), row("eu/1", 2 * batch + 1)};
        auto b = f.closing("eu/2", 100 + batch);
        b.outbox = {row("eu/2", batch)};
        REQUIRE(f.write({b, a}));
    }
    REQUIRE(f.write({[&] {
        auto again = f.closing("eu/3", 7);
        again.outbox = {row("eu/1", 0)};  // The same id: a run that was repeated.
        return again;
    }()}));
    CHECK(f.db.value("SELECT string_agg(convert_from(payload, 'UTF8') || ':' || version, ',' ORDER BY version) FROM outbox WHERE "
                     "aggregateid = 'eu/1'") == "0:1,1:2,2:3,3:4,4:5,5:6");
    const auto buckets = store::lease_buckets(f.db.pool(), soon(), "relay", f.now, f.now + 10s);
    REQUIRE(buckets);
    CHECK(buckets->size() == store::kOutboxBuckets);
    CHECK(store::lease_buckets(f.db.pool(), soon(), "another", f.now + 5s, f.now + 15s)->empty());
    CHECK(store::lease_buckets(f.db.pool(), soon(), "another", f.now + 11s, f.now + 21s)->size() == store::kOutboxBuckets);
    const auto rows = store::read_outbox(f.db.pool(), soon(), *buckets, {}, 100, 1'000'000);
    REQUIRE(rows);
    CHECK(rows->size() == 9);
    const std::vector<std::string> blocked{"exports.v1/eu/1"};
    CHECK(store::read_outbox(f.db.pool(), soon(), *buckets, blocked, 100, 1'000'000)->size() == 3);
    // At least one row, however large; no more than fit.
    CHECK(store::read_outbox(f.db.pool(), soon(), *buckets, {}, 100, 1)->size() == 1);
}

TEST_CASE("store: an unclean stop is known to the next owner, a goodbye clears it", "[postgres]") {
    NEEDS_POSTGRES();
    Fixture f;
    const store::Mark mark{.partition = f.partition, .epoch = f.epoch, .end = 42};
    REQUIRE(store::raise_marks(f.db.pool(), soon(), f.who, std::span(&mark, 1)));
    auto claims = store::claim_partitions(f.db.pool(), soon(), f.who, f.now, std::span(&f.partition, 1));
    REQUIRE(claims);
    CHECK(claims->front().suspect_end == 42);
    CHECK(claims->front().epoch == f.epoch + 1);
    const store::Mark next{.partition = f.partition, .epoch = f.epoch + 1, .end = 50};
    REQUIRE(store::raise_marks(f.db.pool(), soon(), f.who, std::span(&next, 1)));
    const store::Goodbye late{f.partition, f.epoch};  // Of the owner before: too late.
    REQUIRE(store::say_goodbye(f.db.pool(), soon(), f.who, std::span(&late, 1)));
    CHECK(f.db.value("SELECT clean FROM partition_markers") == "f");
    const store::Goodbye goodbye{f.partition, f.epoch + 1};
    REQUIRE(store::say_goodbye(f.db.pool(), soon(), f.who, std::span(&goodbye, 1)));
    claims = store::claim_partitions(f.db.pool(), soon(), f.who, f.now, std::span(&f.partition, 1));
    CHECK_FALSE(claims->front().suspect_end.has_value());
}

TEST_CASE("store: a claim for partitions that have gone meanwhile takes nothing from their owner", "[postgres]") {
    NEEDS_POSTGRES();
    Fixture f;
    auto late = f.who;
    late.owner = "late";
    const auto gone = store::claim_partitions(f.db.pool(), soon(), late, f.now, std::span(&f.partition, 1), [] { return false; });
    REQUIRE_FALSE(gone);
    CHECK(gone.error().code == store::kPartitionsMoved);
    CHECK(f.db.value("SELECT owner FROM partition_owner") == f.who.owner);
    CHECK(f.db.value("SELECT epoch FROM partition_owner") == std::to_string(f.epoch));
}

TEST_CASE("store: two groups of one number do not share a schema", "[postgres]") {
    NEEDS_POSTGRES();
    Fixture f;
    auto other = f.who;
    other.group = "h.v1";
    const auto claims = store::claim_partitions(f.db.pool(), soon(), other, f.now, std::span(&f.partition, 1));
    REQUIRE_FALSE(claims);
    CHECK(claims.error().code == "group_collision");
}

TEST_CASE("store: two connections keep their intents apart", "[postgres]") {
    NEEDS_POSTGRES();
    Fixture f;
    const store::IntentWish wish{.external_key = "order_1",
                                 .version = {1, 1, false},
                                 .holder = "eu/1",
                                 .epoch = f.epoch,
                                 .position = {},
                                 .lease_until = f.now + 30s};
    auto other = f.who;
    other.connection = "second";
    other.owner = "other";
    CHECK(f.acquire(wish, f.who).kind == store::IntentAnswerKind::taken);
    CHECK(f.acquire(wish, other).kind == store::IntentAnswerKind::taken);
}

TEST_CASE("store: a replayed snapshot that is older than what waits ends as superseded", "[postgres]") {
    NEEDS_POSTGRES();
    Fixture f;
    auto waiting = f.closing("eu/1", 9, store::InboxState::parked);
    waiting.append = f.parked("eu/1", 9, Family::snapshot, {90, 0, false});
    REQUIRE(f.write({waiting}));
    REQUIRE(f.write({f.closing("eu/1", 1, store::InboxState::dead)}));
    const auto replay = f.parked("eu/1", 1, Family::snapshot, {10, 0, false});
    REQUIRE(f.db.pool().run(
        soon(), [&](postgres::Transaction& tx) { return store::append_events(tx, f.who, f.now, std::span(&replay, 1)); }));
    CHECK(f.db.value("SELECT state || ' ' || reason FROM inbox WHERE record_offset = 1") == "skipped superseded");
    CHECK(f.db.value("SELECT count(*) FROM parked_events") == "1");
}

TEST_CASE("store: a batch moves its partition's offset once, and only from where it begins", "[postgres]") {
    NEEDS_POSTGRES();
    Fixture f;
    using Offset = std::optional<std::int64_t>;
    const auto batch = [&](Offset start, std::int64_t end) {
        return f.db.pool().run(soon(), [&](postgres::Transaction& tx) -> core::Result<bool> {
            store::TransactionId id;
            auto moved = store::move_batch_offset(
                tx, f.who, {.partition = f.partition, .from = start, .to = end, .epoch = f.epoch, .mark = end + 50}, id);
            CHECK_FALSE(id.text.empty());
            if (moved && *moved) {
                auto rows = tx.exec("INSERT INTO ledger VALUES ($1, 1)", Params{}.add(std::to_string(end)));
                if (!rows) {
                    return std::unexpected(rows.error());
                }
            }
            return moved;
        });
    };
    const auto stored = [&] {
        return store::batch_offsets(f.db.pool(), soon(), f.who, std::span(&f.partition, 1)).value().front();
    };
    const auto mark = [&](std::int64_t epoch, std::int64_t end) {
        return store::set_batch_mark(f.db.pool(), soon(), f.who, {.partition = f.partition, .epoch = epoch, .end = end});
    };
    const auto marked = [&] {
        return f.db.value("SELECT recorded_end FROM partition_markers");
    };
    CHECK(stored() == Offset{});
    REQUIRE(mark(f.epoch, 100));
    CHECK(batch(0, 100) == false);  // Nothing is stored yet: only the first one may make the row.
    CHECK(batch(std::nullopt, 100) == true);
    CHECK(batch(std::nullopt, 100) == false);
    CHECK(batch(100, 200) == true);
    CHECK(marked() == "250");
    CHECK(batch(100, 200) == false);  // Another owner went on, or this one came back from a doubtful commit.
    CHECK(batch(150, 300) == false);
    CHECK(stored() == 200);
    CHECK(f.db.value("SELECT count(*) FROM ledger") == "2");
    REQUIRE(mark(f.epoch, 210));  // Lower: the piece that is tried now is smaller.
    CHECK(marked() == "210");
    REQUIRE(mark(f.epoch - 1, 900));  // Of an owner before.
    CHECK(marked() == "210");
}
