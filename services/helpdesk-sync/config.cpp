#include "config.h"

namespace helpdesk_sync {

namespace kit = syncline::kit;
namespace zendesk = syncline::zendesk;

namespace {

std::optional<std::string> must_be_tag(std::string_view text) {
    if (text.empty() || text.find_first_of(" ,\t") != std::string_view::npos) {
        return "must be a tag: no space, no comma";
    }
    return std::nullopt;
}

std::optional<std::string> must_be_address(std::string_view text) {
    const auto at = text.find('@');
    if (at == 0 || at == std::string_view::npos || at + 1 == text.size() || text.find(' ') != std::string_view::npos) {
        return "must be an e-mail address";
    }
    return std::nullopt;
}

}  // namespace

void Config::declare(kit::ConfigSchema& schema) {
    schema.add("name", name,
               {.help = "Name of this deployment, part of the consumer group and of the tickets' external ids.",
                .validate = kit::must_be_alias});
    schema.add("zendesk.url", url,
               {.help = "Address of the Zendesk account, without a path.",
                .required = true,
                .validate = kit::must_be_url,
                .example = "https://example.zendesk.com"});
    schema.add("zendesk.email", email,
               {.help = "E-mail address of the agent the API token belongs to.",
                .required = true,
                .validate = must_be_address,
                .example = "integration@example.com"});
    schema.add("zendesk.api_token_file", api_token,
               {.help = "File with the API token; re-read when it changes.", .required = true});
    schema.add("zendesk.longest_request", longest_request,
               {.help = "How long Zendesk may go on with a request whose client has gone.", .min = 1'000, .max = 3'600'000});
    schema.add("requester.email", requester.email,
               {.help = "Address of the user in whose name tickets are made: whom Zendesk tells of them.",
                .required = true,
                .validate = must_be_address,
                .example = "shop-operations@example.com"});
    schema.add("requester.name", requester.name, {.help = "Name of that user."});
    schema.add("ticket.priority", priority, {.help = "Priority of new tickets.", .choices = {"low", "normal", "high", "urgent"}});
    schema.add("ticket.group_id", group_id,
               {.help = "Group that new tickets are given to; 0: Zendesk's own rules choose.", .min = 0});
    schema.add("ticket.tags", tags, {.help = "Tags of new tickets.", .validate = must_be_tag});
    schema.add("ticket.update_every", pace.update_every,
               {.help = "Least time between two changes of one ticket; Zendesk allows 30 in ten minutes.",
                .min = 20'000,
                .max = 86'400'000});
    schema.add("ticket.reopen_within", pace.reopen_within,
               {.help = "For how long a solved ticket is opened again when its cause is back; later there is a new one.",
                .min = 0,
                .max = 2'592'000'000});
}

zendesk::Account Config::account() const {
    auto address = url;
    while (!address.empty() && address.back() == '/') {
        address.pop_back();
    }
    return {.url = std::move(address), .email = email, .api_token = [token = api_token] {
                return token.current();
            }};
}

zendesk::NewTicket Config::form() const {
    return {.external_id = {},
            .subject = {},
            .comment = {},
            .priority = priority,
            .tags = tags,
            .group_id = group_id,
            .requester_id = 0,
            .followup_of = 0};
}

}  // namespace helpdesk_sync
