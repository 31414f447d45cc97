// Questions to a cluster and the creation of topics. Blocks, by a deadline; any thread, one call at a time.
#pragma once

#include <syncline/core/clock.h>
#include <syncline/core/error.h>
#include <syncline/kafka/client.h>
#include <cstdint>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <vector>

namespace syncline::kafka {

struct TopicSpec {
    std::string name;  // Full name.
    int partitions = 1;
    int replication = -1;                       // -1: the broker's default.
    std::map<std::string, std::string> config;  // "retention.ms", "cleanup.policy", "max.message.bytes", …
};

struct TopicDescription {
    std::string name;
    bool exists = false;
    int partitions = 0;
    int replication = 0;                        // Of partition 0.
    std::map<std::string, std::string> config;  // Empty if we may not read it.
};

struct ClusterDescription {
    std::string id;
    std::vector<std::string> brokers;  // host:port
};

struct Acl {
    std::string resource;  // "topic:syncline.orders.v1"
    std::string principal;
    std::string operation;   // "read", "write", …
    std::string permission;  // "allow", "deny"
};

class Admin {
public:
    [[nodiscard]] static core::Result<std::unique_ptr<Admin>> create(ClientOptions options);
    ~Admin();
    Admin(const Admin&) = delete;
    Admin& operator=(const Admin&) = delete;

    // Is a broker there? Error kafka_unavailable, kafka_unauthorized.
    [[nodiscard]] core::Result<ClusterDescription> ping(const core::Deadline& deadline);
    // Creates those that do not exist; existing ones are left as they are. Names of those created.
    [[nodiscard]] core::Result<std::vector<std::string>> create_missing(std::span<const TopicSpec> topics,
                                                                        const core::Deadline& deadline);
    // One answer for each name, in order; without config: one request, enough to know what is there.
    [[nodiscard]] core::Result<std::vector<TopicDescription>> find(std::span<const std::string> topics,
                                                                   const core::Deadline& deadline);
    // As find(), with config.
    [[nodiscard]] core::Result<std::vector<TopicDescription>> describe(std::span<const std::string> topics,
                                                                       const core::Deadline& deadline);
    // ACLs of topics whose name begins with `prefix`; kafka_unauthorized if we may not see them, empty without an authorizer.
    [[nodiscard]] core::Result<std::vector<Acl>> acls(const std::string& prefix, const core::Deadline& deadline);

private:
    struct State;
    explicit Admin(std::unique_ptr<State> state);
    std::unique_ptr<State> state_;
};

}  // namespace syncline::kafka
