// A webhook comes in: verified, mapped, published, and answered only when the broker has it.
//
// Stateless but for the answers that wait; lives as long as the service. run() may be called from any thread and never blocks:
// the answer is given later, from the publisher's thread or at the limit, or at once when nothing has to be published.
//
//   good signature, mapped            → published                     200 after the acknowledgement
//   good signature, cannot be mapped  → UnmappableWebhook, published  200: a refusal would only be repeated by Shopify until it
//                                       deletes the subscription
//   a topic that nobody consumes      → counted                       200
//   bad signature                                                     401
//   no acknowledgement within the limit, queue full, producer gone    503: Shopify sends it again, and its id makes it one event
#pragma once

#include <syncline/core/clock.h>
#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "app/pending_answers.h"
#include "app/ports.h"
#include "domain/signature.h"
#include "domain/webhook.h"

namespace ingress {

// One request, as far as it matters here.
struct ReceivedWebhook {
    std::shared_ptr<const KnownShop> shop;
    std::string topic;      // As sent.
    std::string signature;  // X-Shopify-Hmac-Sha256
    std::string triggered_at;
    std::string event_id;
    std::string webhook_id;
    std::string api_version;
    std::string traceparent;
    syncline::core::SystemTime received_at{};
    std::string body;
};

struct WebhookAnswer {
    enum class Outcome : std::uint8_t {
        published,
        dead_lettered,  // Published as UnmappableWebhook.
        ignored,        // Nobody consumes the topic.
        bad_signature,
        unavailable,  // Not durable: the sender has to come again.
    };
    Outcome outcome = Outcome::published;
    std::string code;  // Why: of dead letters, bad signatures and unavailable; stable and bounded.
    ObservedAt observed{};
    std::string event_id;  // ce_id of what was published.
    std::vector<std::string> unknown_members;
};
[[nodiscard]] std::string_view to_string(WebhookAnswer::Outcome outcome) noexcept;

class ReceiveWebhook {
public:
    using Done = std::move_only_function<void(WebhookAnswer)>;

    ReceiveWebhook(const ShopDirectory& shops, const WebhookMapping& mapping, EventPublisher& publisher,
                   syncline::core::Clock& clock, std::chrono::milliseconds acknowledge_limit);

    // `done` runs exactly once.
    void run(ReceivedWebhook webhook, Done done);

    // Requests whose record the broker has not acknowledged yet.
    [[nodiscard]] std::size_t waiting() const { return pending_.waiting(); }

private:
    [[nodiscard]] Signature verify(const ReceivedWebhook& webhook) const;
    void publish(MappedEvent event, const ReceivedWebhook& webhook, WebhookAnswer answer, Done done);

    const ShopDirectory& shops_;
    const WebhookMapping& mapping_;
    EventPublisher& publisher_;
    PendingAnswers<WebhookAnswer> pending_;
};

// Where a shop's events come from (ce_source).
[[nodiscard]] std::string source_of(std::string_view shop);
// The sender's own id of the action if it is a plain word, else the event's id: it goes into headers and logs.
[[nodiscard]] std::string correlation_id_of(std::string_view sent, std::string_view event_id);
// What the webhook borrows from a received request.
[[nodiscard]] Webhook view_of(const ReceivedWebhook& received);

}  // namespace ingress
