#include "src/client_handle.h"
#include "src/errors.h"
#include "src/log_sink.h"
#include "src/pending.h"
#include "src/statistics.h"

#include <fmt/format.h>
#include <syncline/kafka/producer.h>
#include <atomic>
#include <condition_variable>
#include <mutex>
#include <shared_mutex>
#include <thread>

namespace syncline::kafka {
namespace {

constexpr int kPollMs = 100;

std::int64_t size_of(const OutgoingRecord& record) {
    std::size_t sum = (record.key ? record.key->size() : 0) + (record.value ? record.value->size() : 0);
    for (const auto& header : record.headers) {
        sum += header.name.size() + header.value.size();
    }
    return static_cast<std::int64_t>(sum);
}

HeadersHandle headers_of(const OutgoingRecord& record) {
    HeadersHandle headers(rd_kafka_headers_new(record.headers.size()));
    for (const auto& header : record.headers) {
        rd_kafka_header_add(headers.get(), header.name.data(), static_cast<ssize_t>(header.name.size()), header.value.data(),
                            static_cast<ssize_t>(header.value.size()));
    }
    return headers;
}

core::Error rebuilding() {
    return {.kind = core::ErrorKind::transient,
            .code = "producer_rebuilding",
            .message = "the Kafka producer is being rebuilt after a fatal error"};
}

core::Error unknown(std::string_view why) {
    return {.kind = core::ErrorKind::unknown_outcome,
            .code = "delivery_unknown",
            .message = fmt::format("the record may or may not be in Kafka: {}", why)};
}

Settings settings_of(const ProducerOptions& options) {
    return {
        {"bootstrap.servers", options.client.brokers},
        {"enable.idempotence", "true"},
        {"acks", "all"},
        {"partitioner", "murmur2_random"},
        {"linger.ms", std::to_string(options.linger.count())},
        {"compression.type", options.compression},
        {"message.timeout.ms", std::to_string(options.delivery_timeout.count())},
        {"message.max.bytes", std::to_string(options.message_bytes_max)},
        {"queue.buffering.max.messages", std::to_string(options.queue_records_max)},
        {"queue.buffering.max.kbytes", std::to_string(std::max<std::int64_t>(options.queue_bytes_max / 1024, 1))},
        {"retry.backoff.ms", "100"},
        // An unknown topic is an error within seconds, not after half a minute of waiting for it to appear.
        {"topic.metadata.propagation.max.ms", "5000"},
    };
}

}  // namespace

struct Producer::State {
    explicit State(ProducerOptions given) : options(std::move(given)), sink(options.client) {}

    const ProducerOptions options;
    LogSink sink;
    PendingRecords pending;
    // Shared by produce(), unique while the client is exchanged.
    std::shared_mutex client_mutex;
    ClientHandle client;
    std::atomic<bool> fatal = false;  // Seen by the poll thread, not yet acted on; produce() refuses from here on.
    std::atomic<bool> closing = false;
    std::chrono::steady_clock::time_point close_by;  // Written before `closing`.
    std::atomic<std::uint64_t> delivered = 0;
    std::atomic<std::uint64_t> failed = 0;
    std::atomic<std::uint64_t> rebuilt = 0;
    mutable std::mutex statistics_mutex;
    ClientStatistics statistics;
    std::thread thread;

    static State& of(void* opaque) { return *static_cast<State*>(opaque); }

    static void on_delivery(rd_kafka_t*, const rd_kafka_message_t* message, void* opaque) {
        auto& self = of(opaque);
        auto& entry = *static_cast<PendingRecords::Entry*>(message->_private);
        if (message->err == RD_KAFKA_RESP_ERR_NO_ERROR) {
            ++self.delivered;
            self.pending.answer(entry, Position{rd_kafka_topic_name(message->rkt), message->partition, message->offset});
            return;
        }
        ++self.failed;
        auto error = error_from(message->err, "delivery");
        if (error.kind == core::ErrorKind::transient &&
            rd_kafka_message_status(message) == RD_KAFKA_MSG_STATUS_POSSIBLY_PERSISTED) {
            error = unknown(rd_kafka_err2str(message->err));
        }
        self.pending.answer(entry, std::unexpected(std::move(error)));
    }
    static void on_error(rd_kafka_t*, int code, const char* reason, void* opaque) {
        auto& self = of(opaque);
        if (code == RD_KAFKA_RESP_ERR__FATAL) {
            self.fatal = true;
        }
        self.sink.error(static_cast<rd_kafka_resp_err_t>(code), reason);
    }
    static void on_log(const rd_kafka_t* client, int level, const char* facility, const char* text) {
        of(rd_kafka_opaque(client)).sink.log(level, facility, text);
    }
    static int on_statistics(rd_kafka_t*, char* json, std::size_t size, void* opaque) {
        auto& self = of(opaque);
        auto parsed = parse_statistics({json, size});
        const std::lock_guard lock(self.statistics_mutex);
        self.statistics = std::move(parsed);
        return 0;
    }

    core::Result<ClientHandle> open() {
        auto conf = make_conf(options.client, settings_of(options));
        if (!conf) {
            return std::unexpected(std::move(conf.error()));
        }
        rd_kafka_conf_set_opaque(conf->get(), this);
        rd_kafka_conf_set_dr_msg_cb(conf->get(), &on_delivery);
        rd_kafka_conf_set_error_cb(conf->get(), &on_error);
        rd_kafka_conf_set_log_cb(conf->get(), &on_log);
        rd_kafka_conf_set_stats_cb(conf->get(), &on_statistics);
        auto opened = new_client(RD_KAFKA_PRODUCER, std::move(*conf));
        if (!opened) {
            return std::unexpected(std::move(opened.error()));
        }
        rd_kafka_set_log_queue(*opened, nullptr);
        return ClientHandle(*opened);
    }

    void run() {
        while (!closing) {
            rd_kafka_poll(client.get(), kPollMs);
            if (fatal) {
                rebuild();
            }
        }
        while (pending.records() > 0 && !fatal && std::chrono::steady_clock::now() < close_by) {
            rd_kafka_poll(client.get(), 20);
        }
        give_up_the_rest("the producer was closed");
        // Whoever was inside produce() when it closed is answered too.
        const std::unique_lock lock(client_mutex);
        failed += pending.fail_all([] { return unknown("the producer was closed"); });
    }

    // What a dead or closing client still holds is answered by its own delivery reports, and the rest by us.
    void give_up_the_rest(std::string_view why) {
        rd_kafka_purge(client.get(), RD_KAFKA_PURGE_F_QUEUE | RD_KAFKA_PURGE_F_INFLIGHT | RD_KAFKA_PURGE_F_NON_BLOCKING);
        const auto until = std::chrono::steady_clock::now() + std::chrono::milliseconds{300};
        while (pending.records() > 0 && std::chrono::steady_clock::now() < until) {
            rd_kafka_poll(client.get(), 20);
        }
        failed += pending.fail_all([&] { return unknown(why); });
    }

    // LIBRARY-FAULTS §1, #4438: "sequence desynchronization" and "rewound sequence" after time-outs and disconnects end an
    // idempotent producer for good. Its successor starts with a new producer id; what may have been written is the caller's to
    // repeat (the outbox) and the consumers' to recognise (the inbox).
    void rebuild() {
        {
            // produce() refuses by now; wait for those inside.
            const std::unique_lock lock(client_mutex);
        }
        give_up_the_rest("the producer had a fatal error");
        auto successor = open();
        if (!successor) {
            // Only a resource failure can come here: the same configuration has worked before. run() comes back after a poll.
            return;
        }
        ClientHandle dead;
        {
            const std::unique_lock lock(client_mutex);
            dead = std::exchange(client, std::move(*successor));
            fatal = false;
        }
        ++rebuilt;
        // Ends in the background; nobody waits for it.
        (void)dead.destroy_by({core::system_clock(), std::chrono::nanoseconds{0}});
    }
};

core::Result<std::unique_ptr<Producer>> Producer::create(ProducerOptions options) {
    if (options.client.brokers.empty()) {
        return std::unexpected(check(options.client).error());
    }
    auto state = std::make_unique<State>(std::move(options));
    auto client = state->open();
    if (!client) {
        return std::unexpected(std::move(client.error()));
    }
    state->client = std::move(*client);
    state->thread = std::thread([raw = state.get()] { raw->run(); });
    return std::unique_ptr<Producer>(new Producer(std::move(state)));
}

Producer::Producer(std::unique_ptr<State> state) : state_(std::move(state)) {}

Producer::~Producer() {
    {
        const std::unique_lock lock(state_->client_mutex);
        state_->close_by = std::chrono::steady_clock::now() + state_->options.close_timeout;
        state_->closing = true;
    }
    state_->thread.join();
    if (!state_->client.destroy_by({core::system_clock(), std::chrono::seconds{5}})) {
        state_->sink.log(3, "CLOSE", "librdkafka did not end the producer in time; it is leaked");
        // Its threads may still call back.
        keep_until_exit(state_.release());
    }
}

core::Result<void> Producer::produce(const OutgoingRecord& record, Done done) {
    const auto bytes = size_of(record);
    if (bytes > state_->options.message_bytes_max) {
        return std::unexpected(error_from(RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE, "produce"));
    }
    auto headers = headers_of(record);
    const std::shared_lock lock(state_->client_mutex);
    if (state_->closing) {
        return std::unexpected(closed_error());
    }
    if (state_->fatal) {
        return std::unexpected(rebuilding());
    }
    auto& entry = state_->pending.add(std::move(done), bytes);
    // producev, and never an explicit partition: produceva frees headers twice when the partition does not exist (#4627).
    // The types are written out: the RD_KAFKA_V_ macros cast what they are given.
    const char* key = record.key ? record.key->data() : nullptr;
    const std::size_t key_size = record.key ? record.key->size() : 0;
    const char* value = record.value ? record.value->data() : nullptr;
    const std::size_t value_size = record.value ? record.value->size() : 0;
    const auto code =
        rd_kafka_producev(state_->client.get(), RD_KAFKA_VTYPE_TOPIC, record.topic.c_str(), RD_KAFKA_VTYPE_MSGFLAGS,
                          RD_KAFKA_MSG_F_COPY, RD_KAFKA_VTYPE_KEY, key, key_size, RD_KAFKA_VTYPE_VALUE, value, value_size,
                          RD_KAFKA_VTYPE_HEADERS, headers.get(), RD_KAFKA_VTYPE_OPAQUE, &entry, RD_KAFKA_VTYPE_END);
    if (code == RD_KAFKA_RESP_ERR_NO_ERROR) {
        (void)headers.release();
        return {};
    }
    state_->pending.drop(entry);
    return std::unexpected(code == RD_KAFKA_RESP_ERR__FATAL ? rebuilding() : error_from(code, "produce"));
}

core::Result<Position> Producer::send(const OutgoingRecord& record, const core::Deadline& deadline) {
    struct Answer {
        std::mutex mutex;
        std::condition_variable wake;
        std::optional<core::Result<Position>> result;
    };
    auto answer = std::make_shared<Answer>();
    auto accepted = produce(record, [answer](core::Result<Position> result) {
        const std::lock_guard lock(answer->mutex);
        answer->result = std::move(result);
        answer->wake.notify_all();
    });
    if (!accepted) {
        return std::unexpected(std::move(accepted.error()));
    }
    std::unique_lock lock(answer->mutex);
    if (!answer->wake.wait_until(lock, std::chrono::steady_clock::now() + deadline.left(),
                                 [&] { return answer->result.has_value(); })) {
        return std::unexpected(unknown("no acknowledgement by the deadline"));
    }
    return std::move(*answer->result);
}

core::Result<void> Producer::flush(const core::Deadline& deadline) {
    if (!state_->pending.wait_until_answered(deadline)) {
        return std::unexpected(error_from(RD_KAFKA_RESP_ERR__TIMED_OUT, "flush"));
    }
    return {};
}

core::Result<void> Producer::warm_up(std::span<const std::string> topics, const core::Deadline& deadline) {
    const std::shared_lock lock(state_->client_mutex);
    for (const auto& topic : topics) {
        const TopicHandle handle(rd_kafka_topic_new(state_->client.get(), topic.c_str(), nullptr));
        const rd_kafka_metadata_t* raw = nullptr;
        const auto code =
            rd_kafka_metadata(state_->client.get(), 0, handle.get(), &raw, std::max(milliseconds_left(deadline), 1));
        const MetadataHandle metadata(raw);
        if (code != RD_KAFKA_RESP_ERR_NO_ERROR) {
            return std::unexpected(error_from(code, "metadata"));
        }
        for (int i = 0; i < metadata->topic_cnt; ++i) {
            if (metadata->topics[i].err != RD_KAFKA_RESP_ERR_NO_ERROR) {
                return std::unexpected(error_from(metadata->topics[i].err, "topic " + topic));
            }
        }
    }
    return {};
}

bool Producer::usable() const {
    return !state_->fatal && !state_->closing;
}

ProducerStats Producer::stats() const {
    const std::lock_guard lock(state_->statistics_mutex);
    const auto& seen = state_->statistics;
    return {.queued_records = state_->pending.records(),
            .queued_bytes = state_->pending.bytes(),
            .delivered_total = state_->delivered,
            .failed_total = state_->failed,
            .rebuilt_total = state_->rebuilt,
            .wire_bytes_total = seen.sent_bytes,
            .payload_bytes_total = seen.sent_message_bytes,
            .brokers_up = seen.brokers_up,
            .round_trip_max_us = seen.round_trip_max_us,
            .compression_refused_total = state_->sink.compression_refused()};
}

}  // namespace syncline::kafka
