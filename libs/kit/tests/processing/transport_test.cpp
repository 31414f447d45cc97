// The cases every transport passes: the one in memory that the harness stands on, and libs/kafka on librdkafka's mock cluster.
#include <catch2/catch_test_macros.hpp>

#include <syncline/core/hash.h>
#include <syncline/kafka/producer.h>
#include <syncline/kafka/testing/mock_cluster.h>
#include <syncline/kit/testing/memory_transport.h>
#include <algorithm>
#include <atomic>
#include <future>
#include <map>
#include <mutex>
#include <set>
#include <thread>

#include "src/processing/kafka_transport.h"

using namespace syncline;
using namespace syncline::kit;
using namespace std::chrono_literals;

namespace {

core::Deadline within(std::chrono::milliseconds time) {
    return {core::system_clock(), time};
}

class Transport {
public:
    virtual ~Transport() = default;
    virtual std::unique_ptr<RecordSource> source(const std::string& group) = 0;
    virtual RecordSink& sink() = 0;
    virtual RecordReader& reader() = 0;
};

class MemoryTransport final : public Transport {
public:
    std::unique_ptr<RecordSource> source(const std::string& group) override { return broker_.join(group); }
    RecordSink& sink() override { return broker_; }
    RecordReader& reader() override { return broker_; }

private:
    kit::testing::MemoryBroker broker_{4};
};

class KafkaTransport final : public Transport {
public:
    KafkaTransport() {
        cluster_.create_topic("syncline.orders.v1", 4);
        auto producer = kafka::Producer::create({.client = client()});
        REQUIRE(producer);
        producer_ = std::move(*producer);
        sink_ = make_kafka_sink(*producer_, "syncline");
        reader_ = make_kafka_reader(client(), "syncline");
    }
    std::unique_ptr<RecordSource> source(const std::string& group) override {
        return make_kafka_source({.client = client(), .group = group, .prefix = "syncline"}, core::system_clock());
    }
    RecordSink& sink() override { return *sink_; }
    RecordReader& reader() override { return *reader_; }

private:
    // The mock cluster begins a rebalance anew, a second less than the session time-out later, whenever the leader's assignment
    // comes before the other members have asked for theirs.
    kafka::ClientOptions client() const {
        return {.brokers = cluster_.brokers(), .overrides = {{"session.timeout.ms", "6000"}, {"heartbeat.interval.ms", "500"}}};
    }
    kafka::testing::MockCluster cluster_;
    std::unique_ptr<kafka::Producer> producer_;
    std::unique_ptr<RecordSink> sink_;
    std::unique_ptr<RecordReader> reader_;
};

// A member that keeps what it is told.
struct Member {
    explicit Member(std::unique_ptr<RecordSource> made) : source(std::move(made)) {
        const auto started = source->start(
            {"orders.v1"}, {.on_assigned =
                                [this](const auto& partitions) {
                                    const std::lock_guard lock(mutex);
                                    assigned.insert(partitions.begin(), partitions.end());
                                },
                            .on_revoked =
                                [this](const auto& partitions, bool lost) {
                                    const auto refusal = lost ? std::string() : commit_all();
                                    const std::lock_guard lock(mutex);
                                    // Inside a rebalance the mock cluster refuses a commit that a real broker takes.
                                    if (!refusal.empty() && !refusal.contains("REBALANCE_IN_PROGRESS")) {
                                        refusals.push_back(refusal);
                                    }
                                    for (const auto& p : partitions) {
                                        assigned.erase(p);
                                    }
                                },
                            .on_records =
                                [this](std::vector<TransportRecord>&& batch) {
                                    const std::lock_guard lock(mutex);
                                    for (auto& record : batch) {
                                        unassigned +=
                                            assigned.contains({record.position.topic, record.position.partition}) ? 0 : 1;
                                        records.push_back(std::move(record));
                                    }
                                },
                            .on_position_lost = [](const auto&, const auto&) {},
                            .on_fatal =
                                [](const auto&) {
                                }});
        REQUIRE(started);
    }
    Member(const Member&) = delete;
    Member& operator=(const Member&) = delete;
    ~Member() {
        source->stop(within(20s));
        CHECK(copy_of(&Member::refusals) == std::vector<std::string>{});
    }
    // Commits what came of the partitions it has. The error; empty if there is none. Asserts nothing: on_revoked calls it, on
    // the source's thread.
    std::string commit_all() {
        std::map<TopicPartition, std::int64_t> next;
        {
            const std::lock_guard lock(mutex);
            for (const auto& record : records) {
                const TopicPartition where{record.position.topic, record.position.partition};
                if (assigned.contains(where)) {
                    next[where] = std::max(next[where], record.position.offset + 1);
                }
            }
        }
        std::vector<Position> positions;
        for (const auto& [where, offset] : next) {
            positions.push_back({where.topic, where.partition, offset});
        }
        if (positions.empty()) {
            return {};
        }
        const auto committed = source->commit_now(positions, within(10s));
        return committed ? std::string() : committed.error().code + ": " + committed.error().message;
    }
    // A copy: the source's thread may go on.
    template <typename T>
    T copy_of(T Member::* what) {
        const std::lock_guard lock(mutex);
        return this->*what;
    }
    bool eventually(const std::function<bool(const Member&)>& holds) {
        const auto deadline = within(60s);
        while (!deadline.passed()) {
            {
                const std::lock_guard lock(mutex);
                if (holds(*this)) {
                    return true;
                }
            }
            std::this_thread::yield();
        }
        return false;
    }
    std::mutex mutex;
    std::set<TopicPartition> assigned;
    std::vector<TransportRecord> records;
    int unassigned = 0;
    std::vector<std::string> refusals;     // Of commits in on_revoked.
    std::unique_ptr<RecordSource> source;  // Last: its thread uses the rest.
};

void send(Transport& transport, int count, const std::string& prefix = "k") {
    std::vector<std::future<core::Result<void>>> all;
    for (int i = 0; i < count; ++i) {
        auto done = std::make_shared<std::promise<core::Result<void>>>();
        all.push_back(done->get_future());
        transport.sink().send({.topic = "orders.v1",
                               .key = prefix + std::to_string(i % 16),
                               .value = std::to_string(i),
                               .headers = {{"ce_id", "1"}, {"binary", std::string("\0\xff", 2)}}},
                              [done](core::Result<void> result) { done->set_value(std::move(result)); });
    }
    for (auto& sent : all) {
        REQUIRE(sent.wait_for(20s) == std::future_status::ready);
        CHECK(sent.get().has_value());
    }
}

void records_come_in_order_with_everything_they_have(Transport& transport) {
    send(transport, 200);
    Member member(transport.source("g1"));
    REQUIRE(member.eventually([](const Member& m) { return m.records.size() == 200; }));
    const std::lock_guard lock(member.mutex);
    CHECK(member.assigned.size() == 4);
    CHECK(member.unassigned == 0);
    std::map<std::int32_t, std::int64_t> next;
    std::map<std::string, int> last_of_key;
    for (const auto& record : member.records) {
        CHECK(record.position.topic == "orders.v1");
        CHECK(record.position.offset == next[record.position.partition]++);
        REQUIRE(record.key.has_value());
        const int value = std::stoi(record.value);
        if (last_of_key.contains(*record.key)) {
            CHECK(last_of_key[*record.key] < value);
        }
        last_of_key[*record.key] = value;
        CHECK(header_value(record.headers, "binary") == std::string_view("\0\xff", 2));
    }
}

void a_group_goes_on_where_it_committed(Transport& transport) {
    send(transport, 50);
    {
        Member member(transport.source("g2"));
        REQUIRE(member.eventually([](const Member& m) { return m.records.size() == 50; }));
        member.source->stop(within(20s));  // Commits in on_revoked.
        CHECK(member.copy_of(&Member::assigned).empty());
    }
    send(transport, 10);
    Member member(transport.source("g2"));
    REQUIRE(member.eventually([](const Member& m) { return m.records.size() >= 10; }));
    const std::lock_guard lock(member.mutex);
    CHECK(member.records.size() == 10);
}

void paused_partitions_deliver_nothing_and_lose_nothing(Transport& transport) {
    Member member(transport.source("g3"));
    REQUIRE(member.eventually([](const Member& m) { return m.assigned.size() == 4; }));
    const auto assigned = member.copy_of(&Member::assigned);
    const std::vector<TopicPartition> all(assigned.begin(), assigned.end());
    send(transport, 20);
    REQUIRE(member.eventually([](const Member& m) { return m.records.size() == 20; }));
    member.source->pause(all);
    member.source->pause(all);
    send(transport, 30);
    {
        // A second member of another group says when the records are there to be read.
        Member witness(transport.source("g3-witness"));
        REQUIRE(witness.eventually([](const Member& m) { return m.records.size() == 50; }));
    }
    CHECK(member.copy_of(&Member::records).size() == 20);
    member.source->resume(all);
    REQUIRE(member.eventually([](const Member& m) { return m.records.size() == 50; }));
}

void members_share_partitions_and_hand_over_what_is_committed(Transport& transport) {
    auto first = std::make_unique<Member>(transport.source("g4"));
    REQUIRE(first->eventually([](const Member& m) { return m.assigned.size() == 4; }));
    send(transport, 40);
    REQUIRE(first->eventually([](const Member& m) { return m.records.size() == 40; }));
    CHECK(first->commit_all() == "");
    Member second(transport.source("g4"));
    REQUIRE(second.eventually([](const Member& m) { return m.assigned.size() == 2; }));
    REQUIRE(first->eventually([](const Member& m) { return m.assigned.size() == 2; }));
    send(transport, 40);
    const auto both = [&] {
        const std::lock_guard a(first->mutex);
        const std::lock_guard b(second.mutex);
        return first->records.size() + second.records.size();
    };
    const auto wait_for = [&](std::size_t count) {
        const auto deadline = within(20s);
        while (both() < count && !deadline.passed()) {
            std::this_thread::yield();
        }
    };
    wait_for(80);
    CHECK(both() == 80);
    CHECK(first->commit_all() == "");
    CHECK(second.commit_all() == "");
    first->source->stop(within(20s));
    REQUIRE(second.eventually([](const Member& m) { return m.assigned.size() == 4; }));
    send(transport, 8);
    wait_for(88);
    CHECK(both() == 88);
}

void records_are_read_again_by_position(Transport& transport) {
    send(transport, 60);
    Member member(transport.source("g5"));
    REQUIRE(member.eventually([](const Member& m) { return m.records.size() == 60; }));
    const auto records = member.copy_of(&Member::records);
    std::vector<Position> positions;
    for (std::size_t i = 0; i < 60; i += 7) {
        positions.push_back(records[i].position);
    }
    positions.push_back({"orders.v1", 0, 1'000'000});
    const auto answers = transport.reader().read(positions, within(20s));
    REQUIRE(answers.size() == positions.size());
    for (std::size_t i = 0; i + 1 < answers.size(); ++i) {
        REQUIRE(answers[i]);
        CHECK(answers[i]->position == positions[i]);
        CHECK(answers[i]->value == records[i * 7].value);
        CHECK(answers[i]->headers == records[i * 7].headers);
    }
    CHECK_FALSE(answers.back());
}

void a_member_begins_where_it_is_told(Transport& transport) {
    send(transport, 80);
    std::mutex mutex;
    std::map<TopicPartition, std::int64_t> first;  // The first offset of each partition that came.
    std::map<TopicPartition, std::size_t> came;
    int asked = 0;
    std::size_t assigned = 0;
    const auto source = transport.source("g6");
    REQUIRE(source->start({"orders.v1"}, {.starts = [&](const auto& partitions) -> core::Result<std::vector<std::int64_t>> {
                                              const std::lock_guard lock(mutex);
                                              if (++asked == 1) {
                                                  return core::fail(core::ErrorKind::transient, "not_yet", "made by the test");
                                              }
                                              std::vector<std::int64_t> starts;
                                              for (const auto& where : partitions) {
                                                  starts.push_back(where.partition % 2 == 0 ? 3 : kFromBeginning);
                                              }
                                              return starts;
                                          },
                                          .on_assigned =
                                              [&](const auto& partitions) {
                                                  const std::lock_guard lock(mutex);
                                                  assigned += partitions.size();
                                              },
                                          .on_revoked = [](const auto&, bool) {},
                                          .on_records =
                                              [&](std::vector<TransportRecord>&& records) {
                                                  const std::lock_guard lock(mutex);
                                                  for (const auto& record : records) {
                                                      const TopicPartition where{record.position.topic,
                                                                                 record.position.partition};
                                                      first.emplace(where, record.position.offset);
                                                      ++came[where];
                                                  }
                                              },
                                          .on_position_lost = [](const auto&, const auto&) {},
                                          .on_fatal =
                                              [](const auto&) {
                                              }}));
    std::map<TopicPartition, std::size_t> there;
    Member witness(transport.source("g6-witness"));
    REQUIRE(witness.eventually([](const Member& m) { return m.records.size() == 80; }));
    for (const auto& record : witness.records) {
        ++there[{record.position.topic, record.position.partition}];
    }
    std::size_t expected = 0;
    for (const auto& [where, records] : there) {
        expected += where.partition % 2 == 0 ? records - 3 : records;
    }
    const auto deadline = within(20s);
    const auto total = [&] {
        const std::lock_guard lock(mutex);
        std::size_t sum = 0;
        for (const auto& [where, records] : came) {
            sum += records;
        }
        return sum;
    };
    while (total() < expected && !deadline.passed()) {
        std::this_thread::yield();
    }
    source->stop(within(20s));
    CHECK(asked >= 2);
    CHECK(assigned == 4);
    CHECK(total() == expected);
    for (const auto& [where, offset] : first) {
        CHECK(offset == (where.partition % 2 == 0 ? 3 : 0));
    }
}

void every_case(const std::function<std::unique_ptr<Transport>()>& make) {
    SECTION("records come in order, with everything they have") {
        records_come_in_order_with_everything_they_have(*make());
    }
    SECTION("a group goes on where it committed") {
        a_group_goes_on_where_it_committed(*make());
    }
    SECTION("paused partitions deliver nothing and lose nothing") {
        paused_partitions_deliver_nothing_and_lose_nothing(*make());
    }
    SECTION("members share partitions and hand over what is committed") {
        members_share_partitions_and_hand_over_what_is_committed(*make());
    }
    SECTION("records are read again by position") {
        records_are_read_again_by_position(*make());
    }
    SECTION("a member begins where it is told, and is asked again while it cannot say") {
        a_member_begins_where_it_is_told(*make());
    }
}

}  // namespace

TEST_CASE("transport: the one in memory conforms", "[unit]") {
    every_case([] { return std::make_unique<MemoryTransport>(); });
}

TEST_CASE("transport: libs/kafka conforms", "[kafka]") {
    every_case([] { return std::make_unique<KafkaTransport>(); });
}
