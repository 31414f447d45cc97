#include "src/runtime/common_config.h"

#include <fmt/format.h>

#include <array>
#include <utility>

namespace syncline::kit {
namespace {

namespace log = telemetry::log;

constexpr std::array<std::pair<std::string_view, kafka::Protocol>, 4> kProtocols{
    {{"plaintext", kafka::Protocol::plaintext},
     {"tls", kafka::Protocol::tls},
     {"sasl_plaintext", kafka::Protocol::sasl_plaintext},
     {"sasl_tls", kafka::Protocol::sasl_tls}}};
constexpr std::array<std::pair<std::string_view, kafka::SaslMechanism>, 3> kMechanisms{
    {{"plain", kafka::SaslMechanism::plain},
     {"scram_sha_256", kafka::SaslMechanism::scram_sha_256},
     {"scram_sha_512", kafka::SaslMechanism::scram_sha_512}}};

template <typename Table>
std::vector<std::string> names_of(const Table& table) {
    std::vector<std::string> names;
    for (const auto& [name, value] : table) {
        names.emplace_back(name);
    }
    return names;
}

template <typename Table>
auto value_of(const Table& table, std::string_view name) {
    for (const auto& [candidate, value] : table) {
        if (candidate == name) {
            return value;
        }
    }
    return table.front().second;
}

std::optional<std::string> must_be_topic_prefix(std::string_view text) {
    for (const char c : text) {
        if (!((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '.')) {
            return "holds something else than a-z, 0-9, - and .";
        }
    }
    return text.empty() || text.size() > 100 ? std::optional<std::string>("is not 1 to 100 characters long") : std::nullopt;
}

void log_client(kafka::LogLevel level, std::string_view facility, std::string_view message) {
    const bool important = level == kafka::LogLevel::warning || level == kafka::LogLevel::error;
    log::write(important ? log::Level::warn : log::Level::debug, "kafka_client", {{"facility", facility}, {"message", message}});
}

}  // namespace

void CommonConfig::declare(ConfigSchema& schema) {
    bytes_in_flight_max.value = processing.bytes_in_flight_max;

    schema.add("kafka.brokers", brokers,
               {.help = "Kafka brokers to start from, host:port.",
                .validate = must_be_host_port,
                .example = "kafka-1:9092,kafka-2:9092"});
    schema.add("kafka.topic_prefix", topic_prefix,
               {.help = "Prefix of every topic name: <prefix>.orders.v1.", .validate = must_be_topic_prefix});
    schema.add("kafka.security.protocol", protocol, {.help = "How brokers are spoken to.", .choices = names_of(kProtocols)});
    schema.add("kafka.security.ca_file", ca_file,
               {.help = "PEM file of the authorities trusted for brokers; empty: the system's."});
    schema.add("kafka.security.certificate_file", certificate_file,
               {.help = "PEM file of the client certificate, if brokers want one."});
    schema.add("kafka.security.key_file", key_file, {.help = "PEM file of the client certificate's key."});
    schema.add("kafka.security.key_password_file", key_password_file,
               {.help = "File with the password of key_file, read at the start."});
    schema.add("kafka.security.mechanism", mechanism,
               {.help = "SASL mechanism, with sasl_plaintext and sasl_tls.", .choices = names_of(kMechanisms)});
    schema.add("kafka.security.username", username, {.help = "SASL user name."});
    schema.add("kafka.security.password_file", password_file, {.help = "File with the SASL password, read at the start."});
    schema.add("kafka.producer.linger", producer_linger,
               {.help = "How long a record waits for company before it is sent.", .min = 0, .max = 1'000});
    schema.add("kafka.producer.delivery_timeout", producer_delivery_timeout,
               {.help = "From handing over a record to giving it up.", .min = 1'000, .max = 300'000});
    schema.add("kafka.producer.queue_bytes_max", producer_queue,
               {.help = "Most bytes accepted and not yet acknowledged by brokers.", .min = 1 << 20, .max = 1 << 30});
    schema.add("kafka.properties", properties,
               {.help = "Further librdkafka keys, passed through; those Syncline needs for correctness are refused.",
                .secret = true,
                .example = "client.rack=zone-a"});

    schema.add("postgres.url", postgres_url,
               {.help = "PostgreSQL of this service, postgresql://user@host/database; prefer url_file when it holds a password.",
                .secret = true});
    schema.add("postgres.url_file", postgres_url_file,
               {.help = "File with the PostgreSQL url (the uri key of a CloudNativePG secret), re-read on change."});
    schema.add("postgres.connections_max", connections_max,
               {.help = "Most connections of one instance.", .unit = "connections", .min = 2, .max = 200});
    schema.add(
        "postgres.migrate_at_start", migrate_at_start,
        {.help = "Bring the schema up to date when starting; false: refuse to start on an older schema (run --migrate before)."});

    schema.add("admin.listen", admin_listen,
               {.help = "Address of probes, metrics and admin routes, host:port; port 0 takes a free one.",
                .validate = must_be_host_port});
    schema.add("admin.token_file", admin_token_file,
               {.help = "File with one name:token a line for /admin/*, re-read on change; without it these routes are closed."});

    schema.add("http.ca_file", http_ca_file,
               {.help = "PEM file of the authorities trusted for outbound HTTPS; empty: the system's."});
    schema.add(
        "shops_file", shops_file,
        {.help = "shops.yaml: the shops served and their apps, re-read on change.", .example = "/etc/syncline/shops.yaml"});
    schema.add("mappings_dir", mappings_dir,
               {.help = "Folder of mappings/<connection>.yaml, re-read on change.", .example = "/etc/syncline/mappings"});
    schema.add("log.level", log_level,
               {.help = "Least level of log lines.", .choices = {"debug", "info", "warn", "error", "off"}});
    schema.add("drain_seconds", drain,
               {.help = "Time from SIGTERM to the end of the process; keep it below the pod's grace period.",
                .min = 1'000,
                .max = 3'600'000});

    schema.add("limits.keys_in_flight_max", processing.keys_in_flight_max,
               {.help = "Most events handled at once, each of another key.", .unit = "keys", .min = 1, .max = 4'096});
    schema.add(
        "limits.batch_threads_max", processing.batch_threads_max,
        {.help = "Most batches at work at once; each holds a database connection.", .unit = "batches", .min = 1, .max = 64});
    schema.add("limits.records_in_flight_max", processing.records_in_flight_max,
               {.help = "Most records read and not yet settled; partitions pause beyond.",
                .unit = "records",
                .min = 1,
                .max = 1'000'000});
    schema.add("limits.bytes_in_flight_max", bytes_in_flight_max,
               {.help = "Most bytes of records read and not yet settled; partitions pause beyond.", .min = 1 << 20});
    schema.add("limits.call_deadline", processing.call_deadline,
               {.help = "Time a handler has for one event, foreign calls included.", .min = 1'000, .max = 240'000});
    schema.add("limits.lease_margin", processing.lease_margin,
               {.help = "How long a lease outlives its call; the clocks of instances, which follow PostgreSQL's, may differ by "
                        "less than half of this.",
                .min = 1'000,
                .max = 300'000});
    schema.add("limits.parked_limit", processing.parked_limit,
               {.help = "How long a troubled key is retried before it is dead-lettered with its queue.", .min = 1'000});
    schema.add("limits.inbox_retention", processing.inbox_retention,
               {.help = "How long the ids of settled events are kept: the topic's retention and 7 days.", .min = 60'000});
    schema.add("limits.gather_linger", processing.gather_linger,
               {.help = "How long transactions wait for company.", .min = 0, .max = 1'000});
    schema.add("limits.commit_every", processing.commit_every,
               {.help = "How often finished offsets are committed to Kafka.", .min = 10, .max = 60'000});
    schema.add("limits.scan_every", processing.scan_every,
               {.help = "How often parked keys, timers and the outbox are looked through.", .min = 10, .max = 60'000});
    schema.add("limits.stuck_after", stuck_after,
               {.help = "/livez fails when the consuming loop has made no pass for so long.", .min = 1'000});

    schema.check("kafka.security.username", [this]() -> std::optional<std::string> {
        if (protocol.starts_with("sasl") && (username.empty() || !password_file.configured())) {
            return "kafka.security.protocol " + protocol + " needs username and password_file";
        }
        return std::nullopt;
    });
    schema.check("kafka.security.key_file", [this]() -> std::optional<std::string> {
        if (certificate_file.empty() != key_file.empty()) {
            return "a client certificate needs both certificate_file and key_file";
        }
        return std::nullopt;
    });
}

kafka::ClientOptions CommonConfig::kafka_client(const std::string& client_id) const {
    return {.brokers = fmt::format("{}", fmt::join(brokers, ",")),
            .client_id = client_id,
            .security = {.protocol = value_of(kProtocols, protocol),
                         .ca_file = ca_file,
                         .certificate_file = certificate_file,
                         .key_file = key_file,
                         .key_password = key_password_file.current(),
                         .mechanism = value_of(kMechanisms, mechanism),
                         .username = username,
                         .password = password_file.current()},
            .overrides = properties,
            .on_log = log_client};
}

std::string CommonConfig::postgres_url_now() const {
    return postgres_url_file.configured() ? postgres_url_file.current() : postgres_url;
}

}  // namespace syncline::kit
