// What synclinectl asks of Kafka, as two small ports with one adapter over libs/kafka, so that tests need no brokers.
#pragma once

#include "targets.h"

#include <syncline/core/error.h>
#include <syncline/kafka/admin.h>
#include <syncline/kafka/record.h>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace synclinectl {

// Records of one key. Topics are without prefix.
class EventLog {
public:
    virtual ~EventLog() = default;
    // Those at the given positions, and those of the key among the `scan` newest of each partition of `topics`.
    // Values are kept only as far as summary_of() needs them.
    [[nodiscard]] virtual syncline::core::Result<std::vector<syncline::kafka::Record>> records_of(
        const std::string& key, const std::vector<syncline::kafka::Position>& positions, const std::vector<std::string>& topics,
        int scan) = 0;
};

class ClusterView {
public:
    virtual ~ClusterView() = default;
    [[nodiscard]] virtual syncline::core::Result<syncline::kafka::ClusterDescription> ping() = 0;
    [[nodiscard]] virtual syncline::core::Result<std::vector<syncline::kafka::TopicDescription>> describe(
        const std::vector<std::string>& topics) = 0;
    [[nodiscard]] virtual syncline::core::Result<std::vector<syncline::kafka::Acl>> acls(const std::string& prefix) = 0;
};

[[nodiscard]] std::unique_ptr<EventLog> kafka_event_log(const Targets& targets, std::chrono::milliseconds timeout);
[[nodiscard]] std::unique_ptr<ClusterView> kafka_cluster_view(const Targets& targets, std::chrono::milliseconds timeout);

// One line about an event that holds no personal data: "OrderChanged paid", "OrderExported S00012".
[[nodiscard]] std::string summary_of(const syncline::kafka::Record& record);

}  // namespace synclinectl
