#include "src/errors.h"

#include <fmt/format.h>
#include <limits>

namespace syncline::kafka {
namespace {

constexpr int kScramMended = 0x020601ff;  // 2.6.1: LIBRARY-FAULTS §1, #4895.

}  // namespace

core::Error error_from(rd_kafka_resp_err_t code, std::string_view doing) {
    core::Error error{.kind = core::ErrorKind::transient,
                      .code = "kafka_error",
                      .message = fmt::format("{}: {} ({})", doing, rd_kafka_err2str(code), rd_kafka_err2name(code))};
    switch (code) {
        case RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN:
        case RD_KAFKA_RESP_ERR__TRANSPORT:
        case RD_KAFKA_RESP_ERR__TIMED_OUT:
        case RD_KAFKA_RESP_ERR__TIMED_OUT_QUEUE:
        case RD_KAFKA_RESP_ERR__MSG_TIMED_OUT:
        case RD_KAFKA_RESP_ERR__RESOLVE:
        // OpenSSL 3 calls a peer that went away without goodbye an SSL error (LIBRARY-FAULTS §1, #4294).
        case RD_KAFKA_RESP_ERR__SSL:
        case RD_KAFKA_RESP_ERR__WAIT_COORD:
        case RD_KAFKA_RESP_ERR__DESTROY:
        case RD_KAFKA_RESP_ERR__PURGE_QUEUE:
        case RD_KAFKA_RESP_ERR_LEADER_NOT_AVAILABLE:
        case RD_KAFKA_RESP_ERR_NOT_LEADER_FOR_PARTITION:
        case RD_KAFKA_RESP_ERR_REQUEST_TIMED_OUT:
        case RD_KAFKA_RESP_ERR_BROKER_NOT_AVAILABLE:
        case RD_KAFKA_RESP_ERR_NETWORK_EXCEPTION:
        case RD_KAFKA_RESP_ERR_COORDINATOR_LOAD_IN_PROGRESS:
        case RD_KAFKA_RESP_ERR_COORDINATOR_NOT_AVAILABLE:
        case RD_KAFKA_RESP_ERR_NOT_COORDINATOR:
        case RD_KAFKA_RESP_ERR_NOT_ENOUGH_REPLICAS:
        case RD_KAFKA_RESP_ERR_NOT_ENOUGH_REPLICAS_AFTER_APPEND:
            error.code = "kafka_unavailable";
            break;
        case RD_KAFKA_RESP_ERR__AUTHENTICATION:
        case RD_KAFKA_RESP_ERR_SASL_AUTHENTICATION_FAILED:
        case RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED:
        case RD_KAFKA_RESP_ERR_GROUP_AUTHORIZATION_FAILED:
        case RD_KAFKA_RESP_ERR_CLUSTER_AUTHORIZATION_FAILED:
            error.kind = core::ErrorKind::unauthorized;
            error.code = "kafka_unauthorized";
            error.hint = "check the credentials and the ACLs of this client";
            break;
        case RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART:
        case RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC:
        case RD_KAFKA_RESP_ERR__UNKNOWN_PARTITION:
            error.code = "kafka_unknown_topic";
            error.hint = "create the topics of proto/topics.yaml";
            break;
        case RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE:
        case RD_KAFKA_RESP_ERR_INVALID_MSG_SIZE:
        case RD_KAFKA_RESP_ERR_RECORD_LIST_TOO_LARGE:
            error.kind = core::ErrorKind::rejected;
            error.code = "record_too_large";
            error.hint = "compare max.message.bytes of the topic with proto/topics.yaml";
            break;
        case RD_KAFKA_RESP_ERR__QUEUE_FULL:
            error.kind = core::ErrorKind::throttled;
            error.code = "producer_queue_full";
            break;
        default:
            break;
    }
    return error;
}

core::Error with_cause(core::Error error, std::string_view failure) {
    if (failure.empty()) {
        return error;
    }
    error.message += fmt::format("; last: {}", failure);
    const auto says = [&](std::string_view text) {
        return failure.find(text) != std::string_view::npos;
    };
    if (says("SASL authentication error")) {
        error.code = "kafka_unauthorized";
        error.hint = "check kafka.security: mechanism, username and password_file";
        if (says("SCRAM") && rd_kafka_version() < kScramMended) {
            error.hint += fmt::format(
                "; librdkafka {} cannot log in by SCRAM at brokers of version 4 (its fault #4895): take a "
                "build with 2.6.1 or later, as the container images are, or mechanism plain over TLS",
                rd_kafka_version_str());
        }
    } else if (says("SSL handshake failed") || says("certificate verify failed")) {
        error.code = "kafka_unauthorized";
        error.hint = "check kafka.security: ca_file has to trust the brokers' certificate, which has to name the host";
    }
    return error;
}

core::Error closed_error() {
    return {.kind = core::ErrorKind::transient, .code = "kafka_closed", .message = "the Kafka client is being closed"};
}

int milliseconds_left(const core::Deadline& deadline) {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline.left()).count();
    return static_cast<int>(std::min<std::int64_t>(left, std::numeric_limits<int>::max() / 2));
}

}  // namespace syncline::kafka
