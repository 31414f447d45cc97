// Dead letters as SQL.
#pragma once

#include <syncline/core/clock.h>
#include <syncline/core/error.h>
#include <syncline/postgres/pool.h>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "src/store/closing_rows.h"
#include "src/store/rows.h"

namespace syncline::kit::store {

// A letter that died again (after a replay) is dead again under its old id.
[[nodiscard]] core::Result<void> insert_dead_letters(postgres::Transaction& tx, const Identity& who,
                                                     std::span<const DeadLetter* const> letters);

struct StoredDeadLetter {
    DeadLetter letter;
    std::string state;  // dead, replayed, discarded
};

// Locks the row; nullopt if there is none.
[[nodiscard]] core::Result<std::optional<StoredDeadLetter>> lock_dead_letter(postgres::Transaction& tx, const Identity& who,
                                                                             const std::string& id);
[[nodiscard]] core::Result<std::optional<StoredDeadLetter>> find_dead_letter(postgres::Pool& pool, const core::Deadline& deadline,
                                                                             const Identity& who, const std::string& id);
// discarded and replayed letters; the inbox row follows (`inbox` empty: it stays as it is).
[[nodiscard]] core::Result<void> settle_dead_letter(postgres::Transaction& tx, const Identity& who, core::SystemTime now,
                                                    const std::string& id, std::string_view state,
                                                    std::optional<InboxState> inbox);

struct DeadLetterFilter {
    std::string state = "dead";  // Empty: all.
    std::string error_class;
    std::string code;
    std::string shop;  // The part of the key before the first slash.
    std::string key;
    std::optional<core::SystemTime> since;
    int limit = 100;
};
// Newest first, without values.
[[nodiscard]] core::Result<std::vector<StoredDeadLetter>> list_dead_letters(postgres::Pool& pool, const core::Deadline& deadline,
                                                                            const Identity& who, const DeadLetterFilter& filter);

}  // namespace syncline::kit::store
