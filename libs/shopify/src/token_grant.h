// One exchange at Shopify's token door.
#pragma once

#include <syncline/core/clock.h>
#include <syncline/core/error.h>
#include <syncline/http/client.h>
#include <chrono>
#include <string>

namespace syncline::shopify {

struct Granted {
    std::string access_token;
    std::chrono::seconds lifetime{0};
    std::string refresh_token;  // Only of expiring tokens.
    std::chrono::seconds refresh_lifetime{0};
};

// POST <url>/admin/oauth/access_token with a form. Asking twice is harmless, so a lost answer is kind transient.
[[nodiscard]] core::Result<Granted> ask_for_token(http::Client& http, const std::string& url, std::string form,
                                                  const core::Deadline& deadline);

}  // namespace syncline::shopify
