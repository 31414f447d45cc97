// A schema of its own for one test, on the throw-away server named by SYNCLINE_TEST_POSTGRES_URL. Dropped by the destructor.
//
//   if (!Database::available()) { SKIP(Database::kWhyNot); }
//   Database database;
//   database.pool().exec(deadline, "CREATE TABLE t (id bigint)");
#pragma once

#include <syncline/postgres/pool.h>
#include <memory>
#include <string>
#include <string_view>

namespace syncline::postgres::testing {

class Database {
public:
    static constexpr std::string_view kWhyNot =
        "no PostgreSQL: set SYNCLINE_TEST_POSTGRES_URL (tools/setup/test-postgres.sh start DIR prints it)";
    // SYNCLINE_TEST_POSTGRES_URL is set.
    [[nodiscard]] static bool available();
    // That url; empty if unset.
    [[nodiscard]] static std::string url();

    // Creates the schema; throws std::runtime_error if the server cannot be reached.
    Database();
    ~Database();
    Database(const Database&) = delete;
    Database& operator=(const Database&) = delete;

    [[nodiscard]] const std::string& schema() const { return schema_; }
    // Options of a pool on this schema; change and build further pools from them.
    [[nodiscard]] PoolOptions options() const;
    [[nodiscard]] Pool& pool() { return *pool_; }
    // One statement; throws std::runtime_error with the error's code on failure.
    Rows exec(std::string_view sql, const Params& params = {});
    // The first column of the first row as text; throws if there is none.
    [[nodiscard]] std::string value(std::string_view sql, const Params& params = {});

private:
    std::string schema_;
    std::unique_ptr<Pool> pool_;
};

}  // namespace syncline::postgres::testing
