#include "syncline/shopify/orders.h"

#include <fmt/format.h>
#include <syncline/core/time.h>
#include <syncline/json/writer.h>
#include <syncline/shopify/gid.h>
#include <syncline/shopify/pages.h>
#include <algorithm>
#include <utility>

namespace syncline::shopify {
namespace {

using core::ErrorKind;

constexpr int kOrderAttempts = 3;

std::string order_id_json(core::OrderId id) {
    return fmt::format(R"({{"id":"{}"}})", gid("Order", id.value()));
}

core::Result<core::SystemTime> time_of(const json::Value& node, std::string_view member) {
    const auto text = node.string_of(member);
    return text ? core::parse_rfc3339(*text) : core::Result<core::SystemTime>(std::unexpected(text.error()));
}

// A mutation about one order. Shopify says "invalid" where the order does not exist, and names the member that holds its id.
core::Result<void> change_order(Admin& admin, const Operation& operation, json::Writer&& variables, std::string_view id_member,
                                Priority priority, const core::Deadline& deadline) {
    auto reply = admin.call_with_user_errors(operation, {.json = std::move(variables).take()}, priority, deadline);
    if (!reply) {
        return std::unexpected(std::move(reply.error()));
    }
    const auto& errors = reply->user_errors();
    if (errors.empty()) {
        return {};
    }
    if (std::ranges::any_of(errors,
                            [&](const UserError& error) { return !error.field.empty() && error.field.back() == id_member; })) {
        return core::fail(ErrorKind::rejected, "order_not_found", "the order does not exist in Shopify");
    }
    return std::unexpected(error_of(errors));
}

core::Result<void> change_tags(Admin& admin, const Operation& operation, core::OrderId id, std::span<const std::string> tags,
                               Priority priority, const core::Deadline& deadline) {
    if (tags.empty()) {
        return {};
    }
    json::Writer out;
    out.begin_object().member("id", gid("Order", id.value())).key("tags").begin_array();
    for (const auto& tag : tags) {
        out.string(tag);
    }
    out.end_array().end_object();
    return change_order(admin, operation, std::move(out), "id", priority, deadline);
}

}  // namespace

core::Result<OrdersPage> orders_updated(Admin& admin, core::SystemTime from, core::SystemTime to,
                                        const std::optional<std::string>& after, Priority priority,
                                        const core::Deadline& deadline) {
    const core::SystemTime first = std::chrono::floor<std::chrono::seconds>(from);
    const core::SystemTime last = std::chrono::ceil<std::chrono::seconds>(to);
    json::Writer out;
    out.begin_object()
        .member("query", fmt::format("updated_at:>='{}' AND updated_at:<'{}'", core::format_rfc3339_utc(first),
                                     core::format_rfc3339_utc(last)))
        .key("after");
    if (after) {
        out.string(*after);
    } else {
        out.null();
    }
    out.end_object();
    auto reply = admin.call(kOrdersUpdated, {.json = std::move(out).take()}, priority, deadline);
    if (!reply) {
        return std::unexpected(std::move(reply.error()));
    }
    auto page = page_of(*reply, "orders");
    if (!page) {
        return std::unexpected(std::move(page.error()));
    }
    if (page->next && after && *page->next == *after) {
        return core::fail(ErrorKind::conflict, "cursor_stuck", "OrdersUpdated gives the same page again");
    }
    OrdersPage read{.orders = {}, .next = std::move(page->next)};
    for (const auto node : page->nodes.elements()) {
        const auto id = node.string_of("id");
        const auto number = id ? id_of(*id, "Order") : core::Result<std::uint64_t>(std::unexpected(id.error()));
        const auto created = time_of(node, "createdAt");
        const auto updated = time_of(node, "updatedAt");
        if (!number || !created || !updated) {
            return std::unexpected(node.malformed("order_malformed", "is no order"));
        }
        const auto name = node.string_of("name");
        read.orders.push_back({.id = core::OrderId(*number),
                               .name = std::string(name ? *name : std::string_view()),
                               .created_at = *created,
                               .updated_at = *updated});
    }
    return read;
}

core::Result<std::optional<FetchedOrder>> order(Admin& admin, core::OrderId id, Priority priority,
                                                const core::Deadline& deadline) {
    for (int attempt = 0; attempt < kOrderAttempts; ++attempt) {
        auto reply = admin.call(kOrder, {.json = order_id_json(id)}, priority, deadline);
        if (!reply) {
            return std::unexpected(std::move(reply.error()));
        }
        const auto found = reply->data().get_present("order");
        if (!found) {
            return std::optional<FetchedOrder>();
        }
        auto whole = complete(admin, *found, priority, deadline);
        if (!whole) {
            if (whole.error().code == "node_vanished") {
                continue;
            }
            return std::unexpected(std::move(whole.error()));
        }
        FetchedOrder fetched{.document = std::move(whole->document), .observed_at = reply->sent_at()};
        if (whole->further_calls == 0) {
            return std::optional(std::move(fetched));
        }
        // Pages that were read one after the other are one state only if nothing changed meanwhile.
        auto version = admin.call(kOrderVersion, {.json = order_id_json(id)}, priority, deadline);
        if (!version) {
            return std::unexpected(std::move(version.error()));
        }
        const auto now = version->data().get_present("order");
        const auto before = found->string_of("updatedAt");
        const auto after = now ? now->string_of("updatedAt") : core::Result<std::string_view>(std::string_view());
        if (before && after && *before == *after) {
            return std::optional(std::move(fetched));
        }
    }
    return core::fail(ErrorKind::conflict, "order_moving", "the order changes while it is read");
}

core::Result<bool> reads_all_orders(Admin& admin, const core::Deadline& deadline) {
    auto reply = admin.call(kAccessScopes, {}, Priority::rest, deadline);
    if (!reply) {
        return std::unexpected(std::move(reply.error()));
    }
    const auto installation = reply->data().required("currentAppInstallation");
    const auto scopes = installation ? installation->required("accessScopes") : installation;
    if (!scopes) {
        return std::unexpected(scopes.error());
    }
    for (const auto scope : scopes->elements()) {
        const auto handle = scope.string_of("handle");
        if (handle && *handle == "read_all_orders") {
            return true;
        }
    }
    return false;
}

core::Result<void> set_order_metafields(Admin& admin, core::OrderId id, std::span<const Metafield> metafields, Priority priority,
                                        const core::Deadline& deadline) {
    if (metafields.empty()) {
        return {};
    }
    if (metafields.size() > kMetafieldsMax) {
        return core::fail(ErrorKind::bug, "too_many_metafields", fmt::format("{} metafields in one call", metafields.size()));
    }
    json::Writer out;
    out.begin_object().key("metafields").begin_array();
    for (const auto& metafield : metafields) {
        out.begin_object()
            .member("ownerId", gid("Order", id.value()))
            .member("namespace", metafield.name_space)
            .member("key", metafield.key)
            .member("type", metafield.type)
            .member("value", metafield.value)
            .end_object();
    }
    out.end_array().end_object();
    return change_order(admin, kSetMetafields, std::move(out), "ownerId", priority, deadline);
}

core::Result<void> add_tags(Admin& admin, core::OrderId id, std::span<const std::string> tags, Priority priority,
                            const core::Deadline& deadline) {
    return change_tags(admin, kAddTags, id, tags, priority, deadline);
}

core::Result<void> remove_tags(Admin& admin, core::OrderId id, std::span<const std::string> tags, Priority priority,
                               const core::Deadline& deadline) {
    return change_tags(admin, kRemoveTags, id, tags, priority, deadline);
}

}  // namespace syncline::shopify
