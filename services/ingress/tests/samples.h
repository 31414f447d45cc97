// Webhook bodies for tests: the fixtures, patched copies of them, and what comes with a body.
#pragma once

#include <syncline/core/time.h>
#include <syncline/json/document.h>
#include <syncline/json/writer.h>
#include <fstream>
#include <map>
#include <optional>
#include <sstream>
#include <stdexcept>
#include <string>
#include <string_view>

#include "adapters/shopify/mapping.h"
#include "domain/event.h"
#include "domain/webhook.h"

namespace ingress::testing {

// The compact text of tests/contracts/fixtures/shopify/<name>.json.
inline std::string sample(const std::string& name) {
    std::ifstream file(std::string(SYNCLINE_FIXTURES) + "/shopify/" + name + ".json");
    if (!file) {
        throw std::runtime_error("no fixture " + name);
    }
    std::stringstream text;
    text << file.rdbuf();
    const auto document = syncline::json::Document::parse(text.str());
    if (!document) {
        throw std::runtime_error(name + ": " + document.error().message);
    }
    syncline::json::Writer compact;
    return std::move(compact.value(document->root())).take();
}

// Member path ("line_items[0].price") → the JSON text that replaces it; nullopt takes the member out.
using Patches = std::map<std::string, std::optional<std::string>>;

inline void write_patched(syncline::json::Writer& to, syncline::json::Value from, const std::string& path, const Patches& patches,
                          std::size_t& applied) {
    if (const auto patch = patches.find(path); patch != patches.end() && patch->second) {
        ++applied;
        to.raw(*patch->second);
    } else if (from.is_object()) {
        to.begin_object();
        for (const auto member : from.members()) {
            const auto below = path.empty() ? std::string(member.name) : path + "." + std::string(member.name);
            const auto patch_below = patches.find(below);
            if (patch_below != patches.end() && !patch_below->second) {
                ++applied;
                continue;
            }
            write_patched(to.key(member.name), member.value, below, patches, applied);
        }
        to.end_object();
    } else if (from.is_array()) {
        to.begin_array();
        std::size_t index = 0;
        for (const auto element : from.elements()) {
            write_patched(to, element, path + "[" + std::to_string(index++) + "]", patches, applied);
        }
        to.end_array();
    } else {
        to.value(from);
    }
}

// A copy of `body` with members replaced or taken out. Every path must exist: a patch that changes nothing would test nothing.
inline std::string patched(std::string body, const Patches& patches) {
    const auto document = syncline::json::Document::parse(std::move(body));
    syncline::json::Writer writer;
    std::size_t applied = 0;
    write_patched(writer, document.value().root(), "", patches, applied);
    if (applied != patches.size()) {
        throw std::runtime_error("a patch names a member that is not there");
    }
    return std::move(writer).take();
}

// A copy of an object's text with further members at its end.
inline std::string with_members(std::string body, std::string_view members) {
    body.insert(body.rfind('}'), "," + std::string(members));
    return body;
}

inline syncline::core::SystemTime at(std::string_view time) {
    return syncline::core::parse_rfc3339(time).value();
}

inline Webhook webhook(WebhookTopic topic, std::string_view shop = "eu") {
    return {.shop = shop,
            .shop_domain = shop == "eu" ? "acme-eu.myshopify.com" : "acme-us.myshopify.com",
            .shop_currency = shop == "eu" ? "EUR" : "USD",
            .topic_name = to_string(topic),
            .topic = topic,
            .triggered_at = "2026-11-20T10:00:00.123456789Z",
            .event_id = "5f3c2a10-0000-4000-8000-000000000001",
            .webhook_id = "b54557e4-0000-4000-8000-000000000001",
            .api_version = "2026-10",
            .received_at = at("2026-11-20T10:00:01Z")};
}

inline syncline::core::Result<MappedEvent> map(WebhookTopic topic, std::string body) {
    return ShopifyMapping().map(webhook(topic), std::move(body));
}

// The code of a mapping that fails; "mapped" if it does not.
inline std::string code_of(WebhookTopic topic, std::string body) {
    const auto event = map(topic, std::move(body));
    return event ? "mapped" : event.error().code;
}

template <typename Message>
Message decoded(const MappedEvent& event) {
    Message message;
    if (event.type != Message::descriptor()->full_name() || !message.ParseFromString(event.value)) {
        throw std::runtime_error("the event is no " + Message::descriptor()->full_name());
    }
    return message;
}

template <typename Message>
Message mapped(WebhookTopic topic, std::string body) {
    const auto event = map(topic, std::move(body));
    if (!event) {
        throw std::runtime_error(event.error().code + ": " + event.error().message);
    }
    return decoded<Message>(*event);
}

}  // namespace ingress::testing
