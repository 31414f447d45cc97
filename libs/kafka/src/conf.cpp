#include "src/conf.h"

#include <fmt/format.h>
#include <algorithm>
#include <array>

namespace syncline::kafka {
namespace {

struct FixedKey {
    std::string_view key;
    std::string_view why;
};

// A key given by an operator that would break a promise of this library is refused, not silently ignored.
constexpr std::array kFixed{
    FixedKey{"bootstrap.servers", "it is kafka.brokers"},
    FixedKey{"metadata.broker.list", "it is kafka.brokers"},
    FixedKey{"client.id", "the service sets it"},
    FixedKey{"group.id", "the consumer group is a contract of the service"},
    FixedKey{"group.instance.id", "membership is dynamic: a static member that is scaled away leaves its partitions standing"},
    FixedKey{"enable.idempotence", "exactly-once publishing relies on it"},
    FixedKey{"acks", "acks=all is what an acknowledgement means here"},
    FixedKey{"request.required.acks", "acks=all is what an acknowledgement means here"},
    FixedKey{"max.in.flight", "order with idempotence relies on it"},
    FixedKey{"max.in.flight.requests.per.connection", "order with idempotence relies on it"},
    FixedKey{"partitioner", "keys must be placed as producers in other languages place them"},
    // cooperative-sticky of librdkafka 2.0.2: #4312, #4527, #4783, #4686, #4059 of LIBRARY-FAULTS §1.
    FixedKey{"partition.assignment.strategy", "only range is free of known faults in the librdkafka used"},
    FixedKey{"auto.offset.reset", "a lost position is never reset silently; the first start is an explicit choice"},
    FixedKey{"enable.auto.commit", "the service kit commits"},
    FixedKey{"auto.commit.enable", "the service kit commits"},
    FixedKey{"enable.auto.offset.store", "the service kit commits"},
    FixedKey{"enable.partition.eof", "not used"},
    FixedKey{"statistics.interval.ms", "it is the client's statistics_interval"},
    FixedKey{"log.queue", "logs are served by the client's own thread"},
    FixedKey{"opaque", "not a setting"},
    FixedKey{"test.mock.num.brokers", "not for services"},
};

core::Error refused(std::string message, std::string hint = {}) {
    return {.kind = core::ErrorKind::bug, .code = "kafka_configuration", .message = std::move(message), .hint = std::move(hint)};
}

// librdkafka's own complaint may quote the value, which may be a secret.
core::Result<void> set(rd_kafka_conf_t* conf, const std::string& key, const std::string& value) {
    std::array<char, 512> complaint{};
    switch (rd_kafka_conf_set(conf, key.c_str(), value.c_str(), complaint.data(), complaint.size())) {
        case RD_KAFKA_CONF_OK:
            return {};
        case RD_KAFKA_CONF_INVALID:
            return std::unexpected(refused(fmt::format("Kafka property {} does not accept its value", key)));
        case RD_KAFKA_CONF_UNKNOWN:
            break;
    }
    return std::unexpected(
        refused(fmt::format("unknown Kafka property {}", key),
                fmt::format("this is librdkafka {}: keys of later versions (fetch.queue.backoff.ms, retry.backoff.max.ms, "
                            "group.protocol, enable.metrics.push, metadata.recovery.strategy) may not exist in it",
                            rd_kafka_version_str())));
}

std::string_view protocol_name(Protocol protocol) {
    switch (protocol) {
        case Protocol::plaintext:
            return "plaintext";
        case Protocol::tls:
            return "ssl";
        case Protocol::sasl_plaintext:
            return "sasl_plaintext";
        case Protocol::sasl_tls:
            return "sasl_ssl";
    }
    return "plaintext";
}

std::string_view mechanism_name(SaslMechanism mechanism) {
    switch (mechanism) {
        case SaslMechanism::plain:
            return "PLAIN";
        case SaslMechanism::scram_sha_256:
            return "SCRAM-SHA-256";
        case SaslMechanism::scram_sha_512:
            return "SCRAM-SHA-512";
    }
    return "SCRAM-SHA-512";
}

Settings security_settings(const Security& security) {
    Settings out{{"security.protocol", std::string(protocol_name(security.protocol))}};
    const auto unless_empty = [&](const char* key, const std::string& value) {
        if (!value.empty()) {
            out.emplace_back(key, value);
        }
    };
    if (security.protocol == Protocol::tls || security.protocol == Protocol::sasl_tls) {
        unless_empty("ssl.ca.location", security.ca_file);
        unless_empty("ssl.certificate.location", security.certificate_file);
        unless_empty("ssl.key.location", security.key_file);
        unless_empty("ssl.key.password", security.key_password);
        out.emplace_back("ssl.endpoint.identification.algorithm", security.verify_hostname ? "https" : "none");
    }
    if (security.protocol == Protocol::sasl_plaintext || security.protocol == Protocol::sasl_tls) {
        out.emplace_back("sasl.mechanism", mechanism_name(security.mechanism));
        unless_empty("sasl.username", security.username);
        unless_empty("sasl.password", security.password);
    }
    return out;
}

Settings common_settings(const ClientOptions& options) {
    return {
        {"client.id", options.client_id},
        {"statistics.interval.ms", std::to_string(options.statistics_interval.count())},
        {"log.queue", "true"},
        {"log.connection.close", "false"},
        {"socket.keepalive.enable", "true"},
        // Nagle is on by default in this version (#4986).
        {"socket.nagle.disable", "true"},
        {"socket.timeout.ms", "30000"},
        {"socket.connection.setup.timeout.ms", "10000"},
        // A broker that was away is found again within a second or two.
        {"reconnect.backoff.ms", "100"},
        {"reconnect.backoff.max.ms", "1000"},
        {"topic.metadata.refresh.fast.interval.ms", "100"},
    };
}

}  // namespace

core::Result<ConfHandle> make_conf(const ClientOptions& options, const Settings& settings) {
    ConfHandle conf(rd_kafka_conf_new());
    for (const auto& part : {common_settings(options), security_settings(options.security), settings}) {
        for (const auto& [key, value] : part) {
            if (auto done = set(conf.get(), key, value); !done) {
                return std::unexpected(std::move(done.error()));
            }
        }
    }
    for (const auto& [key, value] : options.overrides) {
        const auto fixed = std::ranges::find(kFixed, key, &FixedKey::key);
        if (fixed != kFixed.end()) {
            return std::unexpected(refused(fmt::format("Kafka property {} cannot be changed: {}", key, fixed->why)));
        }
        if (auto done = set(conf.get(), key, value); !done) {
            return std::unexpected(std::move(done.error()));
        }
    }
    return conf;
}

core::Result<rd_kafka_t*> new_client(rd_kafka_type_t type, ConfHandle conf) {
    std::array<char, 512> complaint{};
    auto* client = rd_kafka_new(type, conf.get(), complaint.data(), complaint.size());
    if (client == nullptr) {
        return std::unexpected(refused(fmt::format("the Kafka client cannot start: {}", complaint.data()),
                                       "look at the certificates, the SASL settings and kafka.properties"));
    }
    // Now the client's.
    (void)conf.release();
    return client;
}

LogLevel log_level_from(int syslog_level) {
    if (syslog_level <= 3) {
        return LogLevel::error;
    }
    if (syslog_level == 4) {
        return LogLevel::warning;
    }
    return syslog_level <= 6 ? LogLevel::info : LogLevel::debug;
}

core::Result<void> check(const ClientOptions& options) {
    if (options.brokers.empty()) {
        return std::unexpected(refused("no Kafka brokers are configured", "set kafka.brokers to host:port,host:port"));
    }
    auto conf = make_conf(options, {});
    if (!conf) {
        return std::unexpected(std::move(conf.error()));
    }
    // Without bootstrap.servers it builds its TLS context and connects nowhere.
    auto client = new_client(RD_KAFKA_PRODUCER, std::move(*conf));
    if (!client) {
        return std::unexpected(std::move(client.error()));
    }
    const UniqueHandle<rd_kafka_t, &rd_kafka_destroy> closed_at_once(*client);
    return {};
}

std::string library_version() {
    return fmt::format("librdkafka {}", rd_kafka_version_str());
}

}  // namespace syncline::kafka
