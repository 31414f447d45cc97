// Stock reports into rows: a batch of levels and changes with a handful of statements, whatever its size.
//
// Called inside the transaction of a batch (kit/batch.h). Several instances and partitions may do so at once: every statement is
// conditional on the state it meets and takes rows in one order. The same batch again changes nothing. Errors: those of the
// transaction; nothing is written then.
#pragma once

#include <syncline/core/error.h>
#include <cstdint>
#include <string>
#include <vector>

#include "domain/stock.h"

namespace syncline::postgres {
class Transaction;
}

namespace inventory_sync {

struct ArrivedLevel {
    Position position;
    Basis basis = Basis::physical;
    std::string unit;
    Level level;
};

struct ArrivedChange {
    Position position;
    Basis basis = Basis::physical;
    std::string unit;
    Change change;
};

struct StockIntake {
    std::uint64_t levels_taken = 0;
    std::uint64_t levels_passed = 0;  // Superseded or repeated, in the batch or by what was known.
    std::uint64_t sequences_back = 0;
    std::uint64_t changes_taken = 0;
    std::uint64_t changes_passed = 0;
};

[[nodiscard]] core::Result<StockIntake> take_stock(syncline::postgres::Transaction& tx, const std::vector<ArrivedLevel>& levels,
                                                   const std::vector<ArrivedChange>& changes, core::SystemTime now);

}  // namespace inventory_sync
