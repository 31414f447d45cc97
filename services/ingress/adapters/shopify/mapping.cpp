#include "adapters/shopify/mapping.h"

#include <google/protobuf/arena.h>
#include <google/protobuf/timestamp.pb.h>

#include <syncline/common/v1/personal_data.pb.h>
#include <syncline/core/hash.h>
#include <syncline/core/time.h>
#include <syncline/customers/v1/events.pb.h>
#include <syncline/orders/v1/events.pb.h>
#include <syncline/shops/v1/events.pb.h>
#include <syncline/topics.h>
#include <algorithm>
#include <array>
#include <utility>

#include "adapters/shopify/event_identity.h"
#include "adapters/shopify/finish_event.h"
#include "adapters/shopify/map_fulfillments.h"
#include "adapters/shopify/map_inventory.h"
#include "adapters/shopify/map_order.h"
#include "adapters/shopify/map_parts.h"

namespace ingress {

namespace json = syncline::json;
namespace core = syncline::core;
namespace topics = syncline::topics;
using namespace syncline::orders::v1;

namespace {

Cause cause_of(WebhookTopic topic) {
    switch (topic) {
        case WebhookTopic::orders_create:
            return CAUSE_PLACED;
        case WebhookTopic::orders_paid:
            return CAUSE_PAID;
        case WebhookTopic::orders_fulfilled:
            return CAUSE_FULFILLED;
        case WebhookTopic::orders_partially_fulfilled:
            return CAUSE_PARTIALLY_FULFILLED;
        case WebhookTopic::orders_cancelled:
            return CAUSE_CANCELLED;
        default:
            return CAUSE_UPDATED;
    }
}

// One body: mapping state, arena and result together.
class Work {
public:
    Work(const Webhook& webhook, json::Value root) : webhook_(webhook), root_(root) {}

    core::Result<MappedEvent> run() {
        switch (webhook_.topic) {
            case WebhookTopic::orders_create:
            case WebhookTopic::orders_updated:
            case WebhookTopic::orders_cancelled:
            case WebhookTopic::orders_paid:
            case WebhookTopic::orders_fulfilled:
            case WebhookTopic::orders_partially_fulfilled:
                return order_changed();
            case WebhookTopic::orders_edited:
                return order_edit_noticed();
            case WebhookTopic::orders_delete:
                return order_deleted();
            case WebhookTopic::orders_risk_assessment_changed:
                return order_risk_assessed();
            case WebhookTopic::refunds_create:
                return refund_recorded();
            case WebhookTopic::order_transactions_create:
                return transaction_recorded();
            case WebhookTopic::customers_data_request:
                return customer_data_requested();
            case WebhookTopic::customers_redact:
                return customer_redaction_requested();
            case WebhookTopic::shop_redact:
                return shop_redaction_requested();
            case WebhookTopic::app_uninstalled:
                return app_uninstalled();
            default:
                return core::fail(core::ErrorKind::bug, "topic_without_event", "this topic has no event");
        }
    }

private:
    template <typename Message>
    Message& make() {
        return *google::protobuf::Arena::CreateMessage<Message>(&arena_);
    }

    core::Result<MappedEvent> order_changed() {
        auto& message = make<OrderChanged>();
        auto& order = *message.mutable_order();
        Mapping mapping(webhook_.shop_currency, order.mutable_personal_data()->mutable_clear());
        order.set_shop(webhook_.shop.data(), webhook_.shop.size());
        map_order(mapping, order, root_);
        if (!mapping.failed()) {
            check_status_url(mapping);
        }
        if (mapping.failed()) {
            return std::unexpected(mapping.take_error());
        }
        MappedEvent event;
        event.topic = topics::orders;
        event.type = OrderChanged::descriptor()->full_name();
        event.key = key_of(webhook_.shop, order.order_id());
        event.subject = subject_of("order", order.order_id());
        event.observed = observed_at(webhook_);

        // The hash covers the content without cause and version. These follow as a second message behind the first: Protobuf
        // reads the two as one, and the order is serialized once.
        const auto updated_at = order.source_updated_at();
        order.clear_source_updated_at();
        message.SerializeToString(&event.value);
        const auto content = core::sha256(event.value);
        auto& rest = make<OrderChanged>();
        rest.set_cause(cause_of(webhook_.topic));
        *rest.mutable_order()->mutable_source_updated_at() = updated_at;
        set_time(rest.mutable_order()->mutable_observed_at(), event.observed.at);
        rest.mutable_order()->set_content_hash(content.data(), content.size());
        rest.AppendToString(&event.value);

        event.time = time_of(updated_at);
        event.id = event_id(webhook_, {.type = event.type,
                                       .cause = rest.cause(),
                                       .resource = order.order_id(),
                                       .source_updated_at_ns = core::nanos_since_epoch(event.time),
                                       .content = content});
        return fitting(mapping, std::move(event));
    }

    core::Result<MappedEvent> refund_recorded() {
        auto& message = make<RefundRecorded>();
        message.set_shop(webhook_.shop.data(), webhook_.shop.size());
        Mapping mapping(webhook_.shop_currency, message.mutable_personal_data()->mutable_clear());
        if (root_.is_object()) {
            mapping.use_currencies(webhook_.shop_currency, presentment_currency_of_refund());
        }
        map_refund(mapping, *message.mutable_refund(), root_, 0);
        if (mapping.failed()) {
            return std::unexpected(mapping.take_error());
        }
        const auto& refund = message.refund();
        return fitting(mapping, finish_event(webhook_, message,
                                             {.topic = topics::orders,
                                              .key = key_of(webhook_.shop, refund.order_id()),
                                              .subject = subject_of("refund", refund.refund_id()),
                                              .resource = refund.refund_id()}));
    }

    core::Result<MappedEvent> transaction_recorded() {
        auto& message = make<PaymentTransactionRecorded>();
        message.set_shop(webhook_.shop.data(), webhook_.shop.size());
        Mapping mapping(webhook_.shop_currency, nullptr);
        map_transaction(mapping, *message.mutable_transaction(), root_);
        if (!mapping.failed() && message.transaction().order_id() == 0) {
            mapping.missing(root_, "order_id");
        }
        if (mapping.failed()) {
            return std::unexpected(mapping.take_error());
        }
        const auto& transaction = message.transaction();
        return fitting(mapping, finish_event(webhook_, message,
                                             {.topic = topics::orders,
                                              .key = key_of(webhook_.shop, transaction.order_id()),
                                              .subject = subject_of("transaction", transaction.transaction_id()),
                                              .resource = transaction.transaction_id()}));
    }

    core::Result<MappedEvent> order_risk_assessed() {
        auto& message = make<OrderRiskAssessed>();
        message.set_shop(webhook_.shop.data(), webhook_.shop.size());
        using Part = Into<OrderRiskAssessed>;
        static const MemberTable<OrderRiskAssessed> kTable{
            "risk_assessment",
            {{"order_id", Part::id<&OrderRiskAssessed::set_order_id>},
             {"admin_graphql_api_order_id", Part::id<&OrderRiskAssessed::set_order_id>},
             {"provider_title", Part::text<&OrderRiskAssessed::mutable_provider>},
             {"created_at", Part::time<&OrderRiskAssessed::mutable_assessed_at>},
             {"risk_level",
              [](Mapping& m, OrderRiskAssessed& to, json::Value v) {
                  to.set_level(risk_level_from(m, v));
              }}},
            {"provider_id", "facts"}};
        Mapping mapping(webhook_.shop_currency, nullptr);
        kTable.map(mapping, message, root_);
        require(mapping, {{message.order_id() != 0, "order_id"}, {has("risk_level"), "risk_level"}});
        if (mapping.failed()) {
            return std::unexpected(mapping.take_error());
        }
        return fitting(mapping, finish_event(webhook_, message,
                                             {.topic = topics::orders,
                                              .key = key_of(webhook_.shop, message.order_id()),
                                              .subject = subject_of("order", message.order_id()),
                                              .resource = message.order_id()}));
    }

    static RiskLevel risk_level_from(Mapping& mapping, json::Value value) {
        const auto text = value.string();
        if (!text) {
            mapping.fail(text.error());
            return RISK_LEVEL_UNSPECIFIED;
        }
        std::string lower(*text);
        std::ranges::transform(lower, lower.begin(),
                               [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
        static constexpr std::pair<std::string_view, RiskLevel> kKnown[] = {
            {"none", RISK_LEVEL_NONE}, {"low", RISK_LEVEL_LOW},         {"medium", RISK_LEVEL_MEDIUM},
            {"high", RISK_LEVEL_HIGH}, {"pending", RISK_LEVEL_PENDING},
        };
        for (const auto& [name, level] : kKnown) {
            if (lower == name) {
                return level;
            }
        }
        mapping.unknown_member("risk_level", "new_value");
        return RISK_LEVEL_UNSPECIFIED;
    }

    core::Result<MappedEvent> order_deleted() {
        Mapping mapping(webhook_.shop_currency, nullptr);
        // Nearly every signed body has an id. Only one that has nothing else may say that an order is gone.
        if (!root_.is_object() || root_.size() != 1 || !root_.get_present("id")) {
            return std::unexpected(root_.malformed("delete_with_members", "the body of a deletion has `id` and nothing else"));
        }
        auto& message = make<OrderDeleted>();
        message.set_shop(webhook_.shop.data(), webhook_.shop.size());
        message.set_order_id(mapping.id(*root_.get_present("id")));
        message.set_confirmed(false);
        if (mapping.failed()) {
            return std::unexpected(mapping.take_error());
        }
        return fitting(mapping, finish_event(webhook_, message,
                                             {.topic = topics::orders,
                                              .key = key_of(webhook_.shop, message.order_id()),
                                              .subject = subject_of("order", message.order_id()),
                                              .resource = message.order_id()}));
    }

    core::Result<MappedEvent> order_edit_noticed() {
        Mapping mapping(webhook_.shop_currency, nullptr);
        auto& message = make<OrderEditNoticed>();
        message.set_shop(webhook_.shop.data(), webhook_.shop.size());
        const auto edit = root_.required("order_edit");
        if (!edit) {
            return std::unexpected(edit.error());
        }
        using Part = Into<OrderEditNoticed>;
        static const MemberTable<OrderEditNoticed> kTable{
            "order_edit",
            {{"id", Part::id<&OrderEditNoticed::set_order_edit_id>},
             {"order_id", Part::id<&OrderEditNoticed::set_order_id>},
             {"committed_at", Part::time<&OrderEditNoticed::mutable_committed_at>}},
            {"app_id", "created_at", "notify_customer", "staff_note", "user_id", "line_items", "discounts", "shipping_lines"}};
        kTable.map(mapping, message, *edit);
        if (!mapping.failed() && message.order_edit_id() == 0) {
            mapping.missing(*edit, "id");
        }
        if (!mapping.failed() && message.order_id() == 0) {
            mapping.missing(*edit, "order_id");
        }
        if (mapping.failed()) {
            return std::unexpected(mapping.take_error());
        }
        return fitting(mapping, finish_event(webhook_, message,
                                             {.topic = topics::orders,
                                              .key = key_of(webhook_.shop, message.order_id()),
                                              .subject = subject_of("order_edit", message.order_edit_id()),
                                              .resource = message.order_edit_id()}));
    }

    core::Result<MappedEvent> customer_data_requested() {
        using syncline::customers::v1::CustomerDataRequested;
        auto& message = make<CustomerDataRequested>();
        Mapping mapping(webhook_.shop_currency, nullptr);
        message.set_customer_id(customer_id(mapping));
        ids(mapping, "orders_requested", [&](std::int64_t id) { message.add_order_ids(id); });
        if (const auto request = root_.get_present("data_request"); request && !mapping.failed()) {
            if (const auto id = request->get_present("id")) {
                message.set_data_request_id(mapping.id(*id));
            }
        }
        if (!mapping.failed() && message.data_request_id() == 0) {
            mapping.missing(root_, "data_request");
        }
        return customer_event(mapping, message);
    }

    core::Result<MappedEvent> customer_redaction_requested() {
        using syncline::customers::v1::CustomerRedactionRequested;
        auto& message = make<CustomerRedactionRequested>();
        Mapping mapping(webhook_.shop_currency, nullptr);
        message.set_customer_id(customer_id(mapping));
        ids(mapping, "orders_to_redact", [&](std::int64_t id) { message.add_order_ids(id); });
        // A data_request has customer and shop as well; only a redaction has this list.
        require(mapping, {{has("orders_to_redact"), "orders_to_redact"}});
        return customer_event(mapping, message);
    }

    template <typename Message>
    core::Result<MappedEvent> customer_event(Mapping& mapping, Message& message) {
        message.set_shop(webhook_.shop.data(), webhook_.shop.size());
        require_shop(mapping, {"shop_domain"});
        if (mapping.failed()) {
            return std::unexpected(mapping.take_error());
        }
        return fitting(mapping, finish_event(webhook_, message,
                                             {.topic = topics::customers,
                                              .key = key_of(webhook_.shop, message.customer_id()),
                                              .subject = subject_of("customer", message.customer_id()),
                                              .resource = message.customer_id()}));
    }

    core::Result<MappedEvent> shop_redaction_requested() {
        // The requests for one customer name shop and id too; erasing a whole shop takes a body that says nothing else.
        if (root_.size() != 2) {
            return std::unexpected(root_.malformed(
                "redact_with_members", "the body of a shop's redaction has `shop_id` and `shop_domain`, nothing else"));
        }
        return shop_event(make<syncline::shops::v1::ShopRedactionRequested>(), "shop_id", {"shop_domain"});
    }

    core::Result<MappedEvent> app_uninstalled() {
        return shop_event(make<syncline::shops::v1::AppUninstalled>(), "id", {"myshopify_domain", "domain"});
    }

    template <typename Message>
    core::Result<MappedEvent> shop_event(Message& message, std::string_view id_member,
                                         std::initializer_list<std::string_view> domain_members) {
        Mapping mapping(webhook_.shop_currency, nullptr);
        message.set_shop(webhook_.shop.data(), webhook_.shop.size());
        require_shop(mapping, domain_members);
        if (const auto id = root_.get_present(id_member)) {
            message.set_shop_id(mapping.id(*id));
        } else {
            mapping.missing(root_, id_member);
        }
        if (mapping.failed()) {
            return std::unexpected(mapping.take_error());
        }
        return fitting(mapping, finish_event(webhook_, message,
                                             {.topic = topics::shops,
                                              .key = std::string(webhook_.shop),
                                              .subject = subject_of("shop", message.shop_id()),
                                              .resource = message.shop_id()}));
    }

    std::int64_t customer_id(Mapping& mapping) {
        const auto customer = root_.get_present("customer");
        const auto id = customer ? customer->get_present("id") : std::nullopt;
        if (!id) {
            mapping.missing(customer ? *customer : root_, customer ? "id" : "customer");
            return 0;
        }
        return mapping.id(*id);
    }

    template <typename Add>
    void ids(Mapping& mapping, std::string_view member, Add&& add) {
        if (const auto list = root_.get_present(member); list && !mapping.failed()) {
            mapping.each(*list, [&](json::Value element) { add(mapping.id(element)); });
        }
    }

    [[nodiscard]] bool has(std::string_view member) const { return root_.get_present(member).has_value(); }

    void require(Mapping& mapping, std::initializer_list<std::pair<bool, std::string_view>> members) const {
        for (const auto& [there, name] : members) {
            if (!there && !mapping.failed()) {
                mapping.missing(root_, name);
            }
        }
    }

    // The header is not signed; the body is, so the body has to name the shop. The first member that is there counts.
    void require_shop(Mapping& mapping, std::initializer_list<std::string_view> members) const {
        if (mapping.failed()) {
            return;
        }
        for (const auto member : members) {
            const auto value = root_.get_present(member);
            if (!value) {
                continue;
            }
            const auto domain = value->string();
            if (!domain || !same_domain(*domain, webhook_.shop_domain)) {
                mapping.fail(*value, "shop_mismatch", "is not the shop of the header");
            }
            return;
        }
        mapping.missing(root_, *members.begin());
    }

    // An order names its shop only in the address of its status page, and only where the shop has no domain of its own.
    void check_status_url(Mapping& mapping) const {
        const auto value = root_.get_present("order_status_url");
        const auto url = value && value->is_string() ? value->string() : core::Result<std::string_view>{};
        if (!url || url->empty() || webhook_.other_shop_domains.empty()) {
            return;
        }
        auto host = *url;
        host.remove_prefix(std::min(host.size(), host.find("//") == std::string_view::npos ? 0 : host.find("//") + 2));
        host = host.substr(0, host.find('/'));
        if (same_domain(host, webhook_.shop_domain)) {
            return;
        }
        for (const auto& other : webhook_.other_shop_domains) {
            if (same_domain(host, other)) {
                mapping.fail(*value, "shop_mismatch", "is another shop's than the header's");
                return;
            }
        }
    }

    static bool same_domain(std::string_view a, std::string_view b) {
        return std::ranges::equal(a, b, [](char x, char y) {
            const auto lower = [](char c) {
                return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
            };
            return lower(x) == lower(y);
        });
    }

    // A refund names the customer's currency only in its amounts.
    [[nodiscard]] std::string_view presentment_currency_of_refund() const {
        const auto currency_in = [](std::optional<json::Value> set) -> std::string_view {
            for (const auto* name : {"presentment_money", "shop_money"}) {
                const auto money = set ? set->get_present(name) : std::nullopt;
                const auto code = money ? money->get_present("currency_code") : std::nullopt;
                if (code && code->is_string()) {
                    return *code->string();
                }
            }
            return {};
        };
        if (const auto lines = root_.get_present("refund_line_items")) {
            for (const auto line : lines->elements()) {
                if (const auto code = currency_in(line.get_present("subtotal_set")); !code.empty()) {
                    return code;
                }
            }
        }
        return currency_in(root_.get_present("total_duties_set"));
    }

    const Webhook& webhook_;
    json::Value root_;
    std::array<char, 32UL * 1024> first_block_;  // Orders of the usual size need no further memory.
    google::protobuf::Arena arena_{first_block_.data(), first_block_.size()};
};

}  // namespace

core::Result<MappedEvent> fitting(Mapping& mapping, MappedEvent event) {
    event.unknown_members = mapping.take_unknown_members();
    const auto* topic = topics::find(event.topic);
    // Key and headers travel in the record too.
    constexpr std::size_t kRecordOverheadMax = 4096;
    if (event.value.size() + kRecordOverheadMax > static_cast<std::size_t>(topic->max_message_bytes)) {
        return core::fail(core::ErrorKind::malformed, "event_too_large", "the event would not fit its topic");
    }
    return event;
}

core::Result<MappedEvent> map_webhook(const Webhook& webhook, json::Value root) {
    switch (family_of(webhook.topic)) {
        case TopicFamily::inventory:
            return map_inventory(webhook, root);
        case TopicFamily::fulfillments:
            return map_fulfillments(webhook, root);
        default:
            return Work(webhook, root).run();
    }
}

}  // namespace ingress
