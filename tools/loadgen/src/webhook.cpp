#include "src/webhook.h"

#include <syncline/json/document.h>
#include <syncline/json/writer.h>

namespace loadgen {

namespace core = syncline::core;
namespace json = syncline::json;

std::string to_line(const Webhook& webhook) {
    json::Writer out;
    out.begin_object().member("at_ms", static_cast<std::int64_t>(webhook.at.count())).member("shop", webhook.shop);
    out.member("domain", webhook.domain).member("topic", webhook.topic).member("webhook_id", webhook.webhook_id);
    out.member("event_id", webhook.event_id).member("triggered_at", webhook.triggered_at).member("key", webhook.key);
    out.member("duplicate", webhook.duplicate).member("body", webhook.body).end_object();
    return std::move(out).take();
}

core::Result<Webhook> from_line(std::string line) {
    auto document = json::Document::parse(std::move(line), {.bytes_max = 64UL * 1024 * 1024});
    if (!document) {
        return std::unexpected(std::move(document.error()));
    }
    const auto root = document->root();
    Webhook webhook;
    const auto at = root.int64_of("at_ms");
    if (!at) {
        return std::unexpected(at.error());
    }
    webhook.at = std::chrono::milliseconds(*at);
    for (const auto& [name, member] :
         {std::pair{"shop", &webhook.shop}, std::pair{"domain", &webhook.domain}, std::pair{"topic", &webhook.topic},
          std::pair{"webhook_id", &webhook.webhook_id}, std::pair{"event_id", &webhook.event_id},
          std::pair{"triggered_at", &webhook.triggered_at}, std::pair{"key", &webhook.key}, std::pair{"body", &webhook.body}}) {
        const auto text = root.string_of(name);
        if (!text) {
            return std::unexpected(text.error());
        }
        *member = *text;
    }
    const auto duplicate = root.boolean_of("duplicate");
    webhook.duplicate = duplicate && *duplicate;
    return webhook;
}

}  // namespace loadgen
