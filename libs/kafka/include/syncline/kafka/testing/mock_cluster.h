// librdkafka's mock cluster: real sockets and protocol on loopback, in this process, with injected broker errors.
//
// Knows producers (idempotent too), groups and commits, metadata; not topic administration, configuration or ACLs.
#pragma once

#include <chrono>
#include <cstdint>
#include <initializer_list>
#include <memory>
#include <string>

namespace syncline::kafka::testing {

// Requests that errors can be injected into; the protocol's numbers.
enum class Request : std::int16_t {
    produce = 0,
    fetch = 1,
    list_offsets = 2,
    metadata = 3,
    offset_commit = 8,
    offset_fetch = 9,
    find_coordinator = 10,
    join_group = 11,
    heartbeat = 12,
    leave_group = 13,
    sync_group = 14,
    init_producer_id = 22,
};

// Errors of brokers; the protocol's numbers. disconnect drops the connection instead of answering.
enum class BrokerError : int {
    disconnect = -195,
    none = 0,
    offset_out_of_range = 1,
    unknown_topic_or_partition = 3,
    not_leader = 6,
    request_timed_out = 7,
    message_too_large = 10,
    coordinator_load_in_progress = 14,
    coordinator_not_available = 15,
    not_coordinator = 16,
    not_enough_replicas = 19,
    illegal_generation = 22,
    unknown_member_id = 25,
    rebalance_in_progress = 27,
    topic_authorization_failed = 29,
    out_of_order_sequence = 45,
    invalid_producer_epoch = 47,
    unknown_producer_id = 59,
};

class MockCluster {
public:
    explicit MockCluster(int brokers = 1);
    ~MockCluster();
    MockCluster(const MockCluster&) = delete;
    MockCluster& operator=(const MockCluster&) = delete;

    // host:port,… for ClientOptions::brokers.
    [[nodiscard]] std::string brokers() const;
    // Without it a topic comes into being with 4 partitions when first asked for.
    void create_topic(const std::string& name, int partitions);
    // The next requests of that kind are answered with these errors, one each.
    void push_errors(Request request, std::initializer_list<BrokerError> errors);
    void clear_errors(Request request);
    // -1: all brokers. Down: connections are dropped and refused.
    void set_down(int broker = -1);
    void set_up(int broker = -1);
    void set_round_trip(std::chrono::milliseconds rtt, int broker = -1);

private:
    struct State;
    std::unique_ptr<State> state_;
};

}  // namespace syncline::kafka::testing
