#include "adapters/shopify/deny_list.h"

#include <syncline/json/writer.h>
#include <algorithm>
#include <array>

namespace ingress {
namespace {

constexpr std::array<std::string_view, 29> kDenied{
    "accept_language",
    "authorization",
    "authorization_expires_at",
    "browser_height",
    "browser_ip",
    "browser_width",
    "cart_token",
    "checkout_id",
    "checkout_token",
    "client_details",
    "credit_card",
    "device_id",
    "extended_authorization_attributes",
    "ip_address",
    "landing_site",
    "landing_site_ref",
    "latitude",
    "longitude",
    "multipass_identifier",
    "order_status_url",
    "payment_details",
    "payments_refund_attributes",
    "receipt",
    "receipt_json",
    "referring_site",
    "session_hash",
    "source_url",
    "token",
    "user_agent",
};
static_assert(std::ranges::is_sorted(kDenied));

void copy(syncline::json::Writer& to, syncline::json::Value from) {
    if (from.is_object()) {
        to.begin_object();
        for (const auto member : from.members()) {
            if (!denied_member(member.name)) {
                copy(to.key(member.name), member.value);
            }
        }
        to.end_object();
    } else if (from.is_array()) {
        to.begin_array();
        for (const auto element : from.elements()) {
            copy(to, element);
        }
        to.end_array();
    } else {
        to.value(from);
    }
}

}  // namespace

bool denied_member(std::string_view name) noexcept {
    return std::ranges::binary_search(kDenied, name) || name.ends_with("_token") || name.ends_with("_ip") ||
           name.starts_with("credit_card_");
}

std::string without_denied_members(syncline::json::Value root) {
    syncline::json::Writer writer;
    copy(writer, root);
    return std::move(writer).take();
}

}  // namespace ingress
