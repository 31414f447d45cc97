#include "src/client_handle.h"
#include "src/errors.h"
#include "src/message.h"

#include <fmt/format.h>
#include <syncline/kafka/fetcher.h>
#include <algorithm>
#include <array>
#include <map>
#include <mutex>
#include <optional>

namespace syncline::kafka {
namespace {

// Reading over this many records is cheaper than assigning again.
constexpr std::int64_t kReadOver = 500;

Settings settings_of(const ClientOptions& options) {
    return {
        {"bootstrap.servers", options.brokers},
        // Never joined: there is no subscription. librdkafka wants a name to assign under.
        {"group.id", options.client_id + ".fetcher"},
        {"enable.auto.commit", "false"},
        {"enable.auto.offset.store", "false"},
        {"enable.partition.eof", "true"},
        {"auto.offset.reset", "error"},
        {"allow.auto.create.topics", "false"},
        {"isolation.level", "read_committed"},
        {"fetch.message.max.bytes", "11534336"},
        {"fetch.wait.max.ms", "50"},
        {"queued.max.messages.kbytes", "16384"},
        {"statistics.interval.ms", "0"},
        {"log.queue", "false"},
    };
}

core::Error gone(const Position& at) {
    return {.kind = core::ErrorKind::rejected,
            .code = "offset_gone",
            .message = fmt::format("offset {} of {}/{} was deleted", at.offset, at.topic, at.partition)};
}

core::Error not_written(const Position& at) {
    return {.kind = core::ErrorKind::not_ready,
            .code = "offset_not_written",
            .message = fmt::format("offset {} of {}/{} is beyond the end", at.offset, at.topic, at.partition)};
}

}  // namespace

struct Fetcher::State {
    std::mutex mutex;  // One call at a time.
    ClientHandle client;

    struct Wanted {
        std::int64_t offset;
        std::size_t index;  // Among the answers.
    };
    using Answers = std::vector<std::optional<core::Result<Record>>>;
    using Wishes = std::map<TopicPartition, std::vector<Wanted>>;  // The soonest at the back.

    void assign(const Wishes& wishes) {
        const PartitionListHandle list(rd_kafka_topic_partition_list_new(static_cast<int>(wishes.size())));
        for (const auto& [partition, wanted] : wishes) {
            rd_kafka_topic_partition_list_add(list.get(), partition.topic.c_str(), partition.partition)->offset =
                wanted.back().offset;
        }
        rd_kafka_assign(client.get(), list.get());
    }

    static void answer(Wishes& wishes, Wishes::iterator at, Answers& answers, core::Result<Record> result) {
        answers[at->second.back().index] = std::move(result);
        at->second.pop_back();
        if (at->second.empty()) {
            wishes.erase(at);
        }
    }

    // Everything still wanted of a partition gets the same kind of answer.
    template <typename MakeError>
    static void answer_all(Wishes& wishes, Wishes::iterator at, Answers& answers, const MakeError& make) {
        for (const auto& wanted : at->second) {
            answers[wanted.index] = std::unexpected(make(Position{at->first.topic, at->first.partition, wanted.offset}));
        }
        wishes.erase(at);
    }

    // True if the partitions have to be assigned anew.
    bool on_record(Wishes& wishes, Answers& answers, const rd_kafka_message_t& message) {
        auto at = wishes.find({rd_kafka_topic_name(message.rkt), message.partition});
        if (at == wishes.end()) {
            return false;
        }
        while (message.offset >= at->second.back().offset) {
            const bool last = at->second.size() == 1;
            const auto offset = at->second.back().offset;
            // A hole: deleted by compaction, or the marker of a transaction.
            answer(wishes, at, answers,
                   message.offset == offset ? core::Result<Record>(view_of(message).copy())
                                            : std::unexpected(gone({at->first.topic, at->first.partition, offset})));
            if (last) {
                // Assigning without it stops its fetches.
                return true;
            }
        }
        return at->second.back().offset - message.offset > kReadOver;
    }

    struct Ends {
        std::int64_t low = 0;   // The oldest record there is.
        std::int64_t high = 0;  // Behind the newest.
    };
    // By two questions for the times "earliest" and "latest": the watermark call of this version ignores its time-out (#4460).
    core::Result<Ends> ends_of(const TopicPartition& partition, const core::Deadline& deadline) {
        std::array<std::int64_t, 2> found{RD_KAFKA_OFFSET_BEGINNING, RD_KAFKA_OFFSET_END};
        for (auto& offset : found) {
            const PartitionListHandle list(rd_kafka_topic_partition_list_new(1));
            auto* asked = rd_kafka_topic_partition_list_add(list.get(), partition.topic.c_str(), partition.partition);
            asked->offset = offset;
            auto code = rd_kafka_offsets_for_times(client.get(), list.get(), std::max(milliseconds_left(deadline), 1));
            if (code == RD_KAFKA_RESP_ERR_NO_ERROR) {
                code = asked->err;
            }
            if (code != RD_KAFKA_RESP_ERR_NO_ERROR) {
                return std::unexpected(error_from(code, "offsets"));
            }
            offset = asked->offset;
        }
        return Ends{found[0], found[1]};
    }

    // librdkafka only says that the offset is out of range: below or beyond?
    void on_out_of_range(Wishes& wishes, Answers& answers, Wishes::iterator at, const core::Deadline& deadline) {
        const auto partition = at->first;
        const auto ends = ends_of(partition, deadline);
        if (!ends) {
            answer_all(wishes, at, answers, [&](const Position&) { return ends.error(); });
            return;
        }
        while (at != wishes.end() && at->second.back().offset < ends->low) {
            answer(wishes, at, answers, std::unexpected(gone({partition.topic, partition.partition, at->second.back().offset})));
            at = wishes.find(partition);
        }
        if (at != wishes.end() && at->second.back().offset >= ends->high) {
            answer_all(wishes, at, answers, not_written);
        }
    }

    void fetch(Wishes& wishes, Answers& answers, const core::Deadline& deadline) {
        assign(wishes);
        while (!wishes.empty() && !deadline.passed()) {
            const MessageHandle message(rd_kafka_consumer_poll(client.get(), std::min(milliseconds_left(deadline), 100)));
            if (!message) {
                continue;
            }
            if (message->err == RD_KAFKA_RESP_ERR_NO_ERROR) {
                if (on_record(wishes, answers, *message)) {
                    assign(wishes);
                }
                continue;
            }
            const auto at =
                message->rkt == nullptr ? wishes.end() : wishes.find({rd_kafka_topic_name(message->rkt), message->partition});
            if (at == wishes.end()) {
                continue;
            }
            if (message->err == RD_KAFKA_RESP_ERR__PARTITION_EOF) {
                answer_all(wishes, at, answers, not_written);
            } else if (message->err == RD_KAFKA_RESP_ERR__AUTO_OFFSET_RESET) {
                on_out_of_range(wishes, answers, at, deadline);
            } else {
                const auto code = message->err;
                answer_all(wishes, at, answers, [&](const Position&) { return error_from(code, "fetch"); });
            }
            assign(wishes);
        }
        rd_kafka_assign(client.get(), nullptr);
        while (!wishes.empty()) {
            answer_all(wishes, wishes.begin(), answers,
                       [](const Position&) { return error_from(RD_KAFKA_RESP_ERR__TIMED_OUT, "fetch"); });
        }
    }
};

core::Result<std::unique_ptr<Fetcher>> Fetcher::create(ClientOptions options) {
    if (options.brokers.empty()) {
        return std::unexpected(check(options).error());
    }
    auto conf = make_conf(options, settings_of(options));
    if (!conf) {
        return std::unexpected(std::move(conf.error()));
    }
    auto state = std::make_unique<State>();
    // Nobody serves this client between two calls: nothing may pile up in its queue meanwhile.
    rd_kafka_conf_set_log_cb(conf->get(), nullptr);
    auto client = new_client(RD_KAFKA_CONSUMER, std::move(*conf));
    if (!client) {
        return std::unexpected(std::move(client.error()));
    }
    state->client = ClientHandle(*client);
    rd_kafka_poll_set_consumer(*client);
    return std::unique_ptr<Fetcher>(new Fetcher(std::move(state)));
}

Fetcher::Fetcher(std::unique_ptr<State> state) : state_(std::move(state)) {}

Fetcher::~Fetcher() {
    if (!state_->client.destroy_by({core::system_clock(), std::chrono::seconds{5}})) {
        keep_until_exit(state_.release());
    }
}

core::Result<Record> Fetcher::read(const std::string& topic, std::int32_t partition, std::int64_t offset,
                                   const core::Deadline& deadline) {
    const Position position{topic, partition, offset};
    return std::move(read_many({&position, 1}, deadline).front());
}

std::vector<core::Result<Record>> Fetcher::read_many(std::span<const Position> positions, const core::Deadline& deadline) {
    const std::lock_guard lock(state_->mutex);
    State::Wishes wishes;
    for (std::size_t i = 0; i < positions.size(); ++i) {
        wishes[{positions[i].topic, positions[i].partition}].push_back({positions[i].offset, i});
    }
    for (auto& [partition, wanted] : wishes) {
        std::ranges::sort(wanted, std::ranges::greater{}, &State::Wanted::offset);
    }
    State::Answers answers(positions.size());
    if (!wishes.empty()) {
        state_->fetch(wishes, answers, deadline);
    }
    std::vector<core::Result<Record>> out;
    out.reserve(answers.size());
    for (auto& answer : answers) {
        out.push_back(std::move(*answer));
    }
    return out;
}

core::Result<std::vector<Record>> Fetcher::tail(const std::string& topic, int records_max, const core::Deadline& deadline) {
    std::vector<Position> positions;
    {
        const std::lock_guard lock(state_->mutex);
        auto* client = state_->client.get();
        const TopicHandle handle(rd_kafka_topic_new(client, topic.c_str(), nullptr));
        const rd_kafka_metadata_t* raw = nullptr;
        if (const auto code = rd_kafka_metadata(client, 0, handle.get(), &raw, std::max(milliseconds_left(deadline), 1));
            code != RD_KAFKA_RESP_ERR_NO_ERROR) {
            return std::unexpected(error_from(code, "metadata"));
        }
        const MetadataHandle metadata(raw);
        if (metadata->topic_cnt != 1 || metadata->topics[0].err != RD_KAFKA_RESP_ERR_NO_ERROR) {
            const auto code = metadata->topic_cnt == 1 ? metadata->topics[0].err : RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART;
            return std::unexpected(error_from(code, "topic " + topic));
        }
        for (int i = 0; i < metadata->topics[0].partition_cnt; ++i) {
            const auto partition = metadata->topics[0].partitions[i].id;
            const auto ends = state_->ends_of({topic, partition}, deadline);
            if (!ends) {
                return std::unexpected(ends.error());
            }
            for (auto offset = std::max(ends->low, ends->high - records_max); offset < ends->high; ++offset) {
                positions.push_back({topic, partition, offset});
            }
        }
    }
    std::vector<Record> out;
    for (auto& answer : read_many(positions, deadline)) {
        if (answer) {
            out.push_back(std::move(*answer));
        } else if (answer.error().code != "offset_gone" && answer.error().code != "offset_not_written") {
            return std::unexpected(std::move(answer.error()));
        }
    }
    return out;
}

}  // namespace syncline::kafka
