// The Admin API of the shops of this installation.
//
//   shopify::Admins admins({.http = service.http(), .clock = service.clock(), .metrics = service.metrics()}, service.shops());
//   auto admin = admins.of("eu");
//   if (!admin) return std::unexpected(admin.error());
//   auto reply = (*admin)->call(shopify::kLocations, {}, shopify::Priority::rest, deadline);
//
// Typed calls stand in stock.h, orders.h, fulfillment_orders.h, webhook_subscriptions.h and bulk.h.
//
// A call waits for its points (points.h), sends once and reads the answer (reply.h). It is sent again only where Shopify says
// that nothing was carried out: THROTTLED and 429 after exactly the time that is missing, 401 once when another token can be had.
// All of that ends at the deadline. Everything else is an Error for the kit: clients do not retry.
//
// Metrics (label shop is the alias): syncline_shopify_calls_total{shop,operation,outcome}, _call_seconds,
// _wait_seconds{priority}, _points_spent_total{priority}, _points_available, _points_restore_rate, _throttled_total,
// _token_renewals_total{outcome}, _deprecated_calls_total{operation}, _denied_fields_total{operation}, _api_version_days_left,
// _api_version_fallen_forward.
#pragma once

#include <syncline/core/clock.h>
#include <syncline/core/error.h>
#include <syncline/kit/shops.h>
#include <syncline/shopify/batch.h>
#include <syncline/shopify/operation.h>
#include <syncline/shopify/operations.h>
#include <syncline/shopify/points.h>
#include <syncline/shopify/reply.h>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>

namespace syncline::http {
class Client;
}
namespace syncline::telemetry {
class Metrics;
}

namespace syncline::shopify {

struct AdminOptions {
    http::Client& http;
    core::Clock& clock;
    telemetry::Metrics& metrics;
};

// One shop. Shared by all callers of the process, so that they share its points and its token. Any thread; every call blocks its
// caller, at most to the deadline.
class Admin {
public:
    struct Parts;
    explicit Admin(std::unique_ptr<Parts> parts);
    Admin(const Admin&) = delete;
    Admin& operator=(const Admin&) = delete;
    ~Admin();

    // userErrors are an Error (error_of), the others as reply.h tells.
    [[nodiscard]] core::Result<Reply> call(const Operation& operation, const Variables& variables, Priority priority,
                                           const core::Deadline& deadline);
    // As call(), but userErrors are left to the caller, in the Reply.
    [[nodiscard]] core::Result<Reply> call_with_user_errors(const Operation& operation, const Variables& variables,
                                                            Priority priority, const core::Deadline& deadline);

    [[nodiscard]] const std::string& shop() const;         // Alias.
    [[nodiscard]] const std::string& api_version() const;  // As asked for.
    [[nodiscard]] PointsBudget::State points() const;
    [[nodiscard]] core::Clock& clock() const;
    [[nodiscard]] http::Client& http() const;  // For results that lie elsewhere (bulk.h); the token never goes there.

private:
    std::unique_ptr<Parts> parts_;
};

// Owned by the service, lives as long as its handlers. Any thread; of() never blocks on the network.
class Admins {
public:
    Admins(AdminOptions options, kit::Shops& shops);
    Admins(const Admins&) = delete;
    Admins& operator=(const Admins&) = delete;
    ~Admins();

    // The client of that shop, following shops.yaml: a shop is added, and its settings change, without a restart (calls under way
    // end with the old ones; the points are shared throughout). Kind rejected, code "shop_unknown" or "admin_not_configured".
    [[nodiscard]] core::Result<std::shared_ptr<Admin>> of(std::string_view alias);

private:
    struct Shared;
    AdminOptions options_;
    kit::Shops& shops_;
    std::shared_ptr<Shared> shared_;
};

}  // namespace syncline::shopify
