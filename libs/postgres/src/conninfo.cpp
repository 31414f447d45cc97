#include "src/conninfo.h"

#include <fmt/format.h>
#include <libpq-fe.h>
#include <algorithm>
#include <map>
#include <memory>

namespace syncline::postgres {
namespace {

using Settings = std::map<std::string, std::string>;

core::Result<Settings> parse(const std::string& url) {
    // An empty string would mean libpq's own defaults (PGHOST, the local socket): never what a service wants.
    if (url.empty()) {
        return core::fail(core::ErrorKind::transient, "postgres_unavailable", "no PostgreSQL url is configured",
                          "set postgres.url");
    }
    char* complaint = nullptr;
    const std::unique_ptr<PQconninfoOption, decltype(&PQconninfoFree)> parsed(PQconninfoParse(url.c_str(), &complaint),
                                                                              &PQconninfoFree);
    // The complaint quotes the string, which may hold a password.
    PQfreemem(complaint);
    if (!parsed) {
        return core::fail(core::ErrorKind::transient, "postgres_unavailable", "the PostgreSQL url cannot be read",
                          "postgresql://user:password@host:port/database?sslmode=verify-full");
    }
    Settings settings;
    for (const auto* option = parsed.get(); option->keyword != nullptr; ++option) {
        if (option->val != nullptr) {
            settings[option->keyword] = option->val;
        }
    }
    return settings;
}

// Not `quoted`: with libstdc++ 14 that would be std::quoted.
std::string in_quotes(std::string_view value) {
    std::string out = "'";
    for (const char c : value) {
        if (c == '\'' || c == '\\') {
            out += '\\';
        }
        out += c;
    }
    out += '\'';
    return out;
}

}  // namespace

bool valid_schema_name(std::string_view name) {
    const auto word = [](char c) {
        return (c >= 'a' && c <= 'z') || c == '_' || (c >= '0' && c <= '9');
    };
    return !name.empty() && name.size() <= 63 && (name[0] < '0' || name[0] > '9') && std::ranges::all_of(name, word);
}

core::Result<std::string> session_conninfo(const PoolOptions& options) {
    auto parsed = parse(options.url);
    if (!parsed) {
        return std::unexpected(std::move(parsed.error()));
    }
    auto& settings = *parsed;
    if (!options.schema.empty() && !valid_schema_name(options.schema)) {
        return core::fail(core::ErrorKind::bug, "postgres_statement", "a schema name must match [a-z_][a-z0-9_]*");
    }
    const auto unless_said = [&](const char* key, std::string value) {
        settings.try_emplace(key, std::move(value));
    };
    unless_said("application_name", options.application_name);
    unless_said("connect_timeout", std::to_string(std::max<std::int64_t>(options.connect_timeout.count(), 2)));
    unless_said("client_encoding", "UTF8");
    unless_said("keepalives", "1");
    unless_said("keepalives_idle", "30");
    unless_said("keepalives_interval", "10");
    unless_said("keepalives_count", "3");
    unless_said("tcp_user_timeout", "30000");

    // Time-outs travel in the start-up packet (LIBRARY-FAULTS §3): a SET would be gone with the session it was made in.
    auto& session = settings["options"];
    const auto set = [&](std::string_view name, std::string_view value) {
        session += fmt::format(" -c {}={}", name, value);
    };
    if (!options.schema.empty()) {
        set("search_path", options.schema);
    }
    set("statement_timeout", std::to_string(options.statement_timeout.count()));
    set("lock_timeout", std::to_string(options.lock_timeout.count()));
    set("idle_in_transaction_session_timeout", std::to_string(options.idle_in_transaction_timeout.count()));
    // Our statements fetch few rows of large tables by key, and a new table has no statistics for its first minute: the planner
    // must not read a table, or all dead entries of a queue, because it looks small to it. (A plain index scan learns which
    // entries are dead; a bitmap scan never does.)
    set("jit", "off");
    set("random_page_cost", "1.1");
    set("enable_bitmapscan", "off");
    set("TimeZone", "UTC");
    set("DateStyle", "ISO");
    set("bytea_output", "hex");
    set("standard_conforming_strings", "on");
    set("client_min_messages", "error");

    std::string out;
    for (const auto& [key, value] : settings) {
        out += fmt::format("{}={} ", key, in_quotes(value));
    }
    return out;
}

core::Result<void> check_url(const std::string& url) {
    auto parsed = parse(url);
    if (!parsed) {
        return std::unexpected(std::move(parsed.error()));
    }
    return {};
}

}  // namespace syncline::postgres
