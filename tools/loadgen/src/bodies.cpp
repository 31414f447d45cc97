#include "src/bodies.h"

#include <syncline/json/writer.h>

#include "src/body_writer.h"

namespace loadgen {

using syncline::json::Writer;

std::string order_body(const Order& order) {
    return BodyWriter(order).order();
}
std::string refund_body(const Order& order, const Refund& refund) {
    return BodyWriter(order).refund(refund);
}
std::string transaction_body(const Order& order, const Transaction& transaction) {
    return BodyWriter(order).transaction(transaction);
}

std::string risk_body(const Order& order, std::string_view level, SystemTime at) {
    Writer out;
    out.begin_object().key("provider_id").null().key("provider_title").null().member("risk_level", level);
    out.member("created_at", local_time(order.shop, at)).member("order_id", order.id);
    out.member("admin_graphql_api_order_id", gid("Order", order.id)).end_object();
    return std::move(out).take();
}

std::string edit_body(const Order& order, std::uint64_t edit_id, EditedUnits added, EditedUnits removed, SystemTime at) {
    const auto units = [](Writer& out, std::string_view name, const EditedUnits& edited) {
        out.key(name)
            .begin_array()
            .begin_object()
            .member("id", edited.line_id)
            .member("delta", edited.units)
            .end_object()
            .end_array();
    };
    const auto none = [](Writer& out) {
        out.key("additions").begin_array().end_array().key("removals").begin_array().end_array();
    };
    Writer out;
    out.begin_object().key("order_edit").begin_object().member("id", edit_id).key("app_id").null();
    out.member("created_at", local_time(order.shop, at))
        .member("committed_at", local_time(order.shop, at))
        .member("notify_customer", false);
    out.member("order_id", order.id).member("staff_note", "").key("user_id").null().key("line_items").begin_object();
    units(out, "additions", added);
    units(out, "removals", removed);
    out.end_object().key("discounts").begin_object().key("line_item").begin_object();
    none(out);
    out.end_object().end_object().key("shipping_lines").begin_object();
    none(out);
    out.end_object().end_object().end_object();
    return std::move(out).take();
}

std::string delete_body(const Order& order) {
    Writer out;
    out.begin_object().member("id", order.id).end_object();
    return std::move(out).take();
}

}  // namespace loadgen
