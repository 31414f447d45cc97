#include "src/runtime/describe.h"

#include <fmt/format.h>
#include <syncline/json/writer.h>
#include <syncline/topics.h>

#include <algorithm>
#include <cctype>
#include <map>
#include <set>
#include <string_view>

#include "src/processing/fate.h"
#include "src/runtime/version.h"

namespace syncline::kit {
namespace {

std::string environment_name(std::string_view key) {
    std::string name = "SYNCLINE_";
    for (const char c : key) {
        name.push_back(c == '.' || c == '-' ? '_' : static_cast<char>(std::toupper(static_cast<unsigned char>(c))));
    }
    return name;
}

void write_keys(json::Writer& out, const std::vector<ConfigSchema::Entry>& entries, std::string_view owner) {
    for (const auto& entry : entries) {
        const auto& options = entry.options;
        out.begin_object().member("key", entry.key).member("env", environment_name(entry.key)).member("owner", owner);
        out.member("type", entry.type)
            .member("default", entry.default_text)
            .member("help", options.help)
            .member("unit", options.unit);
        out.member("required", options.required).member("secret", options.secret || entry.type == "secret_file");
        if (options.min) {
            out.member("min", *options.min);
        }
        if (options.max) {
            out.member("max", *options.max);
        }
        if (!options.choices.empty()) {
            out.key("choices").begin_array();
            for (const auto& choice : options.choices) {
                out.string(choice);
            }
            out.end_array();
        }
        if (!options.example.empty()) {
            out.member("example", options.example);
        }
        out.end_object();
    }
}

// The names after CREATE TABLE, without those a later migration drops: a service's tables are told by its migrations, not once
// more by hand.
std::vector<std::string> tables_of(const std::vector<postgres::Migration>& migrations) {
    constexpr std::string_view kTable = " TABLE ";
    std::set<std::string> tables;
    for (const auto& migration : migrations) {
        std::string upper(migration.sql);
        std::ranges::transform(upper, upper.begin(), [](unsigned char c) { return static_cast<char>(std::toupper(c)); });
        for (std::size_t at = 0; (at = upper.find(kTable, at)) != std::string::npos;) {
            const std::string_view before(upper.data(), at);
            at += kTable.size();
            for (const std::string_view unless : {"IF NOT EXISTS ", "IF EXISTS "}) {
                if (upper.compare(at, unless.size(), unless) == 0) {
                    at += unless.size();
                }
            }
            auto name = migration.sql.substr(at, migration.sql.find_first_of(" (;\n", at) - at);
            if (before.ends_with("CREATE")) {
                tables.insert(std::move(name));
            } else if (before.ends_with("DROP")) {
                tables.erase(name);
            }
        }
    }
    return {tables.begin(), tables.end()};
}

std::string padded(std::string_view text, std::size_t width) {
    return fmt::format("{:<{}}", text, width);
}

void append_keys(std::string& out, const std::vector<ConfigSchema::Entry>& entries) {
    for (const auto& entry : entries) {
        std::string about = entry.type;
        if (entry.options.required) {
            about += ", required";
        } else if (!entry.default_text.empty()) {
            about += ", default " + entry.default_text;
        }
        if (!entry.options.unit.empty() && entry.options.unit != "ms" && entry.options.unit != "bytes") {
            about += ", " + entry.options.unit;
        }
        out += fmt::format("  {} {}\n      {}\n", padded(entry.key, 34), about, entry.options.help);
        if (!entry.options.choices.empty()) {
            out += fmt::format("      one of: {}\n", fmt::join(entry.options.choices, ", "));
        }
    }
}

}  // namespace

std::string version_json(const ServiceCore& service) {
    json::Writer out;
    out.begin_object().member("service", service.name()).member("version", version()).member("source", source());
    if (!service.migrations().empty()) {
        out.member("schema", std::string_view(service.migrations().back().name));
    }
    out.end_object();
    return std::move(out).take();
}

std::string describe_json(ServiceCore& service) {
    json::Writer out;
    out.begin_object();
    out.member("service", service.name()).member("version", version()).member("source", source());

    out.key("consumes").begin_array();
    for (const auto& handler : service.consumptions()) {
        out.begin_object().member("topic", handler.topic).member("event", handler.type.substr(handler.type.rfind('.') + 1));
        out.member("type", handler.type).member("family", handler.shape);
        out.member("group", handler.group).end_object();
    }
    out.end_array();

    out.key("produces").begin_array();
    for (const auto& publication : service.publications()) {
        const auto* topic = topics::find(publication.topic);
        for (const auto& type : publication.types) {
            out.begin_object()
                .member("topic", publication.topic)
                .member("event", type.substr(type.rfind('.') + 1))
                .member("type", type);
            out.member("key", topic == nullptr ? std::string_view{} : topic->key).end_object();
        }
    }
    out.end_array();
    if (!service.consumptions().empty()) {
        out.member("dead_letter_topic", topics::dead_letters);
    }
    if (service.target_connection()) {
        out.member("target", *service.target_connection());
    }
    if (service.uses_postgres()) {
        out.key("state").begin_object().member("schema", service.id()).key("tables").begin_array();
        for (const auto& table : tables_of(service.migrations())) {
            out.string(table);
        }
        out.end_array().key("migrations").begin_array();
        for (const auto& migration : service.migrations()) {
            out.string(migration.name);
        }
        out.end_array().end_object();
    }

    if (!service.consumptions().empty()) {
        out.key("retry_policy").begin_array();
        for (const auto& row : fate_table()) {
            out.begin_object()
                .member("kind", core::to_string(row.kind))
                .member("when", row.when)
                .member("fate", row.fate)
                .end_object();
        }
        out.end_array();
    }

    out.key("config").begin_array();
    write_keys(out, service.common_schema().entries(), "kit");
    write_keys(out, service.own_entries(), "service");
    out.end_array();

    out.key("metrics").begin_array();
    for (const auto& metric : service.metrics().describe()) {
        out.begin_object().member("name", metric.name).member("type", metric.type).member("help", metric.help);
        out.key("labels").begin_array();
        for (const auto& label : metric.labels) {
            out.string(label);
        }
        out.end_array().end_object();
    }
    out.end_array();

    out.key("admin_routes").begin_array();
    for (const auto& route : service.admin().routes()) {
        out.begin_object().member("method", route.method).member("path", route.pattern).member("help", route.help).end_object();
    }
    out.end_array();
    out.end_object();
    return std::move(out).take();
}

std::string keys_text(const ServiceCore& service) {
    std::string out = "Configuration keys of this service\n";
    append_keys(out, service.own_entries());
    out += "\nConfiguration keys of every service\n";
    append_keys(out, service.common_schema().entries());
    return out;
}

std::string check_table(ServiceCore& service) {
    std::string out;
    std::size_t width = 0;
    for (const auto& [key, value] : service.shown_values()) {
        width = std::max(width, key.size());
    }
    for (const auto& [key, value] : service.shown_values()) {
        out += fmt::format("{}  {}\n", padded(key, width), value.empty() ? "-" : value);
    }
    if (service.uses_shops()) {
        const auto shops = service.shops().current();
        out += fmt::format("\nshops: {}\n", shops->by_alias.size());
        for (const auto& [alias, shop] : shops->by_alias) {
            const auto* app = shops->app_of(shop);
            const auto readable =
                std::ranges::count_if(app->secrets, [](const SecretFile& secret) { return secret.check().has_value(); });
            out += fmt::format("  {}  {}  app {} ({} of {} secrets readable)  {}  {}  {}\n", padded(alias, 12),
                               padded(shop.domain, 32), shop.app, readable, app->secrets.size(), shop.currency, shop.timezone,
                               shop.enabled ? "enabled" : "disabled");
        }
    }
    for (const auto& mappings : service.all_mappings()) {
        out += fmt::format("\nmappings of {}: version {}\n", mappings->connection(), mappings->snapshot()->version);
    }
    out += "\nconfiguration ok\n";
    return out;
}

}  // namespace syncline::kit
