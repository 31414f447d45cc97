#include "src/message.h"

#include <algorithm>
#include <ranges>

namespace syncline::kafka {

std::optional<std::string_view> Record::header(std::string_view name) const {
    for (const auto& header : headers | std::views::reverse) {
        if (header.name == name) {
            return header.value;
        }
    }
    return std::nullopt;
}

std::optional<std::string_view> RecordView::header(std::string_view name) const {
    for (const auto& header : headers | std::views::reverse) {
        if (header.name == name) {
            return header.value;
        }
    }
    return std::nullopt;
}

std::size_t RecordView::bytes() const {
    std::size_t sum = (key ? key->size() : 0) + (value ? value->size() : 0);
    for (const auto& header : headers) {
        sum += header.name.size() + header.value.size();
    }
    return sum;
}

Record RecordView::copy() const {
    Record out{.topic = std::string(topic), .partition = partition, .offset = offset, .timestamp = timestamp};
    if (key) {
        out.key.emplace(*key);
    }
    if (value) {
        out.value.emplace(*value);
    }
    out.headers.reserve(headers.size());
    for (const auto& header : headers) {
        out.headers.push_back({std::string(header.name), std::string(header.value)});
    }
    return out;
}

RecordView view_of(const rd_kafka_message_t& message) {
    RecordView out{.topic = rd_kafka_topic_name(message.rkt), .partition = message.partition, .offset = message.offset};
    rd_kafka_timestamp_type_t type = RD_KAFKA_TIMESTAMP_NOT_AVAILABLE;
    if (const auto at = rd_kafka_message_timestamp(&message, &type); type != RD_KAFKA_TIMESTAMP_NOT_AVAILABLE) {
        out.timestamp = core::SystemTime{std::chrono::milliseconds{at}};
    }
    if (message.key != nullptr) {
        out.key.emplace(static_cast<const char*>(message.key), message.key_len);
    }
    if (message.payload != nullptr) {
        out.value.emplace(static_cast<const char*>(message.payload), message.len);
    }
    rd_kafka_headers_t* headers = nullptr;
    if (rd_kafka_message_headers(&message, &headers) == RD_KAFKA_RESP_ERR_NO_ERROR) {
        const char* name = nullptr;
        const void* value = nullptr;
        std::size_t size = 0;
        out.headers.reserve(rd_kafka_header_cnt(headers));
        for (std::size_t i = 0; rd_kafka_header_get_all(headers, i, &name, &value, &size) == RD_KAFKA_RESP_ERR_NO_ERROR; ++i) {
            // A header without a value reads as an empty one.
            out.headers.push_back(
                {name, value == nullptr ? std::string_view{} : std::string_view(static_cast<const char*>(value), size)});
        }
    }
    return out;
}

}  // namespace syncline::kafka
