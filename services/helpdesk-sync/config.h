// The keys of helpdesk-sync beside the kit's own (kafka.*, postgres.*, admin.*, limits.*, …).
#pragma once

#include <syncline/kit/config.h>
#include <syncline/kit/secret_file.h>
#include <syncline/zendesk/client.h>
#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

#include "domain/ticket.h"

namespace helpdesk_sync {

struct Config {
    std::string name = "main";
    std::string url;
    std::string email;
    syncline::kit::SecretFile api_token;
    std::chrono::milliseconds longest_request{60'000};
    syncline::zendesk::Requester requester{.external_id = {}, .name = "Syncline", .email = {}};
    std::string priority = "normal";
    std::int64_t group_id = 0;
    std::vector<std::string> tags{"syncline"};
    Pace pace;

    void declare(syncline::kit::ConfigSchema& schema);
    // helpdesk-sync.<name>.v1: a contract, renaming it reads everything again.
    [[nodiscard]] std::string group() const { return "helpdesk-sync." + name + ".v1"; }
    [[nodiscard]] syncline::zendesk::Account account() const;
    // What every ticket of this deployment has.
    [[nodiscard]] syncline::zendesk::NewTicket form() const;
};

}  // namespace helpdesk_sync
