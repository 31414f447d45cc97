#include "src/assignment.h"
#include "src/client_handle.h"
#include "src/errors.h"
#include "src/log_sink.h"
#include "src/message.h"
#include "src/statistics.h"

#include <fmt/format.h>
#include <syncline/core/assert.h>
#include <syncline/kafka/consumer.h>
#include <algorithm>
#include <array>
#include <atomic>
#include <condition_variable>
#include <mutex>
#include <shared_mutex>
#include <thread>

namespace syncline::kafka {
namespace {

constexpr int kPollMs = 100;
constexpr std::chrono::seconds kReadCommittedFor{30};
constexpr std::size_t kBatchBytesMax = std::size_t{4} << 20U;

Settings settings_of(const ConsumerOptions& options) {
    return {
        {"bootstrap.servers", options.client.brokers},
        {"group.id", options.group},
        // cooperative-sticky has known faults in 2.0.2 (LIBRARY-FAULTS §1: #4312, #4527, #4783, #4686, #4059).
        {"partition.assignment.strategy", "range"},
        {"enable.auto.commit", "false"},
        {"enable.auto.offset.store", "false"},
        {"auto.offset.reset", "error"},
        {"allow.auto.create.topics", "false"},
        {"isolation.level", "read_committed"},
        {"session.timeout.ms", std::to_string(options.session_timeout.count())},
        {"heartbeat.interval.ms", std::to_string(std::max<std::int64_t>(options.session_timeout.count() / 4, 100))},
        {"max.poll.interval.ms", std::to_string(std::max(options.max_poll_interval, options.session_timeout).count())},
        {"queued.max.messages.kbytes", std::to_string(std::max<std::int64_t>(options.fetch_queue_bytes_max / 1024, 1))},
        {"fetch.message.max.bytes", std::to_string(options.message_bytes_max)},
        {"fetch.max.bytes", std::to_string(std::max(options.message_bytes_max, 16 * 1024 * 1024))},
        // Bounds how long a resumed or newly assigned partition waits behind a fetch that is already out.
        {"fetch.wait.max.ms", "100"},
        {"fetch.error.backoff.ms", "200"},
    };
}

PartitionListHandle list_of(std::span<const TopicPartition> partitions) {
    PartitionListHandle list(rd_kafka_topic_partition_list_new(static_cast<int>(partitions.size())));
    for (const auto& partition : partitions) {
        rd_kafka_topic_partition_list_add(list.get(), partition.topic.c_str(), partition.partition);
    }
    return list;
}

PartitionListHandle list_of(std::span<const Position> positions) {
    PartitionListHandle list(rd_kafka_topic_partition_list_new(static_cast<int>(positions.size())));
    for (const auto& position : positions) {
        rd_kafka_topic_partition_list_add(list.get(), position.topic.c_str(), position.partition)->offset = position.offset;
    }
    return list;
}

std::vector<TopicPartition> partitions_of(const rd_kafka_topic_partition_list_t& list) {
    std::vector<TopicPartition> out;
    for (int i = 0; i < list.cnt; ++i) {
        out.push_back({list.elems[i].topic, list.elems[i].partition});
    }
    return out;
}

// The first error of a commit, of the whole or of one partition.
std::optional<core::Error> commit_error(rd_kafka_resp_err_t code, const rd_kafka_topic_partition_list_t* list) {
    if (code == RD_KAFKA_RESP_ERR__NO_OFFSET) {
        return std::nullopt;
    }
    if (code != RD_KAFKA_RESP_ERR_NO_ERROR) {
        return error_from(code, "commit");
    }
    for (int i = 0; list != nullptr && i < list->cnt; ++i) {
        if (list->elems[i].err != RD_KAFKA_RESP_ERR_NO_ERROR) {
            return error_from(list->elems[i].err, fmt::format("commit of {}/{}", list->elems[i].topic, list->elems[i].partition));
        }
    }
    return std::nullopt;
}

void tell(const std::function<void(const core::Error&)>& callback, const core::Error& error) {
    if (callback) {
        callback(error);
    }
}

}  // namespace

struct Consumer::State {
    State(ConsumerOptions given, ConsumerCallbacks theirs)
        : options(std::move(given)), callbacks(std::move(theirs)), sink(options.client) {}

    const ConsumerOptions options;
    const ConsumerCallbacks callbacks;
    LogSink sink;
    Assignment assignment;
    // Unique while close() ends the client, shared by whoever uses it from outside the thread.
    std::shared_mutex client_mutex;
    ClientHandle client;  // Destroyed by close(), after the thread has gone and every message with it.

    // The thread's own.
    std::vector<MessageHandle> batch;
    std::size_t batch_bytes = 0;
    std::chrono::steady_clock::time_point last_idle;
    bool rejoin = false;

    std::atomic<bool> assigning = false;  // on_assign runs: librdkafka does not know these partitions yet.
    std::atomic<core::SteadyTime> progress{core::system_clock().steady()};
    std::atomic<bool> joined = false;
    std::atomic<std::uint64_t> records = 0;
    std::atomic<bool> stopping = false;
    std::atomic<bool> gave_up_closing = false;

    std::mutex mutex;  // Of everything below.
    std::condition_variable wake;
    std::vector<Position> restarts;
    ClientStatistics statistics;
    core::SteadyTime close_by;
    bool thread_ended = false;
    bool closed = false;
    std::thread thread;

    static State& of(void* opaque) { return *static_cast<State*>(opaque); }

    core::Result<void> open() {
        auto conf = make_conf(options.client, settings_of(options));
        if (!conf) {
            return std::unexpected(std::move(conf.error()));
        }
        rd_kafka_conf_set_opaque(conf->get(), this);
        rd_kafka_conf_set_rebalance_cb(
            conf->get(), [](rd_kafka_t*, rd_kafka_resp_err_t code, rd_kafka_topic_partition_list_t* list, void* opaque) {
                of(opaque).on_rebalance(code, *list);
            });
        rd_kafka_conf_set_offset_commit_cb(
            conf->get(), [](rd_kafka_t*, rd_kafka_resp_err_t code, rd_kafka_topic_partition_list_t* list, void* opaque) {
                of(opaque).on_commit(code, list);
            });
        rd_kafka_conf_set_error_cb(conf->get(), [](rd_kafka_t* rk, int code, const char* reason, void* opaque) {
            of(opaque).on_error(rk, static_cast<rd_kafka_resp_err_t>(code), reason);
        });
        rd_kafka_conf_set_log_cb(conf->get(), [](const rd_kafka_t* rk, int level, const char* facility, const char* text) {
            of(rd_kafka_opaque(rk)).sink.log(level, facility, text);
        });
        rd_kafka_conf_set_stats_cb(conf->get(), [](rd_kafka_t*, char* json, std::size_t size, void* opaque) {
            auto parsed = parse_statistics({json, size});
            const std::lock_guard lock(of(opaque).mutex);
            of(opaque).statistics = std::move(parsed);
            return 0;
        });
        auto opened = new_client(RD_KAFKA_CONSUMER, std::move(*conf));
        if (!opened) {
            return std::unexpected(std::move(opened.error()));
        }
        client = ClientHandle(*opened);
        rd_kafka_set_log_queue(client.get(), nullptr);
        rd_kafka_poll_set_consumer(client.get());
        return {};
    }

    rd_kafka_resp_err_t subscribe() {
        const PartitionListHandle list(rd_kafka_topic_partition_list_new(static_cast<int>(options.topics.size())));
        for (const auto& topic : options.topics) {
            rd_kafka_topic_partition_list_add(list.get(), topic.c_str(), RD_KAFKA_PARTITION_UA);
        }
        return rd_kafka_subscribe(client.get(), list.get());
    }

    void run() {
        while (!stopping) {
            progress = core::system_clock().steady();
            collect();
            deliver();
            restart_requested();
            if (rejoin) {
                rejoin = false;
                rd_kafka_unsubscribe(client.get());
                subscribe();
            }
            if (const auto now = std::chrono::steady_clock::now();
                callbacks.on_idle && now - last_idle >= std::chrono::milliseconds{kPollMs}) {
                last_idle = now;
                callbacks.on_idle();
            }
        }
        leave_group();
        const std::lock_guard lock(mutex);
        thread_ended = true;
        wake.notify_all();
    }

    // One message at a time (consume_batch loses offsets around pauses and rebalances, LIBRARY-FAULTS §1, #4208), waiting for the
    // first only.
    void collect() {
        int wait = kPollMs;
        while (batch.size() < static_cast<std::size_t>(options.batch_max) && batch_bytes < kBatchBytesMax) {
            MessageHandle message(rd_kafka_consumer_poll(client.get(), wait));
            if (!message) {
                return;
            }
            wait = 0;
            if (message->err != RD_KAFKA_RESP_ERR_NO_ERROR) {
                on_message_error(*message);
                continue;
            }
            batch_bytes += message->len + message->key_len;
            batch.push_back(std::move(message));
        }
    }

    void deliver() {
        if (batch.empty()) {
            return;
        }
        std::vector<RecordView> views;
        views.reserve(batch.size());
        for (std::size_t i = 0; i < batch.size(); ++i) {
            const auto& message = *batch[i];
            views.push_back(view_of(message));
            // Of each run of one partition the last offset tells all.
            if (i + 1 == batch.size() || batch[i + 1]->rkt != message.rkt || batch[i + 1]->partition != message.partition) {
                assignment.consumed({std::string(views.back().topic), message.partition}, message.offset);
            }
        }
        records += views.size();
        callbacks.on_records(views);
        batch.clear();
        batch_bytes = 0;
    }

    void on_message_error(const rd_kafka_message_t& message) {
        const auto* topic = message.rkt == nullptr ? "" : rd_kafka_topic_name(message.rkt);
        if (message.err == RD_KAFKA_RESP_ERR__AUTO_OFFSET_RESET) {
            const TopicPartition partition{topic, message.partition};
            auto error = error_from(RD_KAFKA_RESP_ERR_OFFSET_OUT_OF_RANGE, fmt::format("{}/{}", topic, message.partition));
            error.code = "offset_gone";
            error.kind = core::ErrorKind::rejected;
            error.hint = "retention was shorter than the delay of this group: decide where to go on";
            if (callbacks.on_offset_lost && assignment.has(partition)) {
                callbacks.on_offset_lost(partition, error);
            }
            return;
        }
        tell(message.err == RD_KAFKA_RESP_ERR__FATAL ? callbacks.on_fatal : callbacks.on_error,
             error_from(message.err, fmt::format("consume {}", topic)));
    }

    void on_error(rd_kafka_t* rk, rd_kafka_resp_err_t code, const char* reason) {
        if (code != RD_KAFKA_RESP_ERR__FATAL) {
            sink.error(code, reason);
            return;
        }
        std::array<char, 256> text{};
        const auto cause = rd_kafka_fatal_error(rk, text.data(), text.size());
        tell(callbacks.on_fatal, error_from(cause, fmt::format("fatal: {}", text.data())));
    }

    void on_commit(rd_kafka_resp_err_t code, const rd_kafka_topic_partition_list_t* list) {
        if (const auto error = commit_error(code, list)) {
            tell(callbacks.on_commit_failed, *error);
            return;
        }
        note_committed(list);
    }

    void note_committed(const rd_kafka_topic_partition_list_t* list) {
        std::vector<Position> positions;
        for (int i = 0; list != nullptr && i < list->cnt; ++i) {
            if (list->elems[i].offset >= 0) {
                positions.push_back({list->elems[i].topic, list->elems[i].partition, list->elems[i].offset});
            }
        }
        assignment.committed(positions);
    }

    void on_rebalance(rd_kafka_resp_err_t code, rd_kafka_topic_partition_list_t& list) {
        // What was polled before belongs to the owner that still holds these partitions.
        deliver();
        if (code == RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS) {
            if (stopping) {
                rd_kafka_assign(client.get(), nullptr);
            } else if (!assign(list)) {
                // Nothing, but an answer: after a null one librdkafka waits for ever to be told what is assigned, and the rejoin
                // with it.
                rd_kafka_assign(client.get(), list_of(std::span<const TopicPartition>()).get());
            }
            return;
        }
        if (code == RD_KAFKA_RESP_ERR__REVOKE_PARTITIONS && list.cnt > 0 && assignment.size() > 0 && callbacks.on_revoke) {
            callbacks.on_revoke(partitions_of(list), rd_kafka_assignment_lost(client.get()) != 0);
        }
        assignment.clear();
        // Acknowledges the revocation: only now may another member get them.
        rd_kafka_assign(client.get(), nullptr);
    }

    // Offsets are always given: librdkafka never decides where to begin, and never seeks (#4230).
    bool assign(rd_kafka_topic_partition_list_t& list) {
        if (list.cnt > 0 && !read_committed(list)) {
            rejoin = true;
            return false;
        }
        std::vector<AssignedPartition> partitions;
        for (int i = 0; i < list.cnt; ++i) {
            AssignedPartition partition{.topic = list.elems[i].topic, .partition = list.elems[i].partition};
            if (list.elems[i].offset >= 0) {
                partition.committed = list.elems[i].offset;
            }
            partition.start = partition.committed.value_or(options.first_start == FirstStart::earliest ? kBeginning : kEnd);
            partitions.push_back(std::move(partition));
        }
        assignment.assign(partitions);
        if (callbacks.on_assign) {
            assigning = true;
            callbacks.on_assign(partitions);
            assigning = false;
        }
        if (std::ranges::any_of(partitions, [](const auto& partition) { return partition.start == kNotYet; })) {
            assignment.clear();
            rejoin = true;
            return false;
        }
        for (int i = 0; i < list.cnt; ++i) {
            const auto& partition = partitions[static_cast<std::size_t>(i)];
            SYNCLINE_ASSERT(partition.topic == list.elems[i].topic && partition.partition == list.elems[i].partition);
            list.elems[i].offset = partition.start;
            assignment.start_at({partition.topic, partition.partition}, partition.start);
        }
        rd_kafka_assign(client.get(), &list);
        pause_again();
        joined = true;
        return true;
    }

    bool read_committed(rd_kafka_topic_partition_list_t& list) {
        const auto until = std::chrono::steady_clock::now() + kReadCommittedFor;
        while (true) {
            const auto code = rd_kafka_committed(client.get(), &list, 5000);
            auto error = commit_error(code, &list);
            if (!error) {
                return true;
            }
            error->message = "read " + error->message;
            tell(callbacks.on_error, *error);
            if (stopping || std::chrono::steady_clock::now() > until) {
                return false;
            }
            std::unique_lock lock(mutex);
            wake.wait_for(lock, std::chrono::milliseconds{200}, [&] { return stopping.load(); });
        }
    }

    // An assignment forgets pauses.
    void pause_again() {
        if (const auto paused = assignment.paused(); !paused.empty()) {
            rd_kafka_pause_partitions(client.get(), list_of(paused).get());
        }
    }

    void restart_requested() {
        std::vector<Position> wanted;
        {
            const std::lock_guard lock(mutex);
            wanted.swap(restarts);
        }
        if (wanted.empty() || assignment.size() == 0) {
            return;
        }
        for (const auto& position : wanted) {
            assignment.start_at({position.topic, position.partition}, position.offset);
        }
        rd_kafka_assign(client.get(), list_of(assignment.next()).get());
        pause_again();
    }

    // Without the close of librdkafka itself, which has no deadline.
    void leave_group() {
        deliver();
        const QueueHandle queue(rd_kafka_queue_new(client.get()));
        if (const ErrorHandle refused(rd_kafka_consumer_close_queue(client.get(), queue.get())); refused) {
            sink.log(4, "CLOSE", rd_kafka_error_string(refused.get()));
            return;
        }
        while (rd_kafka_consumer_closed(client.get()) == 0) {
            // A revocation (and with it the owner's last commit) comes through this queue, behind records fetched ahead:
            // rd_kafka_queue_poll_callback aborts the process at those.
            const MessageHandle unwanted(rd_kafka_consume_queue(queue.get(), 20));
            const std::lock_guard lock(mutex);
            if (core::system_clock().steady() >= close_by) {
                gave_up_closing = true;
                return;
            }
        }
    }

    // From any thread. While on_assign runs librdkafka does not know the partitions yet: pause_again() follows.
    void pause(std::span<const TopicPartition> partitions) {
        const std::shared_lock lock(client_mutex);
        if (client.get() == nullptr) {
            return;
        }
        if (const auto fresh = assignment.pause(partitions); !fresh.empty() && !assigning) {
            rd_kafka_pause_partitions(client.get(), list_of(fresh).get());
        }
    }
    void resume(std::span<const TopicPartition> partitions) {
        const std::shared_lock lock(client_mutex);
        if (client.get() == nullptr) {
            return;
        }
        if (const auto paused = assignment.resume(partitions); !paused.empty() && !assigning) {
            rd_kafka_resume_partitions(client.get(), list_of(paused).get());
        }
    }
};

core::Result<std::unique_ptr<Consumer>> Consumer::start(ConsumerOptions options, ConsumerCallbacks callbacks) {
    SYNCLINE_ASSERT(callbacks.on_records && !options.group.empty() && !options.topics.empty() && options.batch_max > 0);
    if (options.client.brokers.empty()) {
        return std::unexpected(check(options.client).error());
    }
    auto state = std::make_unique<State>(std::move(options), std::move(callbacks));
    if (auto opened = state->open(); !opened) {
        return std::unexpected(std::move(opened.error()));
    }
    if (const auto code = state->subscribe(); code != RD_KAFKA_RESP_ERR_NO_ERROR) {
        return std::unexpected(error_from(code, "subscribe"));
    }
    state->thread = std::thread([raw = state.get()] { raw->run(); });
    return std::unique_ptr<Consumer>(new Consumer(std::move(state)));
}

Consumer::Consumer(std::unique_ptr<State> state) : state_(std::move(state)) {}

Consumer::~Consumer() {
    if (!close({core::system_clock(), state_->options.close_timeout})) {
        // Its threads may still call back into the state: both stay until the process ends.
        keep_until_exit(state_.release());
    }
}

void Consumer::pause(std::span<const TopicPartition> partitions) {
    state_->pause(partitions);
}
void Consumer::resume(std::span<const TopicPartition> partitions) {
    state_->resume(partitions);
}

core::Result<void> Consumer::commit(std::span<const Position> offsets, const core::Deadline& deadline) {
    if (offsets.empty()) {
        return {};
    }
    const std::shared_lock lock(state_->client_mutex);
    if (state_->client.get() == nullptr) {
        return std::unexpected(closed_error());
    }
    // rd_kafka_commit has no time-out: the answer is awaited on a queue of its own.
    const QueueHandle answers(rd_kafka_queue_new(state_->client.get()));
    const auto list = list_of(offsets);
    if (const auto code = rd_kafka_commit_queue(state_->client.get(), list.get(), answers.get(), nullptr, nullptr);
        code != RD_KAFKA_RESP_ERR_NO_ERROR) {
        return std::unexpected(error_from(code, "commit"));
    }
    const EventHandle answer(rd_kafka_queue_poll(answers.get(), milliseconds_left(deadline)));
    if (!answer) {
        return std::unexpected(error_from(RD_KAFKA_RESP_ERR__TIMED_OUT, "commit"));
    }
    if (auto error = commit_error(rd_kafka_event_error(answer.get()), rd_kafka_event_topic_partition_list(answer.get()))) {
        return std::unexpected(std::move(*error));
    }
    state_->assignment.committed(offsets);
    return {};
}

void Consumer::commit_async(std::span<const Position> offsets) {
    const std::shared_lock lock(state_->client_mutex);
    if (offsets.empty() || state_->client.get() == nullptr) {
        return;
    }
    if (const auto code = rd_kafka_commit(state_->client.get(), list_of(offsets).get(), 1); code != RD_KAFKA_RESP_ERR_NO_ERROR) {
        tell(state_->callbacks.on_commit_failed, error_from(code, "commit"));
    }
}

void Consumer::restart_at(const Position& position) {
    const std::lock_guard lock(state_->mutex);
    state_->restarts.push_back(position);
}

bool Consumer::close(const core::Deadline& deadline) {
    auto& state = *state_;
    SYNCLINE_ASSERT(std::this_thread::get_id() != state.thread.get_id());
    std::unique_lock lock(state.mutex);
    if (state.closed) {
        return !state.gave_up_closing;
    }
    state.closed = true;
    state.close_by = core::system_clock().steady() + deadline.left();
    state.stopping = true;
    state.wake.notify_all();
    // A callback of the owner that does not return holds the thread: it gets a moment more than librdkafka.
    const bool ended = state.wake.wait_until(lock, state.close_by + std::chrono::seconds{2}, [&] { return state.thread_ended; });
    lock.unlock();
    if (!ended) {
        state.gave_up_closing = true;
        state.thread.detach();
        return false;
    }
    state.thread.join();
    const std::unique_lock alone(state.client_mutex);
    if (state.gave_up_closing) {
        state.sink.log(3, "CLOSE", "the consumer could not leave its group in time; it is leaked");
        keep_until_exit(state.client.release());
        return false;
    }
    const auto left = std::max<std::chrono::nanoseconds>(state.close_by - core::system_clock().steady(), std::chrono::seconds{1});
    if (!state.client.destroy_by({core::system_clock(), left})) {
        state.gave_up_closing = true;
        state.sink.log(3, "CLOSE", "librdkafka did not end the consumer in time; it is leaked");
        return false;
    }
    return true;
}

core::SteadyTime Consumer::last_progress() const {
    return state_->progress;
}
bool Consumer::joined() const {
    return state_->joined;
}

ConsumerStats Consumer::stats() const {
    ConsumerStats out{
        .records_total = state_->records, .assigned = state_->assignment.size(), .paused = state_->assignment.paused_count()};
    const std::lock_guard lock(state_->mutex);
    const auto& seen = state_->statistics;
    out.bytes_total = seen.received_bytes;
    out.rebalances_total = seen.rebalances;
    out.brokers_up = seen.brokers_up;
    for (const auto& partition : seen.partitions) {
        if (!state_->assignment.has(partition.partition)) {
            continue;
        }
        // librdkafka knows a committed offset only after it has read or written one itself; ours is known from the assignment on.
        auto lag =
            partition.lag >= 0 ? std::optional(partition.lag) : state_->assignment.lag(partition.partition, partition.end_offset);
        if (lag) {
            out.lag.push_back({partition.partition.topic, partition.partition.partition, *lag});
        }
    }
    return out;
}

}  // namespace syncline::kafka
