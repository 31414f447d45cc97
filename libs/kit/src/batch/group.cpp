#include "src/batch/group.h"

#include <syncline/core/fault.h>
#include <syncline/core/hash.h>
#include <syncline/telemetry/log.h>
#include <algorithm>
#include <set>
#include <utility>

namespace syncline::kit {
namespace {

using namespace std::chrono_literals;
using core::ErrorKind;
using telemetry::log::Level;

constexpr std::size_t kStackBytes = std::size_t{1} << 20U;
// How long an assignment may wait for PostgreSQL before it is given back: the whole group stands still meanwhile.
constexpr auto kPlacedWithin = 15s;

store::Identity identity_of(const std::string& group, const ProcessorOptions& options) {
    return {.group = group,
            .grp = store::group_number(group),
            .connection = group,
            .owner = options.instance.empty() ? core::uuid_v4() : options.instance + '/' + core::uuid_v4()};
}

core::Error wrong(std::string message) {
    return {.kind = ErrorKind::bug,
            .code = "handlers_wrong",
            .message = std::move(message),
            .hint = "mend the wiring of the service"};
}

}  // namespace

core::Result<void> BatchGroup::check(const std::vector<BatchHandler>& handlers) {
    std::set<std::string> topics;
    for (const auto& handler : handlers) {
        if (handler.topic.empty() || handler.consumer_group.empty() || handler.types.empty() || handler.records_max == 0 ||
            !handler.apply) {
            return std::unexpected(
                wrong("a batch handler needs a topic, a consumer group, types, records_max and a function: " + handler.topic));
        }
        if (!topics.insert(handler.topic).second) {
            return std::unexpected(wrong("two batch handlers of one group for one topic: " + handler.topic));
        }
    }
    return {};
}

BatchGroup::BatchGroup(std::vector<BatchHandler> handlers, const ProcessorOptions& options, const ProcessorPorts& ports,
                       RecordSource& source, const EventMeters& events, const BatchMeters& meters,
                       std::function<void()> outbox_written)
    : handlers_(std::move(handlers)),
      options_(options),
      ports_(ports),
      source_(source),
      who_(identity_of(handlers_.front().consumer_group, options_)),
      events_(events),
      meters_(meters),
      outbox_written_(std::move(outbox_written)),
      flow_(source_),
      database_(ports.pool, [this](bool available) { flow_.set(PauseReason::postgres, !available); }),
      workers_(
          options_.batch_threads_max, kStackBytes, [this] { return work(); },
          [this] {
              const std::lock_guard lock(mutex_);
              return ready_.size();
          }) {}

BatchGroup::~BatchGroup() {
    drain(core::Deadline(core::system_clock(), 0s));
    workers_.stop(core::Deadline(core::system_clock(), 24h));
}

std::vector<std::string> BatchGroup::topics() const {
    std::vector<std::string> topics;
    std::ranges::transform(handlers_, std::back_inserter(topics), &BatchHandler::topic);
    return topics;
}

core::Result<void> BatchGroup::start() {
    ticker_thread_ = std::thread([this] { run_ticker(); });
    {
        const std::lock_guard lock(mutex_);
        started_ = true;
    }
    return source_.start(topics(),
                         {.starts = [this](const auto& partitions) { return starts(partitions); },
                          .on_assigned = [this](const auto& partitions) { on_assigned(partitions); },
                          .on_revoked = [this](const auto& partitions, bool lost) { on_revoked(partitions, lost); },
                          .on_records = [this](auto&& records) { on_records(std::forward<decltype(records)>(records)); },
                          .on_position_lost =
                              [this](const TopicPartition& where, const core::Error& error) {
                                  telemetry::log::failure(Level::error, "position_lost", error,
                                                          {{"topic", where.topic}, {"partition", where.partition}});
                                  const std::lock_guard lock(mutex_);
                                  lost_positions_[where] = error.message;
                              },
                          .on_fatal =
                              [this](const core::Error& error) {
                                  telemetry::log::failure(Level::error, "consumer_fatal", error);
                                  broken(error);
                              }});
}

core::Result<void> BatchGroup::ready() const {
    const std::lock_guard lock(mutex_);
    if (!started_ || drained_) {
        return core::fail(ErrorKind::not_ready, "not_started", "processing does not run");
    }
    if (fatal_) {
        return std::unexpected(*fatal_);
    }
    if (!database_.is_available()) {
        return core::fail(ErrorKind::transient, "postgres_unavailable", "PostgreSQL does not answer");
    }
    if (!lost_positions_.empty()) {
        const auto& [where, why] = *lost_positions_.begin();
        return core::fail(ErrorKind::needs_decision, "position_lost",
                          where.topic + '/' + std::to_string(where.partition) + " stands still: " + why,
                          "set next_offset of this partition in batch_offsets, then restart");
    }
    return {};
}

core::Result<void> BatchGroup::alive(std::chrono::nanoseconds stuck_after) const {
    const std::lock_guard lock(mutex_);
    if (fatal_) {
        return std::unexpected(*fatal_);
    }
    if (started_ && !drained_ && core::system_clock().steady() - source_.last_progress() > stuck_after) {
        return core::fail(ErrorKind::bug, "consumer_stuck", "the consumer's loop makes no progress");
    }
    return {};
}

Processor::Figures BatchGroup::figures() const {
    const std::lock_guard lock(mutex_);
    return {.in_flight_records = records_in_flight_,
            .in_flight_bytes = bytes_in_flight_,
            .running = running_,
            .circuit_open = false,
            .postgres_available = database_.is_available(),
            .paused = flow_.paused() > 0,
            .partitions = partitions_.size(),
            .brokers_up = source_.brokers_up()};
}

void BatchGroup::broken(core::Error error) {
    const std::lock_guard lock(mutex_);
    fatal_ = std::move(error);
}

core::Result<std::vector<std::int64_t>> BatchGroup::starts(const std::vector<TopicPartition>& partitions) {
    const core::Deadline patience(core::system_clock(), kPlacedWithin);
    const auto give_up = [&] {
        return draining_ || patience.passed();
    };
    const auto claims = database_.persist(give_up, true, [&] {
        return store::claim_partitions(database_.pool(), core::Deadline(core::system_clock(), 5s), who_, ports_.clock.now(),
                                       partitions);
    });
    auto offsets =
        !claims ? core::Result<std::vector<std::optional<std::int64_t>>>(std::unexpected(claims.error()))
                : database_.persist(give_up, true, [&] {
                      return store::batch_offsets(database_.pool(), core::Deadline(core::system_clock(), 5s), who_, partitions);
                  });
    if (!offsets) {
        telemetry::log::failure(Level::error, "partitions_not_placed", offsets.error());
        if (!database_is_away(offsets.error()) && !database_quarrels(offsets.error())) {
            broken(offsets.error());
        }
        return std::unexpected(std::move(offsets.error()));
    }
    std::vector<std::int64_t> starts;
    const std::lock_guard lock(mutex_);
    placed_.clear();
    for (std::size_t i = 0; i < partitions.size(); ++i) {
        const auto& where = partitions[i];
        const auto& claim = (*claims)[i];
        const auto handler = std::ranges::find(handlers_, where.topic, &BatchHandler::topic);
        if (handler == handlers_.end()) {
            return core::fail(ErrorKind::bug, "topic_unknown", "a partition of a topic without a handler: " + where.topic);
        }
        auto partition = std::make_shared<BatchPartition>(where, *handler, claim.epoch);
        partition->position = (*offsets)[i];
        partition->next = partition->position.value_or(-1);
        if (claim.suspect_end) {
            telemetry::log::warn(
                "unclean_stop_before",
                {{"topic", where.topic}, {"partition", where.partition}, {"small_steps_below_offset", *claim.suspect_end}});
            partition->suspect_end = *claim.suspect_end;
        }
        placed_[where] = std::move(partition);
        starts.push_back((*offsets)[i].value_or(kFromBeginning));
    }
    return starts;
}

void BatchGroup::on_assigned(const std::vector<TopicPartition>& partitions) {
    {
        const std::lock_guard lock(mutex_);
        for (const auto& where : partitions) {
            if (const auto placed = placed_.find(where); placed != placed_.end()) {
                partitions_[where] = placed->second;
            }
        }
        placed_.clear();
    }
    flow_.assigned(partitions);
    telemetry::log::info("partitions_assigned", {{"count", partitions.size()}, {"group", who_.group}});
}

void BatchGroup::on_revoked(const std::vector<TopicPartition>& partitions, bool lost) {
    std::vector<BatchPartitionPtr> gone;
    std::vector<Position> next;
    std::vector<store::Goodbye> goodbyes;
    core::Deadline deadline(core::system_clock(), options_.call_deadline);
    bool idle = true;
    flow_.revoked(partitions);
    {
        std::unique_lock lock(mutex_);
        if (drain_until_) {
            deadline = deadline.sooner_of(core::Deadline(core::system_clock(), *drain_until_));
        }
        for (const auto& where : partitions) {
            lost_positions_.erase(where);
            if (const auto found = partitions_.find(where); found != partitions_.end()) {
                gone.push_back(found->second);
                partitions_.erase(found);
            }
        }
        for (const auto& partition : gone) {
            partition->stopping = true;
            partition->abandoned = lost;
            drop_queue(*partition);
        }
        if (!lost) {
            idle = core::system_clock().wait_until(lock, idle_, deadline.at(), [&] {
                return std::ranges::none_of(gone, [](const auto& partition) { return partition->running; });
            });
        }
        for (const auto& partition : gone) {
            partition->abandoned = true;
            if (partition->next >= 0 && partition->next != partition->committed) {
                next.push_back({partition->where.topic, partition->where.partition, partition->next});
            }
            goodbyes.push_back({partition->where, partition->epoch});
        }
    }
    telemetry::log::info("partitions_revoked",
                         {{"count", partitions.size()}, {"group", who_.group}, {"lost", lost}, {"idle", idle}});
    if (!lost && !next.empty()) {
        SYNCLINE_FAULT_POINT("offset_uncommitted");
        if (const auto committed = source_.commit_now(next, core::Deadline(core::system_clock(), 5s)); !committed) {
            telemetry::log::failure(Level::warn, "commit_on_revoke_failed", committed.error());
        }
    }
    // A batch that still runs is no reason to suspect its records: the process lives.
    if (const auto said = store::say_goodbye(database_.pool(), core::Deadline(core::system_clock(), 2s), who_, goodbyes); !said) {
        telemetry::log::failure(Level::warn, "goodbye_not_written", said.error());
    }
}

void BatchGroup::on_records(std::vector<TransportRecord>&& records) {
    std::vector<BatchPartitionPtr> fed;
    std::size_t taken = 0;
    std::size_t bytes = 0;
    {
        const std::lock_guard lock(mutex_);
        BatchPartition* last = nullptr;
        for (auto& record : records) {
            if (last == nullptr || last->where.partition != record.position.partition ||
                last->where.topic != record.position.topic) {
                const auto home = partitions_.find({record.position.topic, record.position.partition});
                last = home == partitions_.end() ? nullptr : home->second.get();
                if (last == nullptr) {
                    continue;
                }
                if (std::ranges::find(fed, home->second) == fed.end()) {
                    fed.push_back(home->second);
                }
            }
            if (last->stopping || record.position.offset <= last->seen) {
                continue;
            }
            last->seen = record.position.offset;
            bytes += record.bytes();
            ++taken;
            last->queue.push_back(std::move(record));
        }
        records_in_flight_ += taken;
        bytes_in_flight_ += bytes;
        for (const auto& partition : fed) {
            list(partition);
        }
    }
    SYNCLINE_FAULT_POINT("polled");
    workers_.wake();
    hold_up(fed);
}

void BatchGroup::run_ticker() {
    std::unique_lock lock(ticker_mutex_);
    while (!ticker_stopping_) {
        const auto next = ports_.clock.steady() + options_.commit_every;
        ports_.clock.wait_until(lock, ticker_wake_, next, [this] { return ticker_stopping_; });
        lock.unlock();
        commit_offsets();
        lock.lock();
    }
}

void BatchGroup::commit_offsets() {
    std::vector<Position> next;
    {
        const std::lock_guard lock(mutex_);
        for (const auto& [where, partition] : partitions_) {
            if (partition->next >= 0 && partition->next != partition->committed) {
                partition->committed = partition->next;
                next.push_back({where.topic, where.partition, partition->next});
            }
        }
    }
    if (!next.empty()) {
        SYNCLINE_FAULT_POINT("offset_uncommitted");
        source_.commit(next);
    }
}

bool BatchGroup::drain(core::Deadline deadline) {
    {
        const std::lock_guard lock(mutex_);
        if (drained_) {
            return true;
        }
        drained_ = true;
        drain_until_ = core::system_clock().steady() + deadline.left() * 7 / 10;
        if (!started_) {
            return true;
        }
        draining_ = true;
    }
    room_.notify_all();
    source_.stop(deadline);
    const bool workers_gone = workers_.stop(deadline);
    database_.stop();
    {
        const std::lock_guard lock(ticker_mutex_);
        ticker_stopping_ = true;
    }
    ticker_wake_.notify_one();
    if (ticker_thread_.joinable()) {
        ticker_thread_.join();
    }
    telemetry::log::info("batches_drained", {{"group", who_.group}, {"batches_ended", workers_gone}});
    return workers_gone;
}

}  // namespace syncline::kit
