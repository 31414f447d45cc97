// One owning type for each C type of librdkafka. No other file calls a *_destroy.
#pragma once

#include <librdkafka/rdkafka.h>
#include <memory>

namespace syncline::kafka {

template <auto Destroy>
struct DestroyedBy {
    template <typename T>
    void operator()(T* handle) const {
        Destroy(handle);
    }
};
template <typename T, auto Destroy>
using UniqueHandle = std::unique_ptr<T, DestroyedBy<Destroy>>;

using ConfHandle = UniqueHandle<rd_kafka_conf_t, &rd_kafka_conf_destroy>;
using MessageHandle = UniqueHandle<rd_kafka_message_t, &rd_kafka_message_destroy>;
using PartitionListHandle = UniqueHandle<rd_kafka_topic_partition_list_t, &rd_kafka_topic_partition_list_destroy>;
using HeadersHandle = UniqueHandle<rd_kafka_headers_t, &rd_kafka_headers_destroy>;
using TopicHandle = UniqueHandle<rd_kafka_topic_t, &rd_kafka_topic_destroy>;
using QueueHandle = UniqueHandle<rd_kafka_queue_t, &rd_kafka_queue_destroy>;
using EventHandle = UniqueHandle<rd_kafka_event_t, &rd_kafka_event_destroy>;
using ErrorHandle = UniqueHandle<rd_kafka_error_t, &rd_kafka_error_destroy>;
using MetadataHandle = UniqueHandle<const rd_kafka_metadata_t, &rd_kafka_metadata_destroy>;
using NewTopicHandle = UniqueHandle<rd_kafka_NewTopic_t, &rd_kafka_NewTopic_destroy>;
using ConfigResourceHandle = UniqueHandle<rd_kafka_ConfigResource_t, &rd_kafka_ConfigResource_destroy>;
using AclFilterHandle = UniqueHandle<rd_kafka_AclBinding_t, &rd_kafka_AclBinding_destroy>;
using AdminOptionsHandle = UniqueHandle<rd_kafka_AdminOptions_t, &rd_kafka_AdminOptions_destroy>;

}  // namespace syncline::kafka
