// The parts of a Processor and the threads that move records through them.
//
//   source thread   on_records → intake queue; rebalances
//   intake thread   claims partitions; admits records in batches: inbox, parked? → lanes
//   workers         take a task from a lane, run it to its fate, close it
//   ticker thread   delayed lanes, the circuit and its probe, offsets to Kafka
//   scan thread     due keys, timers, verification, pauses, holds that resolve, figures, growth (scans.h)
//   relay thread    outbox → sink (relay.h)
//
// engine.cpp: life and rebalances; intake.cpp: admission; handling.cpp: tasks to their fates.
#pragma once

#include <syncline/core/gather.h>
#include <syncline/kit/processor.h>
#include <atomic>
#include <condition_variable>
#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "src/processing/circuit.h"
#include "src/processing/closing.h"
#include "src/processing/database.h"
#include "src/processing/event.h"
#include "src/processing/fate.h"
#include "src/processing/flow.h"
#include "src/processing/handler_run.h"
#include "src/processing/intents.h"
#include "src/processing/lanes.h"
#include "src/processing/meters.h"
#include "src/processing/relay.h"
#include "src/processing/settlement.h"
#include "src/processing/workers.h"
#include "src/store/partition_rows.h"

namespace syncline::kit {

class Scans;

class Processor::Engine {
public:
    Engine(HandlerTable handlers, std::optional<TargetSpec> target, ResolvesHold resolves, ProcessorOptions options,
           const ProcessorPorts& ports, const EventMeters& meters);
    Engine(const Engine&) = delete;
    Engine& operator=(const Engine&) = delete;
    ~Engine();

    core::Result<void> start();
    core::Result<void> ready() const;
    core::Result<void> alive(std::chrono::nanoseconds stuck_after) const;
    void mappings_changed(std::string version);
    bool drain(core::Deadline deadline);
    Figures figures() const;

    // For scans and the admin routes:
    [[nodiscard]] const store::Identity& who() const { return who_; }
    [[nodiscard]] const HandlerTable& handlers() const { return handlers_; }
    [[nodiscard]] const ProcessorOptions& options() const { return options_; }
    [[nodiscard]] const ProcessorPorts& ports() const { return ports_; }
    [[nodiscard]] const std::optional<TargetSpec>& target() const { return target_; }
    [[nodiscard]] const ResolvesHold& resolves() const { return resolves_; }
    [[nodiscard]] Database& database() { return database_; }
    [[nodiscard]] Meters& meters() { return meters_; }
    [[nodiscard]] Lanes& lanes() { return lanes_; }
    [[nodiscard]] std::vector<AssignmentPtr> assignments() const;  // Claimed and not stopping.
    [[nodiscard]] std::vector<RecordSource::Lag> lag() const { return source_.lag(); }
    void set_operator_pause(bool paused);
    void wake_relay();

private:
    // engine.cpp
    void on_assigned(const std::vector<TopicPartition>& partitions);
    void on_revoked(const std::vector<TopicPartition>& partitions, bool lost);
    void on_records(std::vector<TransportRecord>&& records);
    void run_ticker();
    void wake_ticker();
    void step_circuit();
    void circuit_changed();
    void commit_offsets();
    void account(const Task& task, bool settled);
    void update_flow();
    void join_threads();

    // intake.cpp
    void run_intake();
    void claim(std::vector<AssignmentPtr> assignments);
    void admit(std::vector<TaskPtr> tasks);
    [[nodiscard]] bool intake_ended(const AssignmentPtr& home) const;

    // handling.cpp
    bool work();
    void handle_record(const TaskPtr& task);
    void handle_queue(const TaskPtr& task);
    struct QueueStep {
        bool stop = false;        // The run ends here; the task was given back to the lanes.
        bool waits = false;       // The event is still in the queue.
        bool with_queue = false;  // It was dead-lettered after its time, and takes what waits behind it along.
        bool key_parked = true;
    };
    QueueStep handle_parked(const TaskPtr& task, const store::ParkedEvent& parked);
    QueueStep close_parked(const TaskPtr& task, store::Closing closing, QueueStep step);
    void finish_record(const TaskPtr& task, store::Closing closing, std::string_view outcome, std::string_view code);
    void drop(const TaskPtr& task);
    void give_back(const TaskPtr& task, std::chrono::milliseconds delay, const std::string& waits_on = {});
    [[nodiscard]] bool begin_alone(const TaskPtr& task, int& tries);
    [[nodiscard]] bool raise_mark(const TaskPtr& task);
    void report(const TaskPtr& task, const RunResult& result);
    [[nodiscard]] Fate fate_of(const core::Error& error, const RunResult& result, int attempts, int bug_tries,
                               std::optional<core::SystemTime> first_failed_at) const;
    [[nodiscard]] core::Result<store::ClosingAnswer> settle(const TaskPtr& task, store::Closing closing);
    [[nodiscard]] SettleContext settle_context() const;
    [[nodiscard]] RunContext run_context();
    void count(const HandlerSpec* handler, std::string_view outcome, std::string_view code, const EventHeaders* headers);

    const HandlerTable handlers_;
    const std::optional<TargetSpec> target_;
    const ResolvesHold resolves_;
    const ProcessorOptions options_;
    const ProcessorPorts ports_;
    RecordSource& source_;
    const store::Identity who_;
    Meters meters_;
    Flow flow_;
    Database database_;
    Lanes lanes_;
    std::minstd_rand random_;
    std::mutex circuit_mutex_;
    Circuit circuit_;
    Workers workers_;

    mutable std::mutex mutex_;
    std::map<TopicPartition, AssignmentPtr> assignments_;
    std::optional<core::Error> fatal_;
    std::map<TopicPartition, std::string> lost_positions_;
    std::optional<core::SteadyTime> drain_until_;
    bool started_ = false;
    bool drained_ = false;

    std::atomic<std::size_t> records_in_flight_{0};
    std::atomic<std::size_t> bytes_in_flight_{0};

    std::mutex intake_mutex_;
    std::condition_variable intake_wake_;
    std::deque<AssignmentPtr> claims_;
    std::deque<TaskPtr> intake_;
    bool intake_stopping_ = false;

    std::mutex ticker_mutex_;
    std::condition_variable ticker_wake_;
    bool ticker_woken_ = false;
    bool ticker_stopping_ = false;
    core::SteadyTime next_commit_{};

    std::thread intake_thread_;
    std::thread ticker_thread_;
    // Made by start(), used by workers:
    std::unique_ptr<core::Gather<std::pair<store::Mark, AssignmentPtr>, bool>> marks_;
    std::unique_ptr<Intents> intents_;
    std::unique_ptr<ClosingDesk> closing_;
    std::unique_ptr<Relay> relay_;
    std::unique_ptr<Scans> scans_;
};

}  // namespace syncline::kit
