// The routes of a service's admin port below /admin/: for operators and synclinectl, JSON in and out, bearer token required.
//
//   service.admin().route("GET", "/admin/orders/{shop}/{id}", "The life of one order.",
//                         [&](const kit::AdminRequest& request) { return
//                         kit::AdminReply::json(ledger.life_of(request.path_value("shop"), …)); });
//
// {name} is one segment of the path, percent-decoded; {name...} is one or more of them, so that a key with slashes fits:
// /admin/keys/{key...}, /admin/holds/{key...}/release. Routes are added before the start; dispatch() may be called from any
// thread. A handler runs on the admin door's own worker thread and may block on the database; a stray exception is answered 500.
// The kit checks the token before: `actor` is the name the token belongs to, for the audit row of every writing verb.
#pragma once

#include <syncline/core/error.h>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace syncline::kit {

struct AdminRequest {
    std::string method;
    std::string path;
    std::map<std::string, std::string> path_values;  // By the names in the pattern, decoded.
    std::map<std::string, std::string> query;        // Decoded; the last of equal names.
    std::string body;                                // JSON text or empty.
    std::string actor;                               // Whose token it was.

    // Empty if absent.
    [[nodiscard]] std::string path_value(const std::string& name) const;
    [[nodiscard]] std::string query_value(const std::string& name) const;
};

struct AdminReply {
    int status = 200;
    std::string body;  // JSON text.
    std::string content_type = "application/json";

    [[nodiscard]] static AdminReply json(std::string body, int status = 200);
    // RFC 9457 problem+json with a stable snake_case code.
    [[nodiscard]] static AdminReply problem(int status, std::string_view code, std::string_view detail);
    // rejected, malformed → 400; not_ready → 404; conflict, needs_decision → 409; unauthorized → 403; transient → 503; else 500.
    [[nodiscard]] static AdminReply problem(const core::Error& error);
};

class AdminRouter {
public:
    using Handler = std::function<AdminReply(const AdminRequest&)>;
    struct Route {
        std::string method;
        std::string pattern;
        std::string help;
        Handler handler;
        std::vector<std::string> segments;
    };

    // The first route that fits answers. `pattern` begins with /admin/.
    void route(std::string method, std::string pattern, std::string help, Handler handler);
    // Fills path_values and calls the handler; 404 or 405 problem when none fits. Never throws.
    [[nodiscard]] AdminReply dispatch(AdminRequest request) const;
    [[nodiscard]] const std::vector<Route>& routes() const { return routes_; }

private:
    std::vector<Route> routes_;
};

// "a%2Fb" → "a/b"; a broken escape stays as it is.
[[nodiscard]] std::string percent_decoded(std::string_view text);
// The part after '?', decoded.
[[nodiscard]] std::map<std::string, std::string> parsed_query(std::string_view query);

}  // namespace syncline::kit
