#include "adapters/admin_routes.h"

#include <syncline/core/parse.h>
#include <syncline/core/time.h>
#include <syncline/json/document.h>
#include <syncline/json/writer.h>
#include <limits>

namespace inventory_sync {
namespace {

namespace json = syncline::json;
using syncline::kit::AdminReply;
using syncline::kit::AdminRequest;

constexpr std::int64_t kPageDefault = 1'000;
constexpr std::int64_t kPageMax = 2'000;

// Why an operator's verb is not run.
core::Result<std::string> reason_in(const json::Value& body) {
    const auto reason = body.string_of("reason");
    if (!reason || reason->empty()) {
        return core::fail(core::ErrorKind::rejected, "reason_missing", "say why: reason is part of the record");
    }
    return std::string(*reason);
}

core::Result<std::string> shop_in(const json::Value& body, const RulesSource& rules) {
    const auto shop = body.string_of("shop");
    const auto current = rules().rules;
    if (!shop || !current || current->shop(*shop) == nullptr) {
        return core::fail(core::ErrorKind::rejected, "shop_unknown", "shop must be an alias that the mapping names");
    }
    return std::string(*shop);
}

AdminReply counted(core::Result<std::int64_t> pairs) {
    if (!pairs) {
        return AdminReply::problem(pairs.error());
    }
    json::Writer out;
    out.begin_object().member("pairs", *pairs).end_object();
    return AdminReply::json(std::move(out).take());
}

// A whole number of the query; `otherwise` if it is absent.
core::Result<std::int64_t> number_in(const AdminRequest& request, const std::string& name, std::int64_t otherwise,
                                     std::int64_t least, std::int64_t most) {
    const auto text = request.query_value(name);
    if (text.empty()) {
        return otherwise;
    }
    const auto number = core::parse_int<std::int64_t>(text);
    if (!number || *number < least || *number > most) {
        return core::fail(core::ErrorKind::malformed, "bad_" + name,
                          name + " must be a whole number from " + std::to_string(least) + " to " + std::to_string(most));
    }
    return *number;
}

core::Result<StatePage> page_in(const AdminRequest& request) {
    const auto location = number_in(request, "location", 0, 1, std::numeric_limits<std::int64_t>::max());
    const auto limit = number_in(request, "limit", kPageDefault, 1, kPageMax);
    if (!location || !limit) {
        return std::unexpected(!location ? location.error() : limit.error());
    }
    StatePage page{.shop = request.path_value("shop"), .location = *location, .limit = static_cast<std::size_t>(*limit)};
    if (const auto after = request.query_value("after"); !after.empty()) {
        const auto slash = after.find('/');
        const auto item = core::parse_int<std::int64_t>(after.substr(0, slash));
        const auto at = core::parse_int<std::int64_t>(slash == std::string::npos ? std::string{} : after.substr(slash + 1));
        if (!item || !at) {
            return core::fail(core::ErrorKind::malformed, "bad_cursor", "after must be the next of the page before");
        }
        page.after = {.item = *item, .location = *at};
    }
    return page;
}

}  // namespace

void add_admin_routes(syncline::kit::AdminRouter& router, PgChores& chores, PgOwnState& own_state, RulesSource rules) {
    router.route(
        "GET", "/admin/stock/state/{shop}",
        "What is held true of all pairs of a shop, page by page: target, what is believed to be shown, why they differ, what "
        "the sources say. Query: location, after, limit.",
        [&own_state, rules](const AdminRequest& request) {
            const auto page = page_in(request);
            const auto current = rules().rules;
            if (!page || !current) {
                return page ? AdminReply::problem(503, "mapping_not_read", "the mapping was not read yet")
                            : AdminReply::problem(400, page.error().code, page.error().message);
            }
            const auto text = own_state.page(*page, *current);
            return text ? AdminReply::json(*text) : AdminReply::problem(text.error());
        });
    router.route("GET", "/admin/stock/backfill/{shop}", "How far a backfill of the shop is. Query: location.",
                 [&chores](const AdminRequest& request) {
                     const auto location = number_in(request, "location", 0, 1, std::numeric_limits<std::int64_t>::max());
                     if (!location) {
                         return AdminReply::problem(400, location.error().code, location.error().message);
                     }
                     const auto text = chores.backfill_state(request.path_value("shop"), *location);
                     return text ? AdminReply::json(*text) : AdminReply::problem(text.error());
                 });
    router.route("GET", "/admin/stock/pairs/{shop}/{sku...}", "What is known of one SKU in a shop, and what its sources said.",
                 [&chores](const AdminRequest& request) {
                     const auto state = chores.pair_state(request.path_value("shop"), request.path_value("sku"));
                     return state ? AdminReply::json(*state) : AdminReply::problem(state.error());
                 });
    router.route("GET", "/admin/stock/holds", "Places that the mapping does not name, and pairs that Shopify refuses.",
                 [&chores](const AdminRequest&) {
                     const auto holds = chores.holds();
                     return holds ? AdminReply::json(*holds) : AdminReply::problem(holds.error());
                 });
    router.route("POST", "/admin/stock/backfill",
                 "Reads every pair of a shop in Shopify and writes what differs. Body: shop, location, reason.",
                 [&chores, rules](const AdminRequest& request) {
                     const auto body = json::Document::parse(request.body);
                     if (!body) {
                         return AdminReply::problem(body.error());
                     }
                     const auto shop = shop_in(body->root(), rules);
                     const auto reason = reason_in(body->root());
                     if (!shop || !reason) {
                         return AdminReply::problem(!shop ? shop.error() : reason.error());
                     }
                     std::int64_t location = 0;
                     if (const auto at = body->root().get_present("location")) {
                         const auto id = at->int64();
                         if (!id || *id <= 0) {
                             return AdminReply::problem(400, "bad_location", "location must be Shopify's location id");
                         }
                         location = *id;
                     }
                     return counted(chores.backfill(*shop, location, request.actor, *reason));
                 });
    router.route(
        "POST", "/admin/stock/clear-pending",
        "The gap check has read every order up to then: falls noticed before are no reservations. Body: shop, until, reason.",
        [&chores, rules](const AdminRequest& request) {
            const auto body = json::Document::parse(request.body);
            if (!body) {
                return AdminReply::problem(body.error());
            }
            const auto shop = shop_in(body->root(), rules);
            const auto reason = reason_in(body->root());
            if (!shop || !reason) {
                return AdminReply::problem(!shop ? shop.error() : reason.error());
            }
            const auto text = body->root().string_of("until");
            const auto until = text ? core::parse_rfc3339(*text) : std::unexpected(text.error());
            if (!until) {
                return AdminReply::problem(400, "bad_until", "until must be a time such as 2026-11-20T08:15:30Z");
            }
            return counted(chores.clear_pending(*shop, *until, request.actor, *reason));
        });
}

}  // namespace inventory_sync
