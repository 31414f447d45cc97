#include "src/conf.h"

#include <syncline/kafka/consumer.h>
#include <syncline/kafka/producer.h>
#include <array>
#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>
#include <catch2/matchers/catch_matchers_string.hpp>

using Catch::Matchers::ContainsSubstring;
using syncline::kafka::check;
using syncline::kafka::ClientOptions;
using syncline::kafka::make_conf;
using syncline::kafka::Producer;
using syncline::kafka::Protocol;
using syncline::kafka::SaslMechanism;

namespace {

std::string value_of(rd_kafka_conf_t* conf, const char* key) {
    std::array<char, 512> value{};
    std::size_t size = value.size();
    REQUIRE(rd_kafka_conf_get(conf, key, value.data(), &size) == RD_KAFKA_CONF_OK);
    return value.data();
}

}  // namespace

TEST_CASE("kafka: an unknown property is refused by its name", "[kafka-conf][unit]") {
    const auto answer = check({.brokers = "b:1", .overrides = {{"fetch.qeue.backoff", "1"}}});
    REQUIRE_FALSE(answer.has_value());
    CHECK(answer.error().code == "kafka_configuration");
    CHECK_THAT(answer.error().message, ContainsSubstring("fetch.qeue.backoff"));
}

// LIBRARY-FAULTS §1, "new keys": properties of later versions fail clearly.
TEST_CASE("kafka: a property that this librdkafka does not have yet says which version this is", "[kafka-conf][unit]") {
    if (rd_kafka_version() >= 0x020200ff) {
        SKIP("this librdkafka knows the property");
    }
    const auto answer = check({.brokers = "b:1", .overrides = {{"fetch.queue.backoff.ms", "5"}}});
    REQUIRE_FALSE(answer.has_value());
    CHECK_THAT(answer.error().hint, ContainsSubstring(rd_kafka_version_str()));
}

TEST_CASE("kafka: a property that a promise of the library rests on cannot be changed", "[kafka-conf][unit]") {
    const auto* key = GENERATE("enable.idempotence", "acks", "partition.assignment.strategy", "auto.offset.reset", "partitioner",
                               "enable.auto.commit", "group.instance.id");
    const auto answer = check({.brokers = "b:1", .overrides = {{key, "x"}}});
    REQUIRE_FALSE(answer.has_value());
    CHECK_THAT(answer.error().message, ContainsSubstring(key));
    CHECK_THAT(answer.error().message, ContainsSubstring("cannot be changed"));
}

TEST_CASE("kafka: a refused value is not repeated in the error", "[kafka-conf][unit]") {
    const auto answer = check({.brokers = "b:1", .overrides = {{"socket.timeout.ms", "s3cret"}}});
    REQUIRE_FALSE(answer.has_value());
    CHECK_THAT(answer.error().message, ContainsSubstring("socket.timeout.ms"));
    CHECK_THAT(answer.error().message, !ContainsSubstring("s3cret"));
}

TEST_CASE("kafka: no brokers and an unreadable authority file stop the start", "[kafka-conf][unit]") {
    CHECK_FALSE(check({}).has_value());
    ClientOptions options{.brokers = "b:1"};
    options.security.protocol = Protocol::tls;
    options.security.ca_file = "/nonexistent/ca.pem";
    const auto answer = check(options);
    REQUIRE_FALSE(answer.has_value());
    CHECK(answer.error().code == "kafka_configuration");
    CHECK_FALSE(Producer::create({}).has_value());
}

TEST_CASE("kafka: TLS and SASL settings become properties", "[kafka-conf][unit]") {
    ClientOptions options{.brokers = "b:1", .overrides = {{"socket.timeout.ms", "12345"}}};
    options.security = {.protocol = Protocol::sasl_tls,
                        .verify_hostname = false,
                        .mechanism = SaslMechanism::scram_sha_256,
                        .username = "u",
                        .password = "p"};
    const auto conf = make_conf(options, {});
    REQUIRE(conf.has_value());
    CHECK(value_of(conf->get(), "security.protocol") == "sasl_ssl");
    CHECK(value_of(conf->get(), "sasl.mechanism") == "SCRAM-SHA-256");
    CHECK(value_of(conf->get(), "ssl.endpoint.identification.algorithm") == "none");
    CHECK(value_of(conf->get(), "socket.timeout.ms") == "12345");
    // LIBRARY-FAULTS §1, #4986.
    CHECK(value_of(conf->get(), "socket.nagle.disable") == "true");
    CHECK(check(options).has_value());
}
