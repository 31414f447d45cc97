// The processing model around a service's handlers, for tests: records in memory, a real throw-away PostgreSQL, a clock that
// stands still until it is moved.
//
//   if (!Harness::available()) { SKIP(Harness::kWhyNot); }
//   Harness h({.handlers = {…}, .target = …});
//   h.start();
//   h.publish("orders.v1", "eu/1", event);
//   h.settle();                                   // until nothing is in flight and the outbox is empty
//   h.advance(1min);                              // timers, parked keys and circuits come due
//   CHECK(h.inbox("done") == 1);
//
// A whole service, as its main() wires it, instead of handlers:
//
//   Harness h({.partitions = 4, .wire = inventory_sync::wire, .service = "inventory-sync",
//              .config = "shops_file: " + folder + "/shops.yaml\nname: main\n"});
//
// `wire` runs once for each member that joins; its tables are made before (postgres.url and kafka.brokers are the harness's own).
// Parts with threads (Service::runnable) run from start() to stop().
//
// Times of the database and deadlines of gathering are the machine's; everything a test has to move is the manual clock's.
// One thread. Further members of the group: Harness::Member.
#pragma once

#include <syncline/core/clock.h>
#include <syncline/kit/admin.h>
#include <syncline/kit/processor.h>
#include <syncline/kit/testing/memory_transport.h>
#include <syncline/postgres/testing/database.h>
#include <syncline/telemetry/metrics.h>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace google::protobuf {
class MessageLite;
}

namespace syncline::kit {
class Service;
}

namespace syncline::kit::testing {

struct HarnessOptions {
    std::vector<HandlerSpec> handlers = {};
    std::optional<TargetSpec> target = std::nullopt;
    ResolvesHold resolves_hold = nullptr;
    ProcessorOptions processing = {};
    int partitions = 4;
    // The service's own tables.
    std::vector<std::string> migrations = {};
    std::vector<BatchHandler> batches = {};

    // Instead of handlers, batches, target, resolves_hold and migrations:
    std::function<void(Service&)> wire = nullptr;
    std::string service = "test";
    std::string config = {};  // YAML.
};

// What a published event says of itself besides its message.
struct EventMeta {
    std::string id;  // Empty: made up.
    std::string type;
    std::string correlation_id = "correlation";
};

class Harness {
public:
    static constexpr std::string_view kWhyNot = postgres::testing::Database::kWhyNot;
    [[nodiscard]] static bool available() { return postgres::testing::Database::available(); }

    explicit Harness(HarnessOptions options);
    ~Harness();
    Harness(const Harness&) = delete;
    Harness& operator=(const Harness&) = delete;

    // One process of the service.
    struct Member {
        Member();
        Member(const Member&) = delete;
        Member& operator=(const Member&) = delete;
        ~Member();
        bool drain(std::chrono::milliseconds within = std::chrono::seconds{20});
        // As a stopped process: its group goes on without it.
        void freeze();
        void thaw();
        [[nodiscard]] telemetry::Metrics& metrics();
        AdminReply admin(const AdminRequest& request);

        std::unique_ptr<postgres::Pool> pool;
        std::unique_ptr<MemorySource> source;                                // Of handlers by key.
        std::map<std::string, std::unique_ptr<MemorySource>> batch_sources;  // By consumer group.
        std::vector<MemorySource*> sources;                                  // All of them.
        Processor* processor = nullptr;

    private:
        friend class Harness;
        struct Wired;
        telemetry::Metrics own_metrics_{"test"};
        AdminRouter own_router_;
        std::unique_ptr<Processor> own_processor_;
        std::unique_ptr<Wired> wired_;
    };
    // Further members take part with the handlers given here, or those of the harness.
    std::unique_ptr<Member> join(std::optional<std::vector<HandlerSpec>> handlers = std::nullopt, const std::string& url = {});

    // The first member.
    void start();
    Member& member() { return *first_; }
    [[nodiscard]] bool started() const { return first_ != nullptr; }
    // Drains the first member. start() begins anew, with the same database and broker.
    void stop();
    // The first member goes away as a killed process does: nothing is committed, nobody says goodbye.
    void crash();

    Position publish(const std::string& topic, const std::string& key, const google::protobuf::MessageLite& event,
                     EventMeta meta = {});

    // Until `true_now` holds, looked at every few milliseconds; false after `within` (of the machine's time).
    bool eventually(const std::function<bool()>& true_now, std::chrono::milliseconds within = std::chrono::seconds{10});
    // Until every published record of the topic is settled and committed-ready (or parked), nothing runs and the outbox is empty.
    bool settle(std::chrono::milliseconds within = std::chrono::seconds{20});
    // Moves the clock in steps, so that what comes due in between happens in order, and lets each settle.
    void advance(std::chrono::nanoseconds by, std::chrono::nanoseconds step = std::chrono::seconds{1});

    // Moves the clock step by step until `holds`; false after `within` of the machine's time.
    bool advance_until(const std::function<bool()>& holds, std::chrono::nanoseconds step = std::chrono::seconds{1},
                       std::chrono::milliseconds within = std::chrono::seconds{30});

    [[nodiscard]] std::int64_t count(std::string_view sql);
    [[nodiscard]] std::int64_t inbox(std::string_view state);
    [[nodiscard]] std::int64_t parked(std::string_view state);  // Events in queues: "waiting" or "held".
    [[nodiscard]] std::vector<TransportRecord> dead_letters() const { return broker_.records("dead-letters.v1"); }
    [[nodiscard]] std::vector<TransportRecord> published(const std::string& topic) const { return broker_.records(topic); }
    AdminReply admin(const std::string& method, const std::string& path, const std::string& body = {});

    [[nodiscard]] core::ManualClock& clock() { return clock_; }
    [[nodiscard]] MemoryBroker& broker() { return broker_; }
    [[nodiscard]] postgres::testing::Database& database() { return database_; }
    // Of handlers by key, else of the first batches.
    [[nodiscard]] const std::string& group() const { return group_; }

private:
    [[nodiscard]] std::unique_ptr<Member> made(std::optional<std::vector<HandlerSpec>> handlers, const std::string& url);
    void wire_into(Member& member, const std::string& url);
    void run_migrations(const std::vector<std::string>& scripts);

    HarnessOptions options_;
    std::string group_;
    core::ManualClock clock_;
    MemoryBroker broker_;
    postgres::testing::Database database_;
    std::unique_ptr<Member> first_;
    std::vector<std::unique_ptr<Member>> crashed_;
};

}  // namespace syncline::kit::testing
