#include "src/processing/kafka_transport.h"

#include <syncline/kafka/consumer.h>
#include <syncline/kafka/fetcher.h>
#include <syncline/kafka/producer.h>
#include <syncline/telemetry/log.h>
#include <mutex>
#include <utility>

namespace syncline::kit {
namespace {

using telemetry::log::Level;

std::string with_prefix(const std::string& prefix, const std::string& topic) {
    return prefix.empty() ? topic : prefix + '.' + topic;
}

std::string without_prefix(const std::string& prefix, std::string_view topic) {
    const auto skip = prefix.empty() ? 0 : prefix.size() + 1;
    return std::string(topic.substr(std::min(skip, topic.size())));
}

std::vector<TopicPartition> ours(const std::string& prefix, std::span<const kafka::TopicPartition> partitions) {
    std::vector<TopicPartition> out;
    for (const auto& p : partitions) {
        out.push_back({without_prefix(prefix, p.topic), p.partition});
    }
    return out;
}

std::vector<kafka::TopicPartition> theirs(const std::string& prefix, const std::vector<TopicPartition>& partitions) {
    std::vector<kafka::TopicPartition> out;
    for (const auto& p : partitions) {
        out.push_back({with_prefix(prefix, p.topic), p.partition});
    }
    return out;
}

std::vector<kafka::Position> theirs(const std::string& prefix, std::span<const Position> positions) {
    std::vector<kafka::Position> out;
    for (const auto& p : positions) {
        out.push_back({with_prefix(prefix, p.topic), p.partition, p.offset});
    }
    return out;
}

TransportRecord record_of(const std::string& prefix, const kafka::RecordView& view) {
    TransportRecord record{.position = {without_prefix(prefix, view.topic), view.partition, view.offset}};
    if (view.key) {
        record.key = std::string(*view.key);
    }
    record.value = std::string(view.value.value_or(std::string_view{}));
    record.headers.reserve(view.headers.size());
    for (const auto& header : view.headers) {
        record.headers.emplace_back(header.name, header.value);
    }
    return record;
}

class KafkaSource final : public RecordSource {
public:
    KafkaSource(KafkaSourceOptions options, core::Clock& /*clock*/) : options_(std::move(options)) {}
    // Closes while this object is whole: revocation calls back into it.
    ~KafkaSource() override { KafkaSource::stop(core::Deadline(core::system_clock(), std::chrono::seconds{10})); }

    core::Result<void> start(std::vector<std::string> topics, Listener listener) override {
        listener_ = std::move(listener);
        kafka::ConsumerOptions options{.client = options_.client, .group = options_.group};
        for (const auto& topic : topics) {
            options.topics.push_back(with_prefix(options_.prefix, topic));
        }
        kafka::ConsumerCallbacks callbacks;
        callbacks.on_assign = [this](std::vector<kafka::AssignedPartition>& partitions) {
            std::vector<TopicPartition> assigned;
            for (const auto& p : partitions) {
                assigned.push_back({without_prefix(options_.prefix, p.topic), p.partition});
            }
            if (listener_.starts && !assigned.empty()) {
                const auto starts = listener_.starts(assigned);
                for (std::size_t i = 0; i < partitions.size(); ++i) {
                    partitions[i].start = !starts                          ? kafka::kNotYet
                                          : (*starts)[i] == kFromBeginning ? kafka::kBeginning
                                                                           : (*starts)[i];
                }
                if (!starts) {
                    return;
                }
            }
            listener_.on_assigned(assigned);
        };
        callbacks.on_revoke = [this](const std::vector<kafka::TopicPartition>& partitions, bool lost) {
            listener_.on_revoked(ours(options_.prefix, partitions), lost);
        };
        callbacks.on_records = [this](std::span<const kafka::RecordView> views) {
            std::vector<TransportRecord> records;
            records.reserve(views.size());
            for (const auto& view : views) {
                records.push_back(record_of(options_.prefix, view));
            }
            listener_.on_records(std::move(records));
        };
        callbacks.on_offset_lost = [this](const kafka::TopicPartition& where, const core::Error& error) {
            listener_.on_position_lost({without_prefix(options_.prefix, where.topic), where.partition}, error);
        };
        callbacks.on_error = [](const core::Error& error) {
            telemetry::log::failure(Level::warn, "consumer_error", error);
        };
        callbacks.on_fatal = [this](const core::Error& error) {
            listener_.on_fatal(error);
        };
        callbacks.on_commit_failed = [](const core::Error& error) {
            telemetry::log::failure(Level::warn, "commit_failed", error);
        };
        auto consumer = kafka::Consumer::start(std::move(options), std::move(callbacks));
        if (!consumer) {
            return std::unexpected(std::move(consumer.error()));
        }
        const std::lock_guard lock(mutex_);
        consumer_ = std::move(*consumer);
        return {};
    }

    void pause(const std::vector<TopicPartition>& partitions) override {
        if (const auto consumer = get()) {
            consumer->pause(theirs(options_.prefix, partitions));
        }
    }
    void resume(const std::vector<TopicPartition>& partitions) override {
        if (const auto consumer = get()) {
            consumer->resume(theirs(options_.prefix, partitions));
        }
    }
    void commit(const std::vector<Position>& next) override {
        if (const auto consumer = get()) {
            consumer->commit_async(theirs(options_.prefix, next));
        }
    }
    core::Result<void> commit_now(const std::vector<Position>& next, core::Deadline deadline) override {
        const auto consumer = get();
        if (!consumer) {
            return core::fail(core::ErrorKind::transient, "kafka_closed", "the consumer is closed");
        }
        return consumer->commit(theirs(options_.prefix, next), deadline);
    }
    core::SteadyTime last_progress() const override {
        const auto consumer = get();
        return consumer ? consumer->last_progress() : core::system_clock().steady();
    }
    std::int64_t brokers_up() const override {
        const auto consumer = get();
        return consumer ? consumer->stats().brokers_up : 0;
    }
    std::vector<Lag> lag() const override {
        std::vector<Lag> lags;
        if (const auto consumer = get()) {
            for (const auto& lag : consumer->stats().lag) {
                lags.push_back({{without_prefix(options_.prefix, lag.topic), lag.partition}, lag.records});
            }
        }
        return lags;
    }
    void stop(core::Deadline deadline) override {
        if (const auto consumer = get()) {
            consumer->close(deadline);
        }
    }

private:
    // Callbacks may come before start() has returned; then there is nothing to pause or commit yet but what they are told.
    std::shared_ptr<kafka::Consumer> get() const {
        const std::lock_guard lock(mutex_);
        return consumer_;
    }

    const KafkaSourceOptions options_;
    Listener listener_;
    mutable std::mutex mutex_;
    std::shared_ptr<kafka::Consumer> consumer_;
};

class KafkaSink final : public RecordSink {
public:
    KafkaSink(kafka::Producer& producer, std::string prefix) : producer_(producer), prefix_(std::move(prefix)) {}

    void send(OutgoingRecord record, Sent sent) override {
        kafka::OutgoingRecord out{
            .topic = with_prefix(prefix_, record.topic), .key = std::move(record.key), .value = std::move(record.value)};
        for (auto& [name, value] : record.headers) {
            out.headers.push_back({std::move(name), std::move(value)});
        }
        // The answer comes once, from whichever of the two it is.
        const auto answer = std::make_shared<Sent>(std::move(sent));
        const auto accepted = producer_.produce(out, [answer](core::Result<kafka::Position> at) {
            (*answer)(at ? core::Result<void>{} : core::Result<void>(std::unexpected(std::move(at.error()))));
        });
        if (!accepted) {
            (*answer)(std::unexpected(accepted.error()));
        }
    }

private:
    kafka::Producer& producer_;
    const std::string prefix_;
};

class KafkaReader final : public RecordReader {
public:
    KafkaReader(kafka::ClientOptions client, std::string prefix) : client_(std::move(client)), prefix_(std::move(prefix)) {}

    std::vector<core::Result<TransportRecord>> read(std::span<const Position> positions, core::Deadline deadline) override {
        std::vector<core::Result<TransportRecord>> answers;
        const std::lock_guard lock(mutex_);
        if (!fetcher_) {
            auto made = kafka::Fetcher::create(client_);
            if (!made) {
                answers.assign(positions.size(), std::unexpected(made.error()));
                return answers;
            }
            fetcher_ = std::move(*made);
        }
        for (auto& found : fetcher_->read_many(theirs(prefix_, positions), deadline)) {
            if (!found) {
                if (found.error().code == "offset_gone") {
                    found.error().code = "record_gone";
                }
                answers.emplace_back(std::unexpected(std::move(found.error())));
                continue;
            }
            TransportRecord record{.position = {without_prefix(prefix_, found->topic), found->partition, found->offset},
                                   .key = std::move(found->key),
                                   .value = std::move(found->value).value_or(std::string())};
            for (auto& header : found->headers) {
                record.headers.emplace_back(std::move(header.name), std::move(header.value));
            }
            answers.emplace_back(std::move(record));
        }
        return answers;
    }

private:
    const kafka::ClientOptions client_;
    const std::string prefix_;
    std::mutex mutex_;
    std::unique_ptr<kafka::Fetcher> fetcher_;
};

}  // namespace

std::unique_ptr<RecordSource> make_kafka_source(KafkaSourceOptions options, core::Clock& clock) {
    return std::make_unique<KafkaSource>(std::move(options), clock);
}
std::unique_ptr<RecordSink> make_kafka_sink(kafka::Producer& producer, std::string prefix) {
    return std::make_unique<KafkaSink>(producer, std::move(prefix));
}
std::unique_ptr<RecordReader> make_kafka_reader(kafka::ClientOptions client, std::string prefix) {
    return std::make_unique<KafkaReader>(std::move(client), std::move(prefix));
}

}  // namespace syncline::kit
