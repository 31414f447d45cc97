#include "adapters/admin_routes.h"

#include <syncline/core/parse.h>
#include <syncline/json/writer.h>

namespace order_status {
namespace {

namespace json = syncline::json;

std::string as_json(const OrderStatus& order, bool away) {
    json::Writer out;
    out.begin_object().member("shop", order.key.shop.value()).member("order_id", order.key.id.text());
    out.member("revision", order.revision).member("shop_away", away).key("tags").begin_array();
    for (const auto& tag : order.tags) {
        out.string(tag);
    }
    out.end_array().key("connections").begin_array();
    for (const auto& [name, status] : order.connections) {
        out.begin_object().member("connection", name).member("state", state_of(status));
        out.member("document", status.document.name).member("reference", status.document.reference);
        out.member("reason", status.order.reason).key("others").begin_array();
        for (const auto& [subject, stand] : status.others) {
            out.begin_object().member("subject", subject).member("state", to_string(stand.standing));
            out.member("reason", stand.reason).end_object();
        }
        out.end_array().key("shown").begin_object();
        for (const auto& [field, value] : status.shown) {
            out.member(metafield_key(name, field), value);
        }
        out.end_object().end_object();
    }
    out.end_array().end_object();
    return std::move(out).take();
}

}  // namespace

void add_admin_routes(kit::AdminRouter& router, StatusStore& store, const ShopCircuits& circuits) {
    router.route("GET", "/admin/orders/{shop}/{id}", "What Shopify shows of one order, and why.",
                 [&store, &circuits](const kit::AdminRequest& request) {
                     const auto shop = core::parse_shop_alias(request.path_value("shop"));
                     const auto id = core::parse_int<std::uint64_t>(request.path_value("id"));
                     if (!shop || !id) {
                         return kit::AdminReply::problem(400, "bad_order", "the path is /admin/orders/<shop>/<order id>");
                     }
                     const auto order = store.find({.shop = *shop, .id = core::OrderId(*id)});
                     if (!order) {
                         return kit::AdminReply::problem(order.error());
                     }
                     if (order->connections.empty()) {
                         return kit::AdminReply::problem(404, "order_unknown", "no connection has said anything about the order");
                     }
                     return kit::AdminReply::json(as_json(*order, circuits.open(shop->value())));
                 });
}

}  // namespace order_status
