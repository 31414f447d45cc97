#include "src/conninfo.h"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <syncline/core/hash.h>
#include <syncline/postgres/migrations.h>
#include <algorithm>
#include <iterator>
#include <map>
#include <optional>
#include <ranges>

namespace syncline::postgres {
namespace {

using core::Result;

std::string digest_of(const Migration& migration) {
    return core::hex_encode(core::bytes_of(core::sha256(migration.sql)));
}

// One lock for each schema, whatever database function made the number.
Result<void> lock_schema(Transaction& tx) {
    auto locked = tx.exec("SELECT pg_advisory_xact_lock(hashtext('syncline migrations'), hashtext(current_schema()))");
    if (!locked) {
        return std::unexpected(std::move(locked.error()));
    }
    return {};
}

Result<std::optional<std::string>> applied_digest(Transaction& tx, const std::string& name) {
    auto rows = tx.exec("SELECT sha256 FROM schema_migrations WHERE name = $1", Params{}.add(name));
    if (!rows) {
        return std::unexpected(std::move(rows.error()));
    }
    return rows->empty() ? std::nullopt : std::optional((*rows)[0].string(0));
}

core::Error changed(const std::string& name) {
    return {.kind = core::ErrorKind::bug,
            .code = "migration_changed",
            .message = fmt::format("migration {} was applied to this database with another text", name),
            .hint = "a released migration is never edited: restore its text and add another one"};
}

// Rows of migrations that this program does not have. `unknown` is not empty.
core::Error newer(const std::string& schema, std::span<const std::string> unknown, std::span<const Migration> migrations) {
    return {.kind = core::ErrorKind::rejected,
            .code = "schema_newer",
            .message = fmt::format("the database schema {} is newer than this program: {} was applied to it, and the newest this "
                                   "program knows is {}",
                                   schema, fmt::join(unknown, ", "), migrations.empty() ? "none" : migrations.back().name),
            .hint =
                "deploy the program that has this migration, or a later one; to stay with this one, restore the backup from "
                "before it was applied. Nothing was changed; instances that already run go on"};
}

Result<void> prepare(Pool& pool, const core::Deadline& deadline) {
    const auto& schema = pool.options().schema;
    return pool.run(deadline, [&](Transaction& tx) -> Result<void> {
        // IF NOT EXISTS still races with itself; the lock's number is the schema's name, which need not exist for that.
        auto locked = tx.exec("SELECT pg_advisory_xact_lock(hashtext('syncline schema'), hashtext($1))", Params{}.add(schema));
        if (!locked) {
            return std::unexpected(std::move(locked.error()));
        }
        // Only when it is missing: a user without the right to create schemas may own one that was made for it.
        auto there = tx.exec("SELECT 1 FROM pg_namespace WHERE nspname = $1", Params{}.add(schema));
        if (!there) {
            return std::unexpected(std::move(there.error()));
        }
        if (!schema.empty() && there->empty()) {
            if (auto made = tx.exec_script("CREATE SCHEMA " + schema); !made) {
                return made;
            }
        }
        return tx.exec_script(
            "CREATE TABLE IF NOT EXISTS schema_migrations ("
            "name text PRIMARY KEY, sha256 text NOT NULL, applied_at timestamptz NOT NULL DEFAULT now())");
    });
}

// True if it ran now.
Result<bool> apply(Transaction& tx, const Migration& migration) {
    if (auto locked = lock_schema(tx); !locked) {
        return std::unexpected(std::move(locked.error()));
    }
    const auto digest = digest_of(migration);
    auto applied = applied_digest(tx, migration.name);
    if (!applied) {
        return std::unexpected(std::move(applied.error()));
    }
    if (applied->has_value()) {
        if (**applied != digest) {
            return std::unexpected(changed(migration.name));
        }
        return false;
    }
    if (auto ran = tx.exec_script(migration.sql); !ran) {
        return std::unexpected(std::move(ran.error()));
    }
    auto noted =
        tx.exec("INSERT INTO schema_migrations (name, sha256) VALUES ($1, $2)", Params{}.add(migration.name).add(digest));
    if (!noted) {
        return std::unexpected(std::move(noted.error()));
    }
    return true;
}

}  // namespace

Result<std::vector<std::string>> pending_migrations(Pool& pool, const core::Deadline& deadline,
                                                    std::span<const Migration> migrations) {
    return pool.run(deadline,
                    [&](Transaction& tx) -> Result<std::vector<std::string>> {
                        auto table = tx.exec("SELECT to_regclass('schema_migrations') IS NOT NULL");
                        if (!table) {
                            return std::unexpected(std::move(table.error()));
                        }
                        std::map<std::string, std::string> applied;
                        if ((*table)[0].boolean(0)) {
                            auto rows = tx.exec("SELECT name, sha256 FROM schema_migrations");
                            if (!rows) {
                                return std::unexpected(std::move(rows.error()));
                            }
                            for (const auto row : *rows) {
                                applied.emplace(row.string(0), row.string(1));
                            }
                        }
                        std::vector<std::string> pending;
                        for (const auto& migration : migrations) {
                            const auto found = applied.find(migration.name);
                            if (found == applied.end()) {
                                pending.push_back(migration.name);
                                continue;
                            }
                            if (found->second != digest_of(migration)) {
                                return std::unexpected(changed(migration.name));
                            }
                            applied.erase(found);
                        }
                        if (!applied.empty()) {
                            std::vector<std::string> unknown;
                            std::ranges::copy(std::views::keys(applied), std::back_inserter(unknown));
                            return std::unexpected(newer(pool.options().schema, unknown, migrations));
                        }
                        return pending;
                    },
                    {.read_only = true});
}

Result<std::vector<std::string>> migrate(Pool& pool, const core::Deadline& deadline, std::span<const Migration> migrations) {
    // Looked at as a whole before anything runs. Also keeps the usual start, with nothing to do, to one transaction.
    auto pending = pending_migrations(pool, deadline, migrations);
    if (!pending || pending->empty()) {
        return pending;
    }
    if (auto prepared = prepare(pool, deadline); !prepared) {
        return std::unexpected(std::move(prepared.error()));
    }
    std::vector<std::string> ran;
    for (const auto& migration : migrations) {
        auto now = pool.run(deadline, [&](Transaction& tx) { return apply(tx, migration); });
        if (!now) {
            if (now.error().code == "migration_changed") {
                return std::unexpected(std::move(now.error()));
            }
            auto error = std::move(now.error());
            error.message = fmt::format("migration {}: {} [{}]", migration.name, error.message, error.code);
            error.code = "migration_failed";
            return std::unexpected(std::move(error));
        }
        if (*now) {
            ran.push_back(migration.name);
        }
    }
    return ran;
}

}  // namespace syncline::postgres
