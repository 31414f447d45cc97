#include "adapters/shopify/map_fulfillments.h"

#include <google/protobuf/timestamp.pb.h>

#include <syncline/common/v1/money.pb.h>
#include <syncline/fulfillments/v1/events.pb.h>
#include <syncline/topics.h>
#include <algorithm>
#include <array>
#include <utility>
#include <vector>

#include "adapters/shopify/finish_event.h"

namespace ingress {

namespace json = syncline::json;
namespace core = syncline::core;
namespace topics = syncline::topics;
using namespace syncline::fulfillments::v1;

namespace {

// "moved" of "fulfillment_orders/moved".
std::string_view what_of(WebhookTopic topic) {
    const auto name = to_string(topic);
    return name.substr(name.find('/') + 1);
}

// The order's key, so that its events come in one row; where the body does not tell the order, the resource's own.
std::string key_of_order_or(std::string_view shop, std::int64_t order_id, std::string_view kind, std::int64_t id) {
    return order_id != 0 ? key_of(shop, order_id) : std::string(shop) + '/' + std::string(kind) + '/' + std::to_string(id);
}

void map_line(Mapping& mapping, FulfilledLine& to, json::Value from) {
    // The element repeats the whole line of the order; these four say what left.
    using Part = Into<FulfilledLine>;
    static const MemberTable<FulfilledLine> kTable{"fulfillment_line",
                                                   {{"id", Part::id<&FulfilledLine::set_line_item_id>},
                                                    {"variant_id", Part::id<&FulfilledLine::set_variant_id>},
                                                    {"sku", Part::text<&FulfilledLine::mutable_sku>},
                                                    {"quantity", Part::decimal<&FulfilledLine::mutable_quantity>}},
                                                   {"title",
                                                    "variant_title",
                                                    "vendor",
                                                    "fulfillment_service",
                                                    "product_id",
                                                    "requires_shipping",
                                                    "taxable",
                                                    "gift_card",
                                                    "name",
                                                    "variant_inventory_management",
                                                    "properties",
                                                    "product_exists",
                                                    "fulfillable_quantity",
                                                    "grams",
                                                    "price",
                                                    "total_discount",
                                                    "fulfillment_status",
                                                    "price_set",
                                                    "total_discount_set",
                                                    "discount_allocations",
                                                    "duties",
                                                    "admin_graphql_api_id",
                                                    "tax_lines",
                                                    "current_quantity",
                                                    "attributed_staffs",
                                                    "sales_line_item_group_id",
                                                    "fulfillment_line_item_id",
                                                    "origin_location"}};
    kTable.map(mapping, to, from);
    if (!mapping.failed() && to.line_item_id() == 0) {
        mapping.missing(from, "id");
    }
    if (!mapping.failed() && !to.has_quantity()) {
        mapping.missing(from, "quantity");
    }
}

core::Result<MappedEvent> fulfillment(const Webhook& webhook, json::Value root) {
    using Part = Into<FulfillmentChanged>;
    static const MemberTable<FulfillmentChanged> kTable{
        "fulfillment",
        {{"id", Part::id<&FulfillmentChanged::set_fulfillment_id>},
         {"order_id", Part::id<&FulfillmentChanged::set_order_id>},
         {"location_id", Part::id<&FulfillmentChanged::set_location_id>},
         {"status", Part::text<&FulfillmentChanged::mutable_status>},
         {"created_at", Part::time<&FulfillmentChanged::mutable_created_at>},
         {"updated_at", Part::time<&FulfillmentChanged::mutable_source_updated_at>},
         {"line_items",
          Part::list<static_cast<FulfilledLine* (FulfillmentChanged::*)()>(&FulfillmentChanged::add_lines), map_line>},
         {"admin_graphql_api_id",
          [](Mapping& m, FulfillmentChanged&, json::Value v) {
              m.resource(v, "Fulfillment");
          }}},
        {"service", "tracking_company", "shipment_status", "origin_address", "email", "destination", "tracking_number",
         "tracking_numbers", "tracking_url", "tracking_urls", "receipt", "name", "notify_customer", "v2"}};
    Mapping mapping(webhook.shop_currency, nullptr);
    FulfillmentChanged message;
    message.set_shop(webhook.shop.data(), webhook.shop.size());
    kTable.map(mapping, message, root);
    for (const auto& [there, name] :
         {std::pair{message.fulfillment_id() != 0, "id"}, std::pair{message.order_id() != 0, "order_id"},
          std::pair{!message.status().empty(), "status"}, std::pair{message.has_source_updated_at(), "updated_at"},
          std::pair{root.get_present("line_items").has_value(), "line_items"}}) {
        if (!there && !mapping.failed()) {
            mapping.missing(root, name);
        }
    }
    if (mapping.failed()) {
        return std::unexpected(mapping.take_error());
    }
    auto event = finish_event(webhook, message,
                              {.topic = topics::fulfillments,
                               .key = key_of(webhook.shop, message.order_id()),
                               .subject = subject_of("fulfillment", message.fulfillment_id()),
                               .resource = message.fulfillment_id()});
    event.time = time_of(message.source_updated_at());
    return fitting(mapping, std::move(event));
}

// What a body says of one fulfillment order.
struct OrderPart {
    std::int64_t id = 0;
    std::int64_t order_id = 0;
    std::int64_t location_id = 0;
    std::string status;
};

// Shopify writes "no location" as null, 0 or a gid that ends in /0.
std::int64_t id_or_none(Mapping& mapping, json::Value value) {
    const auto text = value.is_string() ? value.string() : value.number_text();
    return text && (*text == "0" || text->ends_with("/0")) ? 0 : mapping.id(value);
}

void map_part(Mapping& mapping, OrderPart& to, json::Value from) {
    static const MemberTable<OrderPart> kTable{
        "fulfillment_order",
        {{"id",
          [](Mapping& m, OrderPart& part, json::Value v) {
              part.id = m.id(v);
              if (v.is_string() && v.string()->starts_with("gid:")) {
                  m.resource(v, "FulfillmentOrder");
              }
          }},
         {"order_id",
          [](Mapping& m, OrderPart& part, json::Value v) {
              part.order_id = id_or_none(m, v);
          }},
         {"assigned_location_id",
          [](Mapping& m, OrderPart& part, json::Value v) {
              part.location_id = id_or_none(m, v);
          }},
         {"status",
          [](Mapping& m, OrderPart& part, json::Value v) {
              m.text(v, &part.status);
          }}},
        {"admin_graphql_api_id", "request_status", "fulfillment_holds", "preparable", "delivery_method", "fulfill_at",
         "fulfill_by", "shop_id", "assigned_location", "destination", "line_items", "international_duties", "created_at",
         "updated_at", "supported_actions", "merchant_requests", "delivery_category"}};
    kTable.map(mapping, to, from);
    if (!mapping.failed() && to.id == 0) {
        mapping.missing(from, "id");
    }
}

struct OrderNotice {
    // The one the notice is about comes first: of a move it is the order that now holds the lines.
    enum Role : std::uint8_t { moved, submitted, fulfillment_order, merged, original, remaining, replacement, count };
    std::array<OrderPart, count> parts;
    std::vector<std::int64_t> further;  // Fulfillment orders that are named by their id alone.
    std::int64_t order_id = 0;
    std::int64_t destination_location_id = 0;
};

template <OrderNotice::Role role>
void part(Mapping& mapping, OrderNotice& notice, json::Value value) {
    map_part(mapping, notice.parts[role], value);
}

void merge_intents(Mapping& mapping, OrderNotice& notice, json::Value value) {
    mapping.each(value, [&](json::Value intent) {
        if (const auto id = intent.get_present("fulfillment_order_id")) {
            notice.further.push_back(mapping.id(*id));
        } else {
            mapping.missing(intent, "fulfillment_order_id");
        }
    });
}

// One object, or a list of them.
void merges(Mapping& mapping, OrderNotice& notice, json::Value value) {
    const auto one = [&](json::Value merge) {
        const auto order = merge.required("fulfillment_order");
        if (!order) {
            mapping.fail(order.error());
            return;
        }
        OrderPart found;
        map_part(mapping, found, *order);
        auto& merged = notice.parts[OrderNotice::merged];
        if (merged.id == 0) {
            merged = std::move(found);
        } else {
            notice.further.push_back(found.id);
        }
    };
    if (value.is_array()) {
        mapping.each(value, one);
    } else {
        one(value);
    }
}

core::Result<MappedEvent> fulfillment_order(const Webhook& webhook, json::Value root) {
    using Notice = OrderNotice;
    static const MemberTable<OrderNotice> kTable{
        "fulfillment_order_notice",
        {{"fulfillment_order", part<Notice::fulfillment_order>},
         {"original_fulfillment_order", part<Notice::original>},
         {"moved_fulfillment_order", part<Notice::moved>},
         {"submitted_fulfillment_order", part<Notice::submitted>},
         {"remaining_fulfillment_order", part<Notice::remaining>},
         {"replacement_fulfillment_order", part<Notice::replacement>},
         {"fulfillment_order_merges", merges},
         {"merge_intents", merge_intents},
         {"order_id",
          [](Mapping& m, OrderNotice& notice, json::Value v) {
              notice.order_id = id_or_none(m, v);
          }},
         {"destination_location_id",
          [](Mapping& m, OrderNotice& notice, json::Value v) {
              notice.destination_location_id = id_or_none(m, v);
          }}},
        {"fulfillment_order_merchant_request", "message", "source_location", "fulfillment_order_line_items_requested",
         "held_fulfillment_order_line_items", "created_fulfillment_hold", "split_line_items", "progress_report", "initial_status",
         "progress_stopped_by_app", "progress_stopped_by_user"}};
    Mapping mapping(webhook.shop_currency, nullptr);
    OrderNotice notice;
    kTable.map(mapping, notice, root);
    const auto about = std::ranges::find_if(notice.parts, [](const OrderPart& p) { return p.id != 0; });
    if (!mapping.failed() && about == notice.parts.end()) {
        mapping.missing(root, "fulfillment_order");
    }
    if (mapping.failed()) {
        return std::unexpected(mapping.take_error());
    }
    FulfillmentOrderNoticed message;
    message.set_shop(webhook.shop.data(), webhook.shop.size());
    message.set_fulfillment_order_id(about->id);
    message.set_order_id(about->order_id != 0 ? about->order_id : notice.order_id);
    const auto what = what_of(webhook.topic);
    message.set_what(what.data(), what.size());
    message.set_status(about->status);
    message.set_assigned_location_id(about->location_id != 0 ? about->location_id : notice.destination_location_id);
    std::vector<std::int64_t> related;
    for (const auto& other : notice.parts) {
        related.push_back(other.id);
    }
    related.insert(related.end(), notice.further.begin(), notice.further.end());
    std::ranges::sort(related);
    for (const auto id : related) {
        const bool known =
            message.related_fulfillment_order_ids_size() > 0 && *message.related_fulfillment_order_ids().rbegin() == id;
        if (id != 0 && id != about->id && !known) {
            message.add_related_fulfillment_order_ids(id);
        }
    }
    return fitting(mapping,
                   finish_event(webhook, message,
                                {.topic = topics::fulfillments,
                                 .key = key_of_order_or(webhook.shop, message.order_id(), "fulfillment-order", about->id),
                                 .subject = subject_of("fulfillment_order", about->id),
                                 .resource = about->id}));
}

// The id comes as a number and as a gid, in either order.
void take_return_id(Mapping& mapping, ReturnNoticed& to, json::Value value) {
    const auto id = mapping.failed() ? 0 : mapping.id(value);
    if (to.return_id() != 0 && to.return_id() != id) {
        mapping.fail(value, "not_this_resource", "is the id of another return");
    }
    to.set_return_id(id);
}

core::Result<MappedEvent> return_noticed(const Webhook& webhook, json::Value root) {
    using Part = Into<ReturnNoticed>;
    static const MemberTable<ReturnNoticed> kTable{
        "return",
        {{"id", take_return_id},
         {"admin_graphql_api_id",
          [](Mapping& m, ReturnNoticed& to, json::Value v) {
              m.resource(v, "Return");
              take_return_id(m, to, v);
          }},
         {"order_id", Part::id<&ReturnNoticed::set_order_id>},
         {"order",
          [](Mapping& m, ReturnNoticed& to, json::Value v) {
              if (const auto id = v.get_present("id")) {
                  to.set_order_id(m.id(*id));
              } else if (const auto gid = v.get_present("admin_graphql_api_id")) {
                  m.resource(*gid, "Order");
                  to.set_order_id(m.failed() ? 0 : m.id(*gid));
              }
          }},
         {"status", Part::text<&ReturnNoticed::mutable_status>}},
        {"name", "total_return_line_items", "return_line_items", "return_shipping_fees", "exchange_line_items",
         "total_exchange_line_items", "decline", "restocking_fees", "created_at", "updated_at", "processed_at",
         "reverse_fulfillment_orders", "refunds", "return_line_items_processed"}};
    Mapping mapping(webhook.shop_currency, nullptr);
    ReturnNoticed message;
    message.set_shop(webhook.shop.data(), webhook.shop.size());
    kTable.map(mapping, message, root);
    // Orders, refunds and others have an id, an order and a status as well: the gid alone says that this is a return.
    if (!mapping.failed() && !root.get_present("admin_graphql_api_id")) {
        mapping.missing(root, "admin_graphql_api_id");
    }
    if (mapping.failed()) {
        return std::unexpected(mapping.take_error());
    }
    const auto what = what_of(webhook.topic);
    message.set_what(what.data(), what.size());
    const auto id = message.return_id();
    return fitting(mapping, finish_event(webhook, message,
                                         {.topic = topics::fulfillments,
                                          .key = key_of_order_or(webhook.shop, message.order_id(), "return", id),
                                          .subject = subject_of("return", id),
                                          .resource = id}));
}

}  // namespace

core::Result<MappedEvent> map_fulfillments(const Webhook& webhook, json::Value root) {
    if (webhook.topic <= WebhookTopic::fulfillments_update) {
        return fulfillment(webhook, root);
    }
    return webhook.topic <= WebhookTopic::fulfillment_orders_split ? fulfillment_order(webhook, root)
                                                                   : return_noticed(webhook, root);
}

}  // namespace ingress
