#include "src/processing/engine.h"

#include <syncline/core/fault.h>
#include <syncline/core/hash.h>
#include <syncline/telemetry/log.h>
#include <algorithm>
#include <ranges>
#include <set>

#include "src/processing/scans.h"

namespace syncline::kit {
namespace {

using namespace std::chrono_literals;

store::Identity identity_of(const HandlerTable& handlers, const std::optional<TargetSpec>& target,
                            const ProcessorOptions& options) {
    return {.group = handlers.group(),
            .grp = store::group_number(handlers.group()),
            .connection = target && !target->connection.empty() ? target->connection : handlers.group(),
            .owner = options.instance.empty() ? core::uuid_v4() : options.instance + '/' + core::uuid_v4()};
}

}  // namespace

Processor::Engine::Engine(HandlerTable handlers, std::optional<TargetSpec> target, ResolvesHold resolves,
                          ProcessorOptions options, const ProcessorPorts& ports, const EventMeters& meters)
    : handlers_(std::move(handlers)),
      target_(std::move(target)),
      resolves_(std::move(resolves)),
      options_(std::move(options)),
      ports_(ports),
      source_(*ports.source),
      who_(identity_of(handlers_, target_, options_)),
      meters_(meters, ports.metrics),
      flow_(source_),
      database_(ports.pool, [this](bool available) { flow_.set(PauseReason::postgres, !available); }),
      lanes_(ports.clock, [this] { workers_.wake(); }),
      random_(std::random_device{}()),
      circuit_(
          ports.clock, target_ && target_->probe,
          [this] {
              return static_cast<double>(random_() - std::minstd_rand::min()) / static_cast<double>(std::minstd_rand::max());
          },
          [this] { circuit_changed(); }),
      workers_(
          options_.keys_in_flight_max, options_.worker_stack_bytes, [this] { return work(); }, [this] { return lanes_.ready(); }),
      relay_(std::make_unique<Relay>(database_, ports_.sink, ports_.clock,
                                     RelayOptions{.owner = who_.owner,
                                                  .sweep_every = options_.scan_every,
                                                  .sent = meters_.outbox_sent,
                                                  .failed = meters_.outbox_failed})),
      scans_(std::make_unique<Scans>(*this)) {
    meters_.circuit_open.with({who_.connection}).set(0);
}

Processor::Engine::~Engine() {
    drain(core::Deadline(core::system_clock(), 0s));
    workers_.stop(core::Deadline(core::system_clock(), 24h));
}

core::Result<void> Processor::Engine::start() {
    const auto linger = options_.gather_linger;
    const auto longest = target_ ? target_->longest_request : TargetSpec{}.longest_request;
    intents_ = std::make_unique<Intents>(database_, who_, ports_.clock, linger, longest,
                                         [this](const std::string& external_key) { lanes_.wake(external_key); });
    closing_ = std::make_unique<ClosingDesk>(database_, who_, ports_.clock, linger * 2);
    marks_ = std::make_unique<core::Gather<std::pair<store::Mark, AssignmentPtr>, bool>>(
        core::GatherOptions{.batch_max = 256}, [this](std::vector<std::pair<store::Mark, AssignmentPtr>>&& wanted) {
            std::map<TopicPartition, store::Mark> highest;
            for (const auto& [mark, home] : wanted) {
                auto& best = highest[mark.partition];
                best = best.end < mark.end ? mark : best;
            }
            std::vector<store::Mark> marks;
            std::ranges::copy(highest | std::views::values, std::back_inserter(marks));
            const auto give_up = [&] {
                return std::ranges::all_of(wanted, [](const auto& w) { return w.second->abandoned.load(); });
            };
            const auto raised = database_.persist(
                give_up, true, [&] { return store::raise_marks(database_.pool(), database_.deadline(), who_, marks); });
            return std::vector<bool>(wanted.size(), raised.has_value());
        });
    intake_thread_ = std::thread([this] { run_intake(); });
    ticker_thread_ = std::thread([this] { run_ticker(); });
    relay_->start();
    scans_->start();
    {
        const std::lock_guard lock(mutex_);
        started_ = true;
    }
    return source_.start(handlers_.topics(),
                         {.on_assigned = [this](const auto& partitions) { on_assigned(partitions); },
                          .on_revoked = [this](const auto& partitions, bool lost) { on_revoked(partitions, lost); },
                          .on_records = [this](auto&& records) { on_records(std::forward<decltype(records)>(records)); },
                          .on_position_lost =
                              [this](const TopicPartition& where, const core::Error& error) {
                                  telemetry::log::failure(telemetry::log::Level::error, "position_lost", error,
                                                          {{"topic", where.topic}, {"partition", where.partition}});
                                  const std::lock_guard lock(mutex_);
                                  lost_positions_[where] = error.message;
                              },
                          .on_fatal =
                              [this](const core::Error& error) {
                                  telemetry::log::failure(telemetry::log::Level::error, "consumer_fatal", error);
                                  const std::lock_guard lock(mutex_);
                                  fatal_ = error;
                              }});
}

core::Result<void> Processor::Engine::ready() const {
    const std::lock_guard lock(mutex_);
    if (!started_ || drained_) {
        return core::fail(core::ErrorKind::not_ready, "not_started", "processing does not run");
    }
    if (fatal_) {
        return std::unexpected(*fatal_);
    }
    if (!database_.is_available()) {
        return core::fail(core::ErrorKind::transient, "postgres_unavailable", "PostgreSQL does not answer");
    }
    if (!lost_positions_.empty()) {
        const auto& [where, why] = *lost_positions_.begin();
        return core::fail(core::ErrorKind::needs_decision, "position_lost",
                          where.topic + '/' + std::to_string(where.partition) + " stands still: " + why,
                          "set the group's offset of this partition, then restart");
    }
    return {};
}

core::Result<void> Processor::Engine::alive(std::chrono::nanoseconds stuck_after) const {
    const std::lock_guard lock(mutex_);
    if (fatal_) {
        return std::unexpected(*fatal_);
    }
    if (started_ && !drained_ && core::system_clock().steady() - source_.last_progress() > stuck_after) {
        return core::fail(core::ErrorKind::bug, "consumer_stuck", "the consumer's loop makes no progress");
    }
    return {};
}

void Processor::Engine::mappings_changed(std::string version) {
    scans_->mappings_changed(std::move(version));
}

Processor::Figures Processor::Engine::figures() const {
    const std::lock_guard lock(mutex_);
    return {.in_flight_records = records_in_flight_,
            .in_flight_bytes = bytes_in_flight_,
            .running = lanes_.running(),
            .circuit_open = circuit_.open(),
            .postgres_available = database_.is_available(),
            .paused = flow_.paused(),
            .partitions = assignments_.size(),
            .brokers_up = source_.brokers_up()};
}

std::vector<AssignmentPtr> Processor::Engine::assignments() const {
    const std::lock_guard lock(mutex_);
    std::vector<AssignmentPtr> claimed;
    for (const auto& [where, assignment] : assignments_) {
        if (assignment->epoch > 0 && !assignment->stopping) {
            claimed.push_back(assignment);
        }
    }
    return claimed;
}

void Processor::Engine::set_operator_pause(bool paused) {
    {
        const std::lock_guard lock(mutex_);
        if (drained_) {
            return;  // The lanes are closed for good.
        }
    }
    flow_.set(PauseReason::operator_pause, paused);
    lanes_.close(paused);
}

void Processor::Engine::wake_relay() {
    relay_->wake();
}

void Processor::Engine::on_assigned(const std::vector<TopicPartition>& partitions) {
    std::vector<AssignmentPtr> made;
    {
        const std::lock_guard lock(mutex_);
        for (const auto& partition : partitions) {
            made.push_back(std::make_shared<Assignment>(partition));
            assignments_[partition] = made.back();
        }
    }
    flow_.assigned(partitions);
    telemetry::log::info("partitions_assigned", {{"count", partitions.size()}});
    {
        const std::lock_guard lock(intake_mutex_);
        claims_.insert(claims_.end(), made.begin(), made.end());
    }
    intake_wake_.notify_one();
}

void Processor::Engine::on_revoked(const std::vector<TopicPartition>& partitions, bool lost) {
    std::vector<AssignmentPtr> gone;
    core::Deadline deadline(core::system_clock(), options_.call_deadline);
    {
        const std::lock_guard lock(mutex_);
        if (drain_until_) {
            deadline = deadline.sooner_of(core::Deadline(core::system_clock(), *drain_until_));
        }
        for (const auto& partition : partitions) {
            if (const auto found = assignments_.find(partition); found != assignments_.end()) {
                gone.push_back(found->second);
                assignments_.erase(found);
            }
            lost_positions_.erase(partition);
        }
    }
    for (const auto& assignment : gone) {
        assignment->stopping = true;
        if (lost) {
            assignment->abandoned = true;
        }
    }
    flow_.revoked(partitions);
    const std::set<const Assignment*> which = [&] {
        std::set<const Assignment*> set;
        for (const auto& assignment : gone) {
            set.insert(assignment.get());
        }
        return set;
    }();
    const auto mine = [&](const Assignment& assignment) {
        return which.contains(&assignment);
    };
    for (const auto& task : lanes_.drop(mine)) {
        account(*task, false);
    }
    const bool idle = lost || lanes_.wait_idle(mine, deadline);
    std::vector<Position> next;
    std::vector<store::Goodbye> goodbyes;
    for (const auto& assignment : gone) {
        assignment->abandoned = true;
        const std::lock_guard lock(assignment->mutex);
        if (const auto offset = assignment->offsets.next(); offset && *offset != assignment->committed) {
            next.push_back({assignment->partition.topic, assignment->partition.partition, *offset});
        }
        if (assignment->epoch > 0) {
            goodbyes.push_back({assignment->partition, assignment->epoch});
        }
    }
    telemetry::log::info("partitions_revoked", {{"count", partitions.size()}, {"lost", lost}, {"idle", idle}});
    if (!lost && !next.empty()) {
        SYNCLINE_FAULT_POINT("offset_uncommitted");
        if (const auto committed = source_.commit_now(next, core::Deadline(core::system_clock(), 5s)); !committed) {
            telemetry::log::failure(telemetry::log::Level::warn, "commit_on_revoke_failed", committed.error());
        }
    }
    // A handler that still runs is no reason to suspect its record: the process lives.
    if (const auto said = store::say_goodbye(database_.pool(), core::Deadline(core::system_clock(), 2s), who_, goodbyes); !said) {
        telemetry::log::failure(telemetry::log::Level::warn, "goodbye_not_written", said.error());
    }
}

void Processor::Engine::on_records(std::vector<TransportRecord>&& records) {
    std::vector<TaskPtr> tasks;
    tasks.reserve(records.size());
    std::size_t bytes = 0;
    {
        const std::lock_guard lock(mutex_);
        for (auto& record : records) {
            const auto home = assignments_.find({record.position.topic, record.position.partition});
            if (home == assignments_.end()) {
                continue;
            }
            auto task = std::make_shared<Task>();
            task->home = home->second;
            task->bytes = record.bytes();
            task->record = std::move(record);
            bytes += task->bytes;
            tasks.push_back(std::move(task));
        }
    }
    for (const auto& task : tasks) {
        const std::lock_guard lock(task->home->mutex);
        task->home->offsets.begin(task->record.position.offset);
        SYNCLINE_FAULT_POINT("polled");
    }
    records_in_flight_ += tasks.size();
    bytes_in_flight_ += bytes;
    update_flow();
    {
        const std::lock_guard lock(intake_mutex_);
        std::ranges::move(tasks, std::back_inserter(intake_));
    }
    intake_wake_.notify_one();
}

void Processor::Engine::account(const Task& task, bool settled) {
    if (task.kind != Task::Kind::record) {
        return;
    }
    if (settled) {
        const std::lock_guard lock(task.home->mutex);
        task.home->offsets.finish(task.record.position.offset);
    }
    --records_in_flight_;
    bytes_in_flight_ -= task.bytes;
    update_flow();
}

void Processor::Engine::update_flow() {
    const auto records = records_in_flight_.load();
    const auto bytes = bytes_in_flight_.load();
    if (records >= options_.records_in_flight_max || bytes >= options_.bytes_in_flight_max) {
        flow_.set(PauseReason::in_flight, true);
    } else if (records <= options_.records_in_flight_max * 3 / 4 && bytes <= options_.bytes_in_flight_max * 3 / 4 &&
               flow_.paused(PauseReason::in_flight)) {
        flow_.set(PauseReason::in_flight, false);
    }
}

void Processor::Engine::wake_ticker() {
    {
        const std::lock_guard lock(ticker_mutex_);
        ticker_woken_ = true;
    }
    ticker_wake_.notify_one();
}

void Processor::Engine::run_ticker() {
    std::unique_lock lock(ticker_mutex_);
    while (!ticker_stopping_) {
        lock.unlock();
        const auto lanes_next = lanes_.tick();
        step_circuit();
        if (ports_.clock.steady() >= next_commit_) {
            commit_offsets();
            next_commit_ = ports_.clock.steady() + options_.commit_every;
        }
        const auto next = std::min({lanes_next, circuit_.next_time(), next_commit_});
        lock.lock();
        ports_.clock.wait_until(lock, ticker_wake_, next, [&] { return ticker_stopping_ || ticker_woken_; });
        ticker_woken_ = false;
    }
}

void Processor::Engine::step_circuit() {
    switch (circuit_.due()) {
        case Circuit::Step::nothing:
            return;
        case Circuit::Step::probe: {
            const auto answer = target_->probe(core::Deadline(ports_.clock, 5s));
            if (!answer) {
                telemetry::log::failure(telemetry::log::Level::info, "probe_failed", answer.error(),
                                        {{"connection", who_.connection}});
            }
            circuit_.probed(answer);
        }
            return step_circuit();
        case Circuit::Step::trial:
            if (!lanes_.allow_trial()) {
                // Nothing waits here and partitions are paused: only new records can tell.
                circuit_.answered();
            }
    }
}

void Processor::Engine::circuit_changed() {
    // Two changes may arrive here in either order: what counts is how the circuit stands now.
    const std::lock_guard lock(circuit_mutex_);
    const bool open = circuit_.open();
    lanes_.trials_only(open);
    flow_.set(PauseReason::circuit, open);
    meters_.circuit_open.with({who_.connection}).set(open ? 1 : 0);
    telemetry::log::write(open ? telemetry::log::Level::warn : telemetry::log::Level::info,
                          open ? "circuit_opened" : "circuit_closed", {{"connection", who_.connection}});
    wake_ticker();
}

void Processor::Engine::commit_offsets() {
    std::vector<Position> next;
    for (const auto& assignment : assignments()) {
        const std::lock_guard lock(assignment->mutex);
        const auto offset = assignment->offsets.next();
        if (offset && *offset != assignment->committed) {
            assignment->committed = *offset;
            next.push_back({assignment->partition.topic, assignment->partition.partition, *offset});
        }
    }
    if (!next.empty()) {
        SYNCLINE_FAULT_POINT("offset_uncommitted");
        source_.commit(next);
    }
}

bool Processor::Engine::drain(core::Deadline deadline) {
    {
        const std::lock_guard lock(mutex_);
        if (drained_) {
            return true;
        }
        drained_ = true;
        // Handlers get most of it; the rest is for the outbox and for leaving the group.
        drain_until_ = core::system_clock().steady() + deadline.left() * 7 / 10;
        if (!started_) {
            return true;
        }
    }
    source_.stop(deadline);
    lanes_.close(true);
    const bool workers_gone = workers_.stop(deadline);
    scans_->stop();
    const bool outbox_empty = relay_->stop(deadline);
    database_.stop();
    join_threads();
    telemetry::log::info("drained", {{"handlers_ended", workers_gone}, {"outbox_empty", outbox_empty}});
    return workers_gone;
}

void Processor::Engine::join_threads() {
    {
        const std::lock_guard lock(intake_mutex_);
        intake_stopping_ = true;
    }
    intake_wake_.notify_one();
    {
        const std::lock_guard lock(ticker_mutex_);
        ticker_stopping_ = true;
    }
    ticker_wake_.notify_one();
    for (auto* thread : {&intake_thread_, &ticker_thread_}) {
        if (thread->joinable()) {
            thread->join();
        }
    }
}

}  // namespace syncline::kit
