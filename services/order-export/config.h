// The keys of order-export beside the kit's own (kafka.*, postgres.*, admin.*, limits.*, …).
#pragma once

#include <syncline/kit/config.h>
#include <syncline/odoo/gateway.h>
#include <string>

#include "app/watch_documents.h"

namespace order_export {

struct Config {
    std::string connection;
    std::string url;
    std::string database;
    std::string login;
    syncline::kit::SecretFile api_key;
    syncline::kit::SecretFile contact_key;
    syncline::odoo::GatewayOptions calls;
    std::chrono::milliseconds longest_request{120'000};
    WatchOptions watch;
    std::size_t remembered_contacts_max = 20'000;
    std::size_t remembered_products_max = 20'000;

    void declare(syncline::kit::ConfigSchema& schema);
    // order-export.<connection>.v1: a contract, renaming it replays the topic.
    [[nodiscard]] std::string group() const { return "order-export." + connection + ".v1"; }
    [[nodiscard]] syncline::odoo::Target target() const;
};

}  // namespace order_export
