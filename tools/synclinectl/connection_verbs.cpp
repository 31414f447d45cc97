#include "verbs.h"

#include <fmt/format.h>
#include <syncline/json/writer.h>
#include <ostream>

namespace synclinectl {
namespace {

using syncline::core::ErrorKind;

std::string body_of(const Options& options) {
    syncline::json::Writer body;
    body.begin_object().member("reason", options.reason).member("dry_run", options.dry_run).end_object();
    return std::move(body).take();
}

}  // namespace

int pause_connection(Services& services, bool pausing) {
    const auto& options = services.options();
    const std::string path = pausing ? "/admin/connection/pause" : "/admin/connection/resume";
    const auto found = services.the_one([&](AdminPort& port) { return port.get("/admin/connection"); });
    if (!found) {
        return services.failed(found.error());
    }
    const auto answer = services.of(found->deployment, [&](AdminPort& port) { return port.post(path, body_of(options)); });
    if (!answer) {
        return services.failed(answer.error());
    }
    const auto root = answer->root();
    Table table{.columns = {"service", "paused", "paused_by", "reason", "circuit_open"}, .rows = {}};
    table.rows.push_back(
        {found->deployment, field(root, "paused"), field(root, "paused_by"), field(root, "reason"), field(root, "circuit_open")});
    return services.finish(table);
}

int redrive(Services& services, const std::string& event_id) {
    const auto& options = services.options();
    const auto body = [&](bool dry_run) {
        syncline::json::Writer out;
        out.begin_object().member("ce_id", event_id).member("reason", options.reason).member("dry_run", dry_run).end_object();
        return std::move(out).take();
    };
    // The dry run comes first in any case: it says who has done this event.
    auto found = services.the_one([&](AdminPort& port) { return port.post("/admin/redrive", body(true)); });
    if (!found) {
        return services.failed(found.error());
    }
    if (!options.dry_run) {
        auto done = services.of(found->deployment, [&](AdminPort& port) { return port.post("/admin/redrive", body(false)); });
        if (!done) {
            return services.failed(done.error());
        }
        found->answer = std::move(*done);
    }
    const auto root = found->answer.root();
    Table table{.columns = {"event_id", "service", "key", "type", "was", "result"}, .rows = {}};
    table.rows.push_back({event_id, found->deployment, field(root, "key"), field(root, "type"), field(root, "was"),
                          options.dry_run ? "would be done again" : "is done again"});
    return services.finish(table);
}

}  // namespace synclinectl
