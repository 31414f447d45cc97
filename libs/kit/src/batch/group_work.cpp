// Queues of partitions, their batches on worker threads, and single records that an operator replays.
#include <syncline/telemetry/log.h>
#include <algorithm>
#include <utility>

#include "src/batch/group.h"
#include "src/batch/records.h"
#include "src/store/dead_letter_rows.h"
#include "src/store/outbox_rows.h"

namespace syncline::kit {
namespace {

using namespace std::chrono_literals;
using core::ErrorKind;
using telemetry::log::Level;

constexpr std::size_t kBatchBytesMax = std::size_t{8} << 20U;
constexpr std::size_t kQueueBatches = 2;  // So many full batches wait for a worker; beyond that the partition is full.
constexpr auto kHoldUp = 200ms;

}  // namespace

bool BatchGroup::full(const BatchPartition& partition) const {
    return partition.queue.size() >= partition.handler.records_max * kQueueBatches;
}

void BatchGroup::hold_up(const std::vector<BatchPartitionPtr>& fed) {
    std::vector<TopicPartition> stuck;
    bool too_many_bytes = false;
    {
        std::unique_lock lock(mutex_);
        const auto room = [&] {
            too_many_bytes = bytes_in_flight_ >= options_.bytes_in_flight_max;
            return draining_ ||
                   (!too_many_bytes && std::ranges::none_of(fed, [this](const auto& partition) { return full(*partition); }));
        };
        if (room() || (database_.is_available() &&
                       core::system_clock().wait_until(lock, room_, core::system_clock().steady() + kHoldUp, room))) {
            return;
        }
        for (const auto& partition : fed) {
            if (full(*partition)) {
                stuck.push_back(partition->where);
            }
        }
    }
    for (const auto& where : stuck) {
        flow_.set_full(where, true);
    }
    if (too_many_bytes) {
        flow_.set(PauseReason::in_flight, true);
    }
    // What was finished since then found nothing to resume.
    const std::lock_guard lock(mutex_);
    for (const auto& partition : fed) {
        if (!full(*partition)) {
            flow_.set_full(partition->where, false);
        }
    }
    if (bytes_in_flight_ < options_.bytes_in_flight_max) {
        flow_.set(PauseReason::in_flight, false);
    }
}

void BatchGroup::account(std::size_t records, std::size_t bytes) {
    records_in_flight_ -= records;
    bytes_in_flight_ -= bytes;
    if (bytes_in_flight_ <= options_.bytes_in_flight_max * 3 / 4) {
        flow_.set(PauseReason::in_flight, false);
    }
    room_.notify_all();
}

void BatchGroup::list(const BatchPartitionPtr& partition) {
    if (!partition->listed && !partition->running && !partition->stopping && !partition->queue.empty()) {
        partition->listed = true;
        ready_.push_back(partition);
    }
}

void BatchGroup::drop_queue(BatchPartition& partition) {
    std::size_t bytes = 0;
    for (const auto& record : partition.queue) {
        bytes += record.bytes();
    }
    account(partition.queue.size(), bytes);
    partition.queue.clear();
}

bool BatchGroup::work() {
    auto taken = take();
    if (!taken) {
        return false;
    }
    const BatchContext context{.database = database_,
                               .who = who_,
                               .clock = ports_.clock,
                               .service = options_.service,
                               .events = events_,
                               .meters = meters_};
    const auto result = run_batch(context, *taken->partition, taken->records, taken->limit);
    if (result.wrote_outbox) {
        outbox_written_();
    }
    finish(*taken, result);
    return true;
}

std::optional<BatchGroup::Taken> BatchGroup::take() {
    const std::lock_guard lock(mutex_);
    while (!ready_.empty()) {
        Taken taken{.partition = std::move(ready_.front()), .records = {}};
        ready_.pop_front();
        auto& partition = *taken.partition;
        partition.listed = false;
        if (partition.stopping) {
            continue;
        }
        auto& queue = partition.queue;
        while (!queue.empty() && partition.position && queue.front().position.offset < *partition.position) {
            // Settled by another owner.
            account(1, queue.front().bytes());
            queue.pop_front();
        }
        if (queue.empty()) {
            continue;
        }
        taken.limit = batch_limit(partition, queue.front().position.offset);
        while (!queue.empty() && taken.records.size() < partition.handler.records_max && taken.bytes < kBatchBytesMax &&
               queue.front().position.offset < taken.limit) {
            taken.bytes += queue.front().bytes();
            taken.records.push_back(std::move(queue.front()));
            queue.pop_front();
        }
        partition.running = true;
        ++running_;
        if (queue.size() <= partition.handler.records_max) {
            flow_.set_full(partition.where, false);
        }
        room_.notify_all();
        return taken;
    }
    return std::nullopt;
}

void BatchGroup::finish(Taken& taken, const BatchResult& result) {
    auto& partition = *taken.partition;
    bool again = result.end == BatchEnd::applied;
    if (result.end == BatchEnd::not_ours) {
        meters_.batches.with({partition.where.topic, "dropped"}).add();
        again = catch_up(partition);
    } else if (result.end == BatchEnd::broken) {
        const auto error = result.error.value_or(core::Error{});
        telemetry::log::failure(Level::error, "batch_refused", error, {{"topic", partition.where.topic}});
        broken(error);
    }
    {
        const std::lock_guard lock(mutex_);
        std::size_t settled = taken.records.size();
        std::size_t bytes = taken.bytes;
        if (again && result.end == BatchEnd::not_ours && !partition.stopping) {
            // What the other owner has not settled is ours still; take() leaves out the rest.
            settled = result.settled;
            for (auto record = taken.records.rbegin(); record != taken.records.rend() - static_cast<std::ptrdiff_t>(settled);
                 ++record) {
                bytes -= record->bytes();
                partition.queue.push_front(std::move(*record));
            }
        }
        partition.running = false;
        --running_;
        partition.next = partition.position.value_or(partition.next);
        account(settled, bytes);
        if (again) {
            list(taken.partition);
        } else {
            // Records of this batch are not settled: nothing behind them may be begun.
            partition.stopping = true;
            drop_queue(partition);
        }
    }
    idle_.notify_all();
}

bool BatchGroup::catch_up(BatchPartition& partition) {
    const auto offsets = database_.persist(
        [&] { return partition.abandoned.load(); }, true,
        [&] { return store::batch_offsets(database_.pool(), database_.deadline(), who_, std::span(&partition.where, 1)); });
    if (!offsets) {
        return false;
    }
    const auto& stored = offsets->front();
    telemetry::log::warn("batch_dropped", {{"topic", partition.where.topic},
                                           {"partition", partition.where.partition},
                                           {"expected_offset", partition.position.value_or(-1)},
                                           {"stored_offset", stored.value_or(-1)}});
    if (!stored || (partition.position && *stored < *partition.position)) {
        // Somebody has set the offset back: what lies between must be read again, and a new process does that.
        broken({.kind = ErrorKind::needs_decision,
                .code = "position_moved_back",
                .message = partition.where.topic + '/' + std::to_string(partition.where.partition) +
                           ": the stored offset was set back while the service ran",
                .hint = "the service restarts and begins there"});
        return false;
    }
    partition.position = stored;
    partition.mark = -1;
    return true;
}

core::Result<void> BatchGroup::replay(postgres::Transaction& tx, const store::DeadLetter& letter) {
    const auto handler = std::ranges::find(handlers_, letter.event.position.topic, &BatchHandler::topic);
    if (handler == handlers_.end()) {
        return core::fail(ErrorKind::conflict, "not_handled", "no handler here takes this topic any more");
    }
    const auto read = read_record(letter.record, *handler);
    if (read.use == RecordUse::passed_over) {
        return core::fail(ErrorKind::conflict, "not_handled", "no handler here takes this event any more");
    }
    if (read.use == RecordUse::malformed) {
        return std::unexpected(read.error);
    }
    core::Result<BatchOutcome> outcome;
    try {
        outcome = handler->apply(std::span(&read.record, 1), tx);
    } catch (const std::exception&) {
        return core::fail(ErrorKind::bug, "batch_exception", "applying the record threw");
    }
    if (!outcome) {
        return std::unexpected(std::move(outcome.error()));
    }
    if (!outcome->bad.empty()) {
        return std::unexpected(std::move(outcome->bad.front().error));
    }
    const auto now = ports_.clock.now();
    const auto rows = event_rows({.group = who_.group, .now = now, .service = options_.service}, *outcome,
                                 "replay|" + letter.id + '|' + std::to_string(now.time_since_epoch().count()));
    std::vector<const store::OutboxRow*> outbox;
    std::ranges::transform(rows, std::back_inserter(outbox), [](const auto& row) { return &row; });
    if (auto ok = store::insert_outbox(tx, now, outbox); !ok) {
        return ok;
    }
    return store::settle_dead_letter(tx, who_, now, letter.id, "replayed", std::nullopt);
}

}  // namespace syncline::kit
