// What a service gives the kit: its handlers, its target, and how a hold resolves. Made by Service::on, ::target,
// ::holds_resolve_by.
#pragma once

#include <syncline/core/clock.h>
#include <syncline/core/error.h>
#include <syncline/kit/delivery.h>
#include <syncline/kit/outcome.h>
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

namespace syncline::kit {

enum class Family : std::uint8_t { snapshot, fact };

// How one type of event of one topic is handled. `decode` and `call` are made by Service::on from the typed function.
struct HandlerSpec {
    std::string type;   // Full Protobuf name.
    std::string topic;  // Without prefix.
    std::string consumer_group;
    Family family = Family::fact;
    std::function<std::shared_ptr<google::protobuf::MessageLite>()> make;
    // What a fact is about ("refund/123"): a waiting fact blocks only later facts about the same resource.
    std::function<std::string(const google::protobuf::MessageLite&)> resource;
    // Version of a snapshot; unset for facts.
    std::function<Version(const google::protobuf::MessageLite&)> version;
    std::function<Outcome(const google::protobuf::MessageLite&, Delivery&)> call;
};

// The target of a service: how the kit asks whether it is there, and how long its longest request may run.
struct TargetSpec {
    std::string connection;  // "odoo-main": the label of metrics, part of every key.
    // Cheap, one attempt, by the deadline. Empty: the circuit opens by failures alone.
    std::function<core::Result<void>(core::Deadline)> probe;
    std::chrono::milliseconds longest_request{120'000};
};

// Where a hold's `waits_for` resolves: true if the current mapping has that entry.
using ResolvesHold = std::function<bool(std::string_view waits_for)>;

}  // namespace syncline::kit
