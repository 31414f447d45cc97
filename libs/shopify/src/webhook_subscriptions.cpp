#include "syncline/shopify/webhook_subscriptions.h"

#include <fmt/format.h>
#include <syncline/json/writer.h>
#include <syncline/shopify/pages.h>
#include <utility>

namespace syncline::shopify {
namespace {

void write_input(json::Writer& out, const WebhookSubscription& wanted) {
    out.key("subscription").begin_object().member("uri", wanted.uri).member("format", "JSON");
    // Always named, so that an update also takes away what is no longer wanted.
    out.key("filter");
    if (wanted.filter.empty()) {
        out.null();
    } else {
        out.string(wanted.filter);
    }
    out.key("includeFields").begin_array();
    for (const auto& field : wanted.include_fields) {
        out.string(field);
    }
    out.end_array();
    if (!wanted.name.empty()) {
        out.member("name", wanted.name);
    }
    out.end_object();
}

std::string text_in(const json::Value& object, std::string_view member) {
    const auto text = object.string_of(member);
    return text ? std::string(*text) : std::string();
}

}  // namespace

core::Result<std::vector<WebhookSubscription>> webhook_subscriptions(Admin& admin, Priority priority,
                                                                     const core::Deadline& deadline) {
    std::vector<WebhookSubscription> found;
    const auto variables = [](std::string_view after) {
        return fmt::format(R"({{"after":{}}})", after);
    };
    const auto take = [&](const json::Value& node) -> core::Result<void> {
        WebhookSubscription read{.id = text_in(node, "id"),
                                 .topic = text_in(node, "topic"),
                                 .uri = text_in(node, "uri"),
                                 .filter = text_in(node, "filter"),
                                 .include_fields = {},
                                 .name = text_in(node, "name"),
                                 .api_version = {}};
        if (read.id.empty() || read.topic.empty()) {
            return std::unexpected(node.malformed("subscription_malformed", "is no webhook subscription"));
        }
        if (const auto fields = node.get_present("includeFields")) {
            for (const auto field : fields->elements()) {
                if (const auto name = field.string()) {
                    read.include_fields.emplace_back(*name);
                }
            }
        }
        if (const auto version = node.get_present("apiVersion")) {
            read.api_version = text_in(*version, "handle");
        }
        found.push_back(std::move(read));
        return {};
    };
    if (auto done = for_each_node(admin, kWebhookSubscriptions, "webhookSubscriptions", variables, take, priority, deadline);
        !done) {
        return std::unexpected(std::move(done.error()));
    }
    return found;
}

core::Result<std::string> create_webhook_subscription(Admin& admin, const WebhookSubscription& wanted, Priority priority,
                                                      const core::Deadline& deadline) {
    json::Writer out;
    out.begin_object().member("topic", wanted.topic);
    write_input(out, wanted);
    out.end_object();
    auto reply = admin.call(kCreateWebhookSubscription, {.json = std::move(out).take()}, priority, deadline);
    if (!reply) {
        return std::unexpected(std::move(reply.error()));
    }
    const auto payload = reply->data().get_present("webhookSubscriptionCreate");
    const auto made = payload ? payload->get_present("webhookSubscription") : std::nullopt;
    auto id = made ? text_in(*made, "id") : std::string();
    if (id.empty()) {
        return core::fail(core::ErrorKind::unknown_outcome, "reply_unexpected", "Shopify's answer names no subscription");
    }
    return id;
}

core::Result<void> update_webhook_subscription(Admin& admin, const WebhookSubscription& wanted, Priority priority,
                                               const core::Deadline& deadline) {
    json::Writer out;
    out.begin_object().member("id", wanted.id);
    write_input(out, wanted);
    out.end_object();
    auto reply = admin.call(kUpdateWebhookSubscription, {.json = std::move(out).take()}, priority, deadline);
    if (!reply) {
        return std::unexpected(std::move(reply.error()));
    }
    return {};
}

core::Result<void> delete_webhook_subscription(Admin& admin, const std::string& id, Priority priority,
                                               const core::Deadline& deadline) {
    json::Writer out;
    out.begin_object().member("id", id).end_object();
    auto reply = admin.call(kDeleteWebhookSubscription, {.json = std::move(out).take()}, priority, deadline);
    // Gone already is as good.
    if (!reply && reply.error().code != "not_found") {
        return std::unexpected(std::move(reply.error()));
    }
    return {};
}

}  // namespace syncline::shopify
