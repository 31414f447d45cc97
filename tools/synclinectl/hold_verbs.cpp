#include "verbs.h"

#include <fmt/format.h>
#include <syncline/json/writer.h>
#include <ostream>
#include <set>

namespace synclinectl {
namespace {

using syncline::core::ErrorKind;
using syncline::core::Result;
using syncline::json::Document;
using syncline::json::Value;

// A key has slashes, and the path of the admin port takes them as they are.
std::string path_of(const std::string& key) {
    std::string path = "/admin/holds";
    std::size_t begin = 0;
    while (begin <= key.size()) {
        const auto end = std::min(key.find('/', begin), key.size());
        path += "/" + percent_encoded(std::string_view(key).substr(begin, end - begin));
        begin = end + 1;
    }
    return path;
}

std::string figures_of(const Value& item) {
    const auto expected = field(item, "expected");
    const auto found = field(item, "found");
    if (expected.empty() && found.empty()) {
        return {};
    }
    return fmt::format("{} expected, {} found {}", expected, found, field(item, "currency"));
}

int list(Services& services, std::string_view path) {
    const auto& options = services.options();
    const AdminPort::Query query{
        {"shop", options.shop}, {"key", options.key}, {"code", options.code}, {"limit", std::to_string(options.limit)}};
    Table table{.columns = {"key", "service", "what", "code", "waits_for", "figures", "attempts", "since", "due_at", "reason"},
                .rows = {}};
    services.each(
        [&](AdminPort& port) { return port.get(path, query); },
        [&](const std::string& deployment, const Value& root) {
            for (const auto& item : items(root, "items")) {
                const auto resource = field(item, "resource");
                table.rows.push_back({field(item, "key"), deployment, resource.empty() ? field(item, "family") : resource,
                                      field(item, "code"), field(item, "waits_for"), figures_of(item), field(item, "attempts"),
                                      field(item, "first_at"), field(item, "due_at"), field(item, "reason")});
            }
        });
    return services.finish(table);
}

int post(Services& services, const std::string& key, const std::string& verb, const std::string& code) {
    // A dry run asks for the hold itself, so that nothing is found to be nothing.
    auto found = services.the_one([&](AdminPort& port) { return port.get(path_of(key)); });
    if (!found) {
        return services.failed(found.error());
    }
    const auto& options = services.options();
    Table table{.columns = {"key", "service", "result"}, .rows = {}};
    if (options.dry_run) {
        table.rows.push_back({key, found->deployment, "would " + verb + (code.empty() ? "" : " " + code)});
        return services.finish(table);
    }
    syncline::json::Writer body;
    body.begin_object().member("reason", options.reason);
    if (!code.empty()) {
        body.member("code", code);
    }
    body.end_object();
    const auto text = std::move(body).take();
    const auto answer =
        services.of(found->deployment, [&](AdminPort& port) { return port.post(path_of(key) + "/" + verb, text); });
    if (!answer) {
        return services.failed(answer.error());
    }
    table.rows.push_back(
        {key, found->deployment, fmt::format("{} accepted, {} events made due", verb, field(answer->root(), "released"))});
    return services.finish(table);
}

}  // namespace

int list_holds(Services& services) {
    return list(services, "/admin/holds");
}
int list_parked(Services& services) {
    return list(services, "/admin/parked");
}

int show_hold(Services& services, const std::string& key) {
    Table table{.columns = {"member", "value"}, .rows = {}};
    services.each([&](AdminPort& port) { return port.get(path_of(key)); },
                  [&](const std::string& deployment, const Value& root) {
                      for (const auto& item : items(root, "items")) {
                          table.rows.push_back({"service", deployment});
                          for (const auto member : item.members()) {
                              if (auto value = field(item, member.name); !value.empty()) {
                                  table.rows.push_back({std::string(member.name), std::move(value)});
                              }
                          }
                      }
                  });
    return services.finish(table);
}

int release_hold(Services& services, const std::string& key) {
    return post(services, key, "release", {});
}

int override_hold(Services& services, const std::string& key) {
    if (!services.options().code.empty()) {
        return post(services, key, "override", services.options().code);
    }
    const auto found = services.the_one([&](AdminPort& port) { return port.get(path_of(key)); });
    if (!found) {
        return services.failed(found.error());
    }
    std::set<std::string> codes;
    for (const auto& item : items(found->answer.root(), "items")) {
        codes.insert(field(item, "code"));
    }
    if (codes.size() != 1) {
        std::string names;
        for (const auto& code : codes) {
            names += (names.empty() ? "" : ", ") + code;
        }
        return services.failed({.kind = ErrorKind::conflict,
                                .code = "ambiguous",
                                .message = fmt::format("{} is held for several reasons: {}", key, names),
                                .hint = "say which one is overridden with --code"});
    }
    return post(services, key, "override", *codes.begin());
}

}  // namespace synclinectl
