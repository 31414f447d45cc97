#include "src/handles.h"

#include <librdkafka/rdkafka_mock.h>
#include <syncline/kafka/testing/mock_cluster.h>
#include <array>
#include <stdexcept>
#include <vector>

namespace syncline::kafka::testing {

struct MockCluster::State {
    // Destroyed last: the cluster lives inside this client.
    UniqueHandle<rd_kafka_t, &rd_kafka_destroy> client;
    UniqueHandle<rd_kafka_mock_cluster_t, &rd_kafka_mock_cluster_destroy> cluster;
};

MockCluster::MockCluster(int brokers) : state_(std::make_unique<State>()) {
    std::array<char, 256> complaint{};
    auto* conf = rd_kafka_conf_new();
    rd_kafka_conf_set(conf, "log_level", "3", complaint.data(), complaint.size());
    state_->client.reset(rd_kafka_new(RD_KAFKA_PRODUCER, conf, complaint.data(), complaint.size()));
    if (!state_->client) {
        throw std::runtime_error(complaint.data());
    }
    state_->cluster.reset(rd_kafka_mock_cluster_new(state_->client.get(), brokers));
    if (!state_->cluster) {
        throw std::runtime_error("the mock cluster cannot start");
    }
}

MockCluster::~MockCluster() = default;

std::string MockCluster::brokers() const {
    return rd_kafka_mock_cluster_bootstraps(state_->cluster.get());
}

void MockCluster::create_topic(const std::string& name, int partitions) {
    rd_kafka_mock_topic_create(state_->cluster.get(), name.c_str(), partitions, 1);
}

void MockCluster::push_errors(Request request, std::initializer_list<BrokerError> errors) {
    std::vector<rd_kafka_resp_err_t> codes;
    for (const auto error : errors) {
        codes.push_back(static_cast<rd_kafka_resp_err_t>(error));
    }
    rd_kafka_mock_push_request_errors_array(state_->cluster.get(), static_cast<std::int16_t>(request), codes.size(),
                                            codes.data());
}

void MockCluster::clear_errors(Request request) {
    rd_kafka_mock_clear_request_errors(state_->cluster.get(), static_cast<std::int16_t>(request));
}

void MockCluster::set_down(int broker) {
    rd_kafka_mock_broker_set_down(state_->cluster.get(), broker);
}
void MockCluster::set_up(int broker) {
    rd_kafka_mock_broker_set_up(state_->cluster.get(), broker);
}
void MockCluster::set_round_trip(std::chrono::milliseconds rtt, int broker) {
    rd_kafka_mock_broker_set_rtt(state_->cluster.get(), broker, static_cast<int>(rtt.count()));
}

}  // namespace syncline::kafka::testing
