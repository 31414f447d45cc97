// inventory-sync's admin port, as reconciliation asks it.
//
// Any thread. Each call blocks its caller, at most to the deadline; the first instance that answers is asked (any of them knows
// the state). Errors: rejected, "not_configured" without an address; transient, "inventory_sync_away" when none answers;
// unauthorized; not_ready for a 404; else rejected with inventory-sync's own code.
#pragma once

#include <syncline/core/clock.h>
#include <syncline/core/error.h>
#include <syncline/json/document.h>
#include <syncline/kit/secret_file.h>
#include <string>
#include <string_view>
#include <vector>

namespace syncline::http {
class Client;
}

namespace reconciliation {

namespace core = syncline::core;

class InventorySync {
public:
    // `http` outlives it.
    InventorySync(syncline::http::Client& http, std::vector<std::string> urls, syncline::kit::SecretFile token);

    [[nodiscard]] core::Result<syncline::json::Document> get(std::string_view path, const core::Deadline& deadline) const;
    [[nodiscard]] core::Result<syncline::json::Document> post(std::string_view path, std::string body,
                                                              const core::Deadline& deadline) const;
    [[nodiscard]] bool configured() const { return !urls_.empty(); }

private:
    [[nodiscard]] core::Result<syncline::json::Document> send(std::string_view method, std::string_view path, std::string body,
                                                              const core::Deadline& deadline) const;
    syncline::http::Client& http_;
    std::vector<std::string> urls_;
    syncline::kit::SecretFile token_;
};

}  // namespace reconciliation
