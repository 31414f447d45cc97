// The processing model of Syncline for one process: records in, fates out. docs/architecture.md explains it.
//
//   by key     poll → admission (inbox, parked?) → lane of its key → handler with intents → closing transaction → commit
//   in batches poll → a partition's batch → one transaction: offset, rows, dead letters, outbox → commit, for lag only
//
// kit::run() owns one when handlers were registered; tests own one through testing/harness.h. Order of use:
//
//   Processor::migrations()            once per schema, before anything else
//   Processor::make(...)               checks the handlers; connects nothing
//   add_admin_routes(router)           before the door opens
//   start()                            joins the group, starts threads; returns at once
//   ready(), alive()                   from probes, never block
//   drain(deadline)                    once; afterwards the object may be destroyed
//
// Threads: workers are made when keys wait and end when idle; a fixed handful besides. All members from any thread.
// Handlers run on worker threads and may block. The ports outlive the processor.
#pragma once

#include <syncline/core/clock.h>
#include <syncline/core/error.h>
#include <syncline/kit/batch.h>
#include <syncline/kit/handler.h>
#include <syncline/kit/transport.h>
#include <chrono>
#include <cstddef>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace syncline::postgres {
class Pool;
}
namespace syncline::telemetry {
class Metrics;
}

namespace syncline::kit {

class AdminRouter;

struct ProcessorOptions {
    std::string service;   // "order-export": ce_source of what is published.
    std::string instance;  // Names this process in leases; empty: made up, unique.

    std::size_t keys_in_flight_max = 256;  // Most handlers at once.
    std::size_t worker_stack_bytes = std::size_t{256} * 1024;
    std::size_t records_in_flight_max = 4000;  // Read but not settled; partitions pause beyond.
    std::size_t bytes_in_flight_max = std::size_t{64} * 1024 * 1024;

    std::size_t batch_threads_max = 4;  // Batches at work at once, of one consumer group: each holds a database connection.

    std::chrono::milliseconds call_deadline{30'000};  // Delivery::deadline(): a handler must have returned.
    // A lease ends that much after the deadline of its call. Clocks of instances may differ by less than half of this; in run()
    // they follow the database's.
    std::chrono::milliseconds lease_margin{10'000};
    std::chrono::milliseconds gather_linger{5};          // Intents and closing transactions wait so long for company.
    std::chrono::milliseconds commit_every{1'000};       // Offsets to Kafka.
    std::chrono::milliseconds scan_every{1'000};         // Parked keys, timers, verification, outbox sweep.
    std::chrono::milliseconds parked_limit{86'400'000};  // conflict and not_ready: then the key is dead-lettered with its queue.
    std::chrono::milliseconds inbox_retention{std::chrono::hours{24} * 37};  // The topic's retention + 7 days.
};

// Everything the processor stands on.
struct ProcessorPorts {
    core::Clock& clock;
    telemetry::Metrics& metrics;
    postgres::Pool& pool;
    RecordSource* source = nullptr;  // Of the handlers by key; may be null where there are none.
    RecordSink& sink;
    RecordReader& reader;
    std::map<std::string, RecordSource*> batch_sources = {};  // By consumer group, one for each group of batch handlers.
};

struct Migration {
    std::string_view name;
    std::string_view sql;
};

class Processor {
public:
    // The kit's tables, in order; run before the service's own. Repeatable.
    [[nodiscard]] static std::span<const Migration> migrations();

    // All handlers by key name one consumer group (asked for by DESIGN: the group is part of every stored key); each type once
    // per topic. Batch handlers name groups of their own, see batch.h. `target` and `resolves_hold` may be empty. Errors: kind
    // bug, what is wrong with the handlers.
    [[nodiscard]] static core::Result<std::unique_ptr<Processor>> make(std::vector<HandlerSpec> handlers,
                                                                       std::optional<TargetSpec> target,
                                                                       ResolvesHold resolves_hold, ProcessorOptions options,
                                                                       const ProcessorPorts& ports,
                                                                       std::vector<BatchHandler> batches = {});
    Processor(const Processor&) = delete;
    Processor& operator=(const Processor&) = delete;
    // Drains with a deadline of zero if drain() was not called.
    ~Processor();

    // /admin/dead-letters; with handlers by key also keys, holds, parked, connection, redrive; with batches also batches. The
    // router may outlive drain() but not the processor.
    void add_admin_routes(AdminRouter& router);

    [[nodiscard]] core::Result<void> start();

    // Ready to take work: PostgreSQL answers and the source runs. The error says what is missing.
    [[nodiscard]] core::Result<void> ready() const;
    // The loop makes progress (the last pass is younger than `stuck_after`), or a fatal error of the source: restart helps.
    [[nodiscard]] core::Result<void> alive(std::chrono::nanoseconds stuck_after) const;

    // The mapping of this version is in force: holds whose entry now resolves are made due, by one instance. Does not block.
    void mappings_changed(std::string version);

    // Stops polling, waits for handlers, relays the outbox, commits, leaves the group: all by the deadline. False if it was
    // missed.
    bool drain(core::Deadline deadline);

    struct Figures {
        std::size_t in_flight_records = 0;  // Read and not settled.
        std::size_t in_flight_bytes = 0;
        std::size_t running = 0;  // Handlers and batches now.
        bool circuit_open = false;
        bool postgres_available = true;
        bool paused = false;
        std::size_t partitions = 0;   // Assigned.
        std::int64_t brokers_up = 0;  // That its consumers are connected to.
    };
    [[nodiscard]] Figures figures() const;

    class Engine;

private:
    struct Parts;
    explicit Processor(std::unique_ptr<Parts> parts);
    std::unique_ptr<Parts> parts_;
};

}  // namespace syncline::kit
