#include "src/statistics.h"

#include <syncline/core/parse.h>
#include <syncline/json/document.h>
#include <algorithm>

namespace syncline::kafka {
namespace {

std::int64_t number(const json::Value& object, std::string_view name, std::int64_t otherwise) {
    return object.int64_of(name).value_or(otherwise);
}

void read_brokers(const json::Value& root, ClientStatistics& out) {
    const auto brokers = root.get("brokers");
    if (!brokers) {
        return;
    }
    for (const auto member : brokers->members()) {
        // Bootstrap entries (nodeid -1) are the same brokers under another name.
        const bool real = number(member.value, "nodeid", -1) >= 0;
        if (real && member.value.string_of("state").value_or("") == "UP") {
            ++out.brokers_up;
        }
        if (const auto rtt = member.value.get("rtt"); real && rtt) {
            out.round_trip_max_us = std::max(out.round_trip_max_us, number(*rtt, "max", 0));
        }
    }
}

void read_partitions(const json::Value& root, ClientStatistics& out) {
    const auto topics = root.get("topics");
    if (!topics) {
        return;
    }
    for (const auto topic : topics->members()) {
        const auto partitions = topic.value.get("partitions");
        if (!partitions) {
            continue;
        }
        for (const auto member : partitions->members()) {
            // -1 is librdkafka's own bucket for records without a partition.
            const auto id = number(member.value, "partition", -1);
            if (id < 0) {
                continue;
            }
            auto end = number(member.value, "ls_offset", -1);
            if (end < 0) {
                end = number(member.value, "hi_offset", -1);
            }
            out.partitions.push_back({.partition = {std::string(topic.name), static_cast<std::int32_t>(id)},
                                      .end_offset = end,
                                      .lag = number(member.value, "consumer_lag", -1)});
        }
    }
}

}  // namespace

ClientStatistics parse_statistics(std::string_view json) {
    ClientStatistics out;
    const auto document =
        json::Document::parse(std::string(json), {.bytes_max = std::size_t{64} << 20U, .reject_duplicate_keys = false});
    if (!document) {
        return out;
    }
    const auto root = document->root();
    const auto total = [&](std::string_view name) {
        return static_cast<std::uint64_t>(std::max<std::int64_t>(number(root, name, 0), 0));
    };
    out.sent_bytes = total("tx_bytes");
    out.received_bytes = total("rx_bytes");
    out.sent_message_bytes = total("txmsg_bytes");
    if (const auto group = root.get("cgrp")) {
        out.rebalances = static_cast<std::uint64_t>(std::max<std::int64_t>(number(*group, "rebalance_cnt", 0), 0));
    }
    read_brokers(root, out);
    read_partitions(root, out);
    return out;
}

}  // namespace syncline::kafka
