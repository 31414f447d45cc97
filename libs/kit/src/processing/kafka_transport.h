// The transport ports on libs/kafka. Adds the prefix to topics on the way out and removes it on the way in.
#pragma once

#include <syncline/core/clock.h>
#include <syncline/kafka/client.h>
#include <syncline/kit/transport.h>
#include <memory>
#include <string>

namespace syncline::kafka {
class Producer;
}

namespace syncline::kit {

struct KafkaSourceOptions {
    kafka::ClientOptions client;
    std::string group;
    std::string prefix;  // "syncline"
};

// Connects nothing before start().
[[nodiscard]] std::unique_ptr<RecordSource> make_kafka_source(KafkaSourceOptions options, core::Clock& clock);
// `producer` outlives the sink.
[[nodiscard]] std::unique_ptr<RecordSink> make_kafka_sink(kafka::Producer& producer, std::string prefix);
// Connects on first use.
[[nodiscard]] std::unique_ptr<RecordReader> make_kafka_reader(kafka::ClientOptions client, std::string prefix);

}  // namespace syncline::kit
