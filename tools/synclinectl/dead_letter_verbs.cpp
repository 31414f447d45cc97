#include "verbs.h"

#include <fmt/format.h>
#include <syncline/core/hash.h>
#include <syncline/json/writer.h>
#include <ostream>

namespace synclinectl {
namespace {

using syncline::core::Result;
using syncline::json::Document;
using syncline::json::Value;

AdminPort::Query filters_of(const Options& options) {
    return {{"class", options.error_class},
            {"code", options.code},
            {"shop", options.shop},
            {"key", options.key},
            {"since", options.since},
            {"state", options.state},
            {"limit", std::to_string(options.limit)}};
}

std::string path_of(const std::string& id) {
    return "/admin/dead-letters/" + percent_encoded(id);
}

struct Letter {
    std::string id;
    std::string deployment;
};

// The named ones with the deployment that has each; or all that fit the filters.
Result<std::vector<Letter>> chosen(Services& services, const std::vector<std::string>& ids, bool all) {
    std::vector<Letter> out;
    if (all) {
        services.each([&](AdminPort& port) { return port.get("/admin/dead-letters", filters_of(services.options())); },
                      [&](const std::string& deployment, const Value& root) {
                          for (const auto& letter : items(root, "items")) {
                              out.push_back({field(letter, "id"), deployment});
                          }
                      });
        return out;
    }
    for (const auto& id : ids) {
        auto found = services.the_one([&](AdminPort& port) { return port.get(path_of(id)); });
        if (!found) {
            found.error().message = id + ": " + found.error().message;
            return std::unexpected(std::move(found.error()));
        }
        out.push_back({id, found->deployment});
    }
    return out;
}

}  // namespace

int list_dead_letters(Services& services) {
    Table table{.columns = {"id", "service", "key", "class", "code", "reason", "attempts", "last_at", "state"}, .rows = {}};
    services.each([&](AdminPort& port) { return port.get("/admin/dead-letters", filters_of(services.options())); },
                  [&](const std::string& deployment, const Value& root) {
                      for (const auto& letter : items(root, "items")) {
                          table.rows.push_back({field(letter, "id"), deployment, field(letter, "key"), field(letter, "class"),
                                                field(letter, "code"), field(letter, "reason"), field(letter, "attempts"),
                                                field(letter, "last_at"), field(letter, "state")});
                      }
                  });
    return services.finish(table);
}

int show_dead_letter(Services& services, const std::string& id) {
    const auto found = services.the_one([&](AdminPort& port) { return port.get(path_of(id)); });
    if (!found) {
        return services.failed(found.error());
    }
    Table table{.columns = {"member", "value"}, .rows = {{"service", found->deployment}}};
    for (const auto& part : {std::string_view("dead_letter")}) {
        const auto letter = found->answer.root().get_present(part);
        if (!letter) {
            continue;
        }
        for (const auto member : letter->members()) {
            table.rows.push_back({std::string(member.name), field(*letter, member.name)});
        }
    }
    return services.finish(table);
}

int act_on_dead_letters(Services& services, const std::string& verb, const std::vector<std::string>& ids, bool all) {
    const auto letters = chosen(services, ids, all);
    if (!letters) {
        return services.failed(letters.error());
    }
    const auto& options = services.options();
    // One id for the whole command: pressed again with the same --replay-id it does nothing twice.
    const auto replay_id = options.replay_id.empty() ? syncline::core::uuid_v4() : options.replay_id;
    Table table{.columns = {"id", "service", "result"}, .rows = {}};
    bool refused = false;
    for (const auto& letter : *letters) {
        if (options.dry_run) {
            table.rows.push_back({letter.id, letter.deployment, "would " + verb});
            continue;
        }
        syncline::json::Writer body;
        body.begin_object().member("reason", options.reason);
        if (verb == "replay") {
            body.member("replay_id", replay_id);
        }
        body.end_object();
        const auto text = std::move(body).take();
        const auto answer =
            services.of(letter.deployment, [&](AdminPort& port) { return port.post(path_of(letter.id) + "/" + verb, text); });
        if (answer) {
            table.rows.push_back({letter.id, letter.deployment,
                                  field(answer->root(), "repeated") == "true" ? "was done before" : verb + " accepted"});
        } else {
            refused = true;
            table.rows.push_back({letter.id, letter.deployment, answer.error().code + ": " + answer.error().message});
        }
    }
    const auto code = services.finish(table);
    return code == kOk && refused ? kNothing : code;
}

}  // namespace synclinectl
