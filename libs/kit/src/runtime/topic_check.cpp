#include "src/runtime/topic_check.h"

#include <fmt/format.h>
#include <syncline/telemetry/log.h>
#include <syncline/topics.h>

#include <chrono>

namespace syncline::kit {
namespace {

std::string create_command(const std::string& brokers, const std::string& full_name, const topics::TopicSpec& topic) {
    const auto retention_ms = std::chrono::duration_cast<std::chrono::milliseconds>(topic.retention).count();
    return fmt::format(
        "kafka-topics.sh --bootstrap-server {} --create --topic {} --partitions {} --config retention.ms={} --config "
        "cleanup.policy={} "
        "--config max.message.bytes={}",
        brokers.substr(0, brokers.find(',')), full_name, topic.partitions, retention_ms, topic.cleanup_policy(),
        topic.max_message_bytes);
}

}  // namespace

std::vector<Problem> missing_topics(std::span<const kafka::TopicDescription> found, const std::string& prefix,
                                    const std::string& brokers) {
    std::vector<Problem> missing;
    for (const auto& topic : found) {
        const auto* spec = topics::find(std::string_view(topic.name).substr(prefix.size() + 1));
        if (spec == nullptr) {
            continue;
        }
        if (!topic.exists) {
            missing.push_back(
                {.what = fmt::format("topic {} does not exist", topic.name), .cure = create_command(brokers, topic.name, *spec)});
        } else if (topic.partitions != spec->partitions) {
            telemetry::log::warn("topic_partitions_differ",
                                 {{"topic", topic.name}, {"partitions", topic.partitions}, {"expected", spec->partitions}});
        }
    }
    return missing;
}

}  // namespace syncline::kit
