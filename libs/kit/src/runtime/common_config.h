// The keys every service has, declared once. Internal to the runtime.
#pragma once

#include <syncline/kafka/client.h>
#include <syncline/kit/config.h>
#include <syncline/kit/processor.h>
#include <syncline/kit/secret_file.h>
#include <syncline/telemetry/log.h>
#include <chrono>
#include <map>
#include <string>
#include <vector>

namespace syncline::kit {

struct CommonConfig {
    std::vector<std::string> brokers;
    std::string topic_prefix = "syncline";
    std::string protocol = "plaintext";
    std::string mechanism = "scram_sha_512";
    std::string username;
    SecretFile password_file;
    std::string ca_file;
    std::string certificate_file;
    std::string key_file;
    SecretFile key_password_file;
    std::map<std::string, std::string> properties;
    std::chrono::milliseconds producer_linger{5};
    std::chrono::milliseconds producer_delivery_timeout{30'000};
    Bytes producer_queue{.value = std::uint64_t{64} << 20U};

    std::string postgres_url;
    SecretFile postgres_url_file;
    int connections_max = 16;
    bool migrate_at_start = true;

    std::string admin_listen = "0.0.0.0:8081";
    SecretFile admin_token_file;

    std::string http_ca_file;
    std::string shops_file;
    std::string mappings_dir;
    std::string log_level = "info";
    std::chrono::milliseconds drain{25'000};
    std::chrono::milliseconds stuck_after{300'000};
    ProcessorOptions processing;
    Bytes bytes_in_flight_max;

    void declare(ConfigSchema& schema);

    [[nodiscard]] kafka::ClientOptions kafka_client(const std::string& client_id) const;
    // The url of the file if there is one, else postgres.url.
    [[nodiscard]] std::string postgres_url_now() const;
};

}  // namespace syncline::kit
