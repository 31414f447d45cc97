// What every Kafka client of Syncline shares: where the brokers are, how to speak to them, and what is passed through.
//
// Keys that this library sets for correctness (idempotence, acks, assignor, offset reset, …) cannot be overridden; an unknown
// or refused key is an error that names it. Error codes of this library (kind):
//   kafka_configuration  bug              unknown or refused key, unreadable certificate …; found at construction
//   kafka_unavailable    transient        no broker answers, coordinator not available, time-out before anything was sent
//   kafka_unauthorized   unauthorized     credentials or ACLs refuse us
//   kafka_unknown_topic  transient        the topic does not exist (yet)
//   producer_queue_full  throttled        the bounded queue of the producer is full
//   producer_rebuilding  transient        the producer had a fatal error and is being rebuilt
//   delivery_unknown     unknown_outcome  the record may have been written
//   record_too_large     rejected         the record is larger than the client's or the topic's limit
//   offset_gone          rejected         the offset was deleted by retention
//   offset_not_written   not_ready        the offset is beyond the end of the partition
//   kafka_closed         transient        the client is being closed
//   kafka_error          transient        anything else the broker said; the message has its name
#pragma once

#include <syncline/core/error.h>
#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <string_view>

namespace syncline::kafka {

enum class Protocol : std::uint8_t { plaintext, tls, sasl_plaintext, sasl_tls };
enum class SaslMechanism : std::uint8_t { plain, scram_sha_256, scram_sha_512 };

struct Security {
    Protocol protocol = Protocol::plaintext;
    std::string ca_file;           // PEM; empty: the system's authorities.
    std::string certificate_file;  // PEM, with key_file: client certificate.
    std::string key_file;
    std::string key_password;
    bool verify_hostname = true;
    SaslMechanism mechanism = SaslMechanism::scram_sha_512;
    std::string username;
    std::string password;
};

enum class LogLevel : std::uint8_t { debug, info, warning, error };

struct ClientOptions {
    std::string brokers;  // host:port,host:port
    std::string client_id = "syncline";
    Security security;
    // Raw librdkafka keys, for what has no member here. Logged at start without values.
    std::map<std::string, std::string> overrides;
    std::chrono::milliseconds statistics_interval{15'000};
    // What librdkafka has to say, on the thread that serves the client. Never payloads, never secrets. Empty: dropped.
    std::function<void(LogLevel, std::string_view facility, std::string_view message)> on_log;
};

// Would a client with these options start? Opens no connection; reads certificate files.
[[nodiscard]] core::Result<void> check(const ClientOptions& options);

// "librdkafka 2.0.2", for --version.
[[nodiscard]] std::string library_version();

}  // namespace syncline::kafka
