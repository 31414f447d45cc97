// One admin port: JSON in and out, with the bearer token.
#pragma once

#include <syncline/core/error.h>
#include <syncline/http/client.h>
#include <syncline/json/document.h>
#include <map>
#include <string>
#include <string_view>

namespace synclinectl {

// Kinds: transient (exit code 3) unreachable; not_ready the thing asked for does not exist (404); unauthorized; rejected with the
// service's own code for everything else it refuses.
class AdminPort {
public:
    // `client` outlives the port.
    AdminPort(syncline::http::Client& client, std::string url, std::string token, std::chrono::milliseconds timeout);

    using Query = std::map<std::string, std::string>;
    // Members of `query` with an empty value are left out.
    [[nodiscard]] syncline::core::Result<syncline::json::Document> get(std::string_view path, const Query& query = {});
    [[nodiscard]] syncline::core::Result<syncline::json::Document> post(std::string_view path, std::string body);
    // Status and text of a probe, whatever the status.
    struct Probe {
        int status = 0;
        std::string text;
    };
    [[nodiscard]] syncline::core::Result<Probe> probe(std::string_view path);

private:
    [[nodiscard]] syncline::core::Result<syncline::http::Response> send(std::string_view method, std::string_view path,
                                                                        std::string body);
    [[nodiscard]] syncline::core::Result<syncline::json::Document> parsed(
        syncline::core::Result<syncline::http::Response> answer);

    syncline::http::Client& client_;
    std::string url_;
    std::string token_;
    std::chrono::milliseconds timeout_;
};

// Everything but unreserved characters becomes %XX; slashes too.
[[nodiscard]] std::string percent_encoded(std::string_view text);

}  // namespace synclinectl
