#include "src/client_handle.h"
#include "src/errors.h"

#include <fmt/format.h>
#include <syncline/kafka/admin.h>
#include <algorithm>
#include <array>
#include <mutex>

namespace syncline::kafka {

struct Admin::State {
    std::mutex mutex;
    std::mutex failure_mutex;
    std::string failure;  // What was last said of a broker that failed; librdkafka's threads write it.
    ClientHandle client;

    static void on_log(const rd_kafka_t* client, int, const char* facility, const char* text) {
        if (std::string_view(facility) == "FAIL") {
            auto& self = *static_cast<State*>(rd_kafka_opaque(client));
            const std::lock_guard lock(self.failure_mutex);
            self.failure = text;
        }
    }

    core::Error error(rd_kafka_resp_err_t code, std::string_view doing) {
        const std::lock_guard lock(failure_mutex);
        return with_cause(error_from(code, doing), failure);
    }

    // All topics: a question about one topic by name would create it on brokers that create topics by themselves.
    core::Result<MetadataHandle> metadata(const core::Deadline& deadline) {
        const rd_kafka_metadata_t* raw = nullptr;
        const auto code = rd_kafka_metadata(client.get(), 1, nullptr, &raw, std::max(milliseconds_left(deadline), 1));
        rd_kafka_poll(client.get(), 0);
        if (code != RD_KAFKA_RESP_ERR_NO_ERROR) {
            return std::unexpected(error(code, "metadata"));
        }
        return MetadataHandle(raw);
    }

    AdminOptionsHandle admin_options(rd_kafka_admin_op_t operation, const core::Deadline& deadline) {
        AdminOptionsHandle options(rd_kafka_AdminOptions_new(client.get(), operation));
        std::array<char, 128> complaint{};
        rd_kafka_AdminOptions_set_request_timeout(options.get(), std::max(milliseconds_left(deadline), 1), complaint.data(),
                                                  complaint.size());
        return options;
    }

    // Waits for the one answer of a request that was put on `queue`.
    core::Result<EventHandle> answer(const QueueHandle& queue, const core::Deadline& deadline, std::string_view doing) {
        EventHandle event(rd_kafka_queue_poll(queue.get(), milliseconds_left(deadline) + 500));
        if (!event) {
            return std::unexpected(error(RD_KAFKA_RESP_ERR__TIMED_OUT, doing));
        }
        if (const auto code = rd_kafka_event_error(event.get()); code != RD_KAFKA_RESP_ERR_NO_ERROR) {
            return std::unexpected(error_from(code, doing));
        }
        return event;
    }

    core::Result<void> read_configs(std::vector<TopicDescription>& topics, const core::Deadline& deadline) {
        std::vector<ConfigResourceHandle> owned;
        std::vector<rd_kafka_ConfigResource_t*> asked;
        for (const auto& topic : topics) {
            if (topic.exists) {
                owned.emplace_back(rd_kafka_ConfigResource_new(RD_KAFKA_RESOURCE_TOPIC, topic.name.c_str()));
                asked.push_back(owned.back().get());
            }
        }
        if (asked.empty()) {
            return {};
        }
        const QueueHandle queue(rd_kafka_queue_new(client.get()));
        const auto options = admin_options(RD_KAFKA_ADMIN_OP_DESCRIBECONFIGS, deadline);
        rd_kafka_DescribeConfigs(client.get(), asked.data(), asked.size(), options.get(), queue.get());
        auto event = answer(queue, deadline, "describe configuration");
        if (!event) {
            return std::unexpected(std::move(event.error()));
        }
        std::size_t count = 0;
        const auto** resources =
            rd_kafka_DescribeConfigs_result_resources(rd_kafka_event_DescribeConfigs_result(event->get()), &count);
        for (std::size_t i = 0; i < count; ++i) {
            const auto topic = std::ranges::find(topics, rd_kafka_ConfigResource_name(resources[i]), &TopicDescription::name);
            if (topic == topics.end() || rd_kafka_ConfigResource_error(resources[i]) != RD_KAFKA_RESP_ERR_NO_ERROR) {
                continue;
            }
            std::size_t entries = 0;
            const auto** entry = rd_kafka_ConfigResource_configs(resources[i], &entries);
            for (std::size_t k = 0; k < entries; ++k) {
                const char* value = rd_kafka_ConfigEntry_value(entry[k]);
                topic->config[rd_kafka_ConfigEntry_name(entry[k])] = value == nullptr ? "" : value;
            }
        }
        return {};
    }

    core::Result<std::vector<TopicDescription>> find(std::span<const std::string> topics, const core::Deadline& deadline) {
        auto described_by_brokers = metadata(deadline);
        if (!described_by_brokers) {
            return std::unexpected(std::move(described_by_brokers.error()));
        }
        std::vector<TopicDescription> out;
        for (const auto& name : topics) {
            TopicDescription described{.name = name};
            for (int i = 0; i < (*described_by_brokers)->topic_cnt; ++i) {
                const auto& topic = (*described_by_brokers)->topics[i];
                if (name == topic.topic && topic.err == RD_KAFKA_RESP_ERR_NO_ERROR) {
                    described.exists = true;
                    described.partitions = topic.partition_cnt;
                    described.replication = topic.partition_cnt > 0 ? topic.partitions[0].replica_cnt : 0;
                }
            }
            out.push_back(std::move(described));
        }
        return out;
    }
};

core::Result<std::unique_ptr<Admin>> Admin::create(ClientOptions options) {
    if (options.brokers.empty()) {
        return std::unexpected(check(options).error());
    }
    auto conf =
        make_conf(options, {{"bootstrap.servers", options.brokers}, {"statistics.interval.ms", "0"}, {"log.queue", "false"}});
    if (!conf) {
        return std::unexpected(std::move(conf.error()));
    }
    auto state = std::make_unique<State>();
    // Nobody serves this client between two calls, and nothing may pile up in its queue meanwhile: lines come straight to on_log.
    rd_kafka_conf_set_opaque(conf->get(), state.get());
    rd_kafka_conf_set_log_cb(conf->get(), &State::on_log);
    auto client = new_client(RD_KAFKA_PRODUCER, std::move(*conf));
    if (!client) {
        return std::unexpected(std::move(client.error()));
    }
    state->client = ClientHandle(*client);
    return std::unique_ptr<Admin>(new Admin(std::move(state)));
}

Admin::Admin(std::unique_ptr<State> state) : state_(std::move(state)) {}

Admin::~Admin() {
    if (!state_->client.destroy_by({core::system_clock(), std::chrono::seconds{5}})) {
        keep_until_exit(state_.release());
    }
}

core::Result<ClusterDescription> Admin::ping(const core::Deadline& deadline) {
    const std::lock_guard lock(state_->mutex);
    auto metadata = state_->metadata(deadline);
    if (!metadata) {
        return std::unexpected(std::move(metadata.error()));
    }
    ClusterDescription out;
    if (char* id = rd_kafka_clusterid(state_->client.get(), std::max(milliseconds_left(deadline), 1)); id != nullptr) {
        out.id = id;
        rd_kafka_mem_free(state_->client.get(), id);
    }
    for (int i = 0; i < (*metadata)->broker_cnt; ++i) {
        out.brokers.push_back(fmt::format("{}:{}", (*metadata)->brokers[i].host, (*metadata)->brokers[i].port));
    }
    return out;
}

core::Result<std::vector<std::string>> Admin::create_missing(std::span<const TopicSpec> topics, const core::Deadline& deadline) {
    const std::lock_guard lock(state_->mutex);
    std::vector<NewTopicHandle> owned;
    std::vector<rd_kafka_NewTopic_t*> asked;
    for (const auto& topic : topics) {
        std::array<char, 256> complaint{};
        owned.emplace_back(
            rd_kafka_NewTopic_new(topic.name.c_str(), topic.partitions, topic.replication, complaint.data(), complaint.size()));
        if (!owned.back()) {
            return core::fail(core::ErrorKind::bug, "kafka_configuration",
                              fmt::format("topic {}: {}", topic.name, complaint.data()));
        }
        for (const auto& [key, value] : topic.config) {
            rd_kafka_NewTopic_set_config(owned.back().get(), key.c_str(), value.c_str());
        }
        asked.push_back(owned.back().get());
    }
    std::vector<std::string> created;
    if (asked.empty()) {
        return created;
    }
    const QueueHandle queue(rd_kafka_queue_new(state_->client.get()));
    const auto options = state_->admin_options(RD_KAFKA_ADMIN_OP_CREATETOPICS, deadline);
    rd_kafka_CreateTopics(state_->client.get(), asked.data(), asked.size(), options.get(), queue.get());
    auto event = state_->answer(queue, deadline, "create topics");
    if (!event) {
        return std::unexpected(std::move(event.error()));
    }
    std::size_t count = 0;
    const auto** results = rd_kafka_CreateTopics_result_topics(rd_kafka_event_CreateTopics_result(event->get()), &count);
    for (std::size_t i = 0; i < count; ++i) {
        const auto code = rd_kafka_topic_result_error(results[i]);
        if (code == RD_KAFKA_RESP_ERR_NO_ERROR) {
            created.emplace_back(rd_kafka_topic_result_name(results[i]));
        } else if (code != RD_KAFKA_RESP_ERR_TOPIC_ALREADY_EXISTS) {
            return std::unexpected(error_from(code, fmt::format("create topic {}", rd_kafka_topic_result_name(results[i]))));
        }
    }
    return created;
}

core::Result<std::vector<TopicDescription>> Admin::find(std::span<const std::string> topics, const core::Deadline& deadline) {
    const std::lock_guard lock(state_->mutex);
    return state_->find(topics, deadline);
}

core::Result<std::vector<TopicDescription>> Admin::describe(std::span<const std::string> topics, const core::Deadline& deadline) {
    const std::lock_guard lock(state_->mutex);
    auto out = state_->find(topics, deadline);
    if (!out) {
        return out;
    }
    if (auto read = state_->read_configs(*out, deadline); !read && read.error().kind != core::ErrorKind::unauthorized) {
        return std::unexpected(std::move(read.error()));
    }
    return out;
}

core::Result<std::vector<Acl>> Admin::acls(const std::string& prefix, const core::Deadline& deadline) {
    const std::lock_guard lock(state_->mutex);
    std::array<char, 256> complaint{};
    const AclFilterHandle filter(rd_kafka_AclBindingFilter_new(
        RD_KAFKA_RESOURCE_ANY, nullptr, RD_KAFKA_RESOURCE_PATTERN_ANY, nullptr, nullptr, RD_KAFKA_ACL_OPERATION_ANY,
        RD_KAFKA_ACL_PERMISSION_TYPE_ANY, complaint.data(), complaint.size()));
    const QueueHandle queue(rd_kafka_queue_new(state_->client.get()));
    const auto options = state_->admin_options(RD_KAFKA_ADMIN_OP_DESCRIBEACLS, deadline);
    rd_kafka_DescribeAcls(state_->client.get(), filter.get(), options.get(), queue.get());
    auto event = state_->answer(queue, deadline, "describe ACLs");
    if (!event) {
        // A cluster without an authorizer has none.
        if (event.error().message.find("SECURITY_DISABLED") != std::string::npos) {
            return std::vector<Acl>{};
        }
        return std::unexpected(std::move(event.error()));
    }
    std::vector<Acl> out;
    std::size_t count = 0;
    const auto** found = rd_kafka_DescribeAcls_result_acls(rd_kafka_event_DescribeAcls_result(event->get()), &count);
    for (std::size_t i = 0; i < count; ++i) {
        const std::string name = rd_kafka_AclBinding_name(found[i]);
        if (!name.starts_with(prefix) && name != "*") {
            continue;
        }
        out.push_back({.resource = fmt::format("{}:{}", rd_kafka_ResourceType_name(rd_kafka_AclBinding_restype(found[i])), name),
                       .principal = rd_kafka_AclBinding_principal(found[i]),
                       .operation = rd_kafka_AclOperation_name(rd_kafka_AclBinding_operation(found[i])),
                       .permission = rd_kafka_AclPermissionType_name(rd_kafka_AclBinding_permission_type(found[i]))});
    }
    return out;
}

}  // namespace syncline::kafka
