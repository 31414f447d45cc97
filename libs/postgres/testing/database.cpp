#include <syncline/postgres/testing/database.h>
#include <unistd.h>
#include <atomic>
#include <cstdlib>
#include <stdexcept>

namespace syncline::postgres::testing {
namespace {

core::Deadline soon() {
    return {core::system_clock(), std::chrono::seconds{20}};
}

Rows must(core::Result<Rows> rows) {
    if (!rows) {
        throw std::runtime_error(rows.error().code + ": " + rows.error().message);
    }
    return std::move(*rows);
}

std::string next_schema() {
    static std::atomic<int> counter = 0;
    return "test_" + std::to_string(::getpid()) + "_" + std::to_string(counter++);
}

}  // namespace

bool Database::available() {
    return !url().empty();
}

std::string Database::url() {
    const char* value = std::getenv("SYNCLINE_TEST_POSTGRES_URL");
    return value == nullptr ? std::string{} : std::string(value);
}

Database::Database() : schema_(next_schema()), pool_(std::make_unique<Pool>(options())) {
    exec("DROP SCHEMA IF EXISTS " + schema_ + " CASCADE");
    exec("CREATE SCHEMA " + schema_);
}

Database::~Database() {
    // A server that a test has stopped keeps nothing either.
    (void)pool_->exec(soon(), "DROP SCHEMA IF EXISTS " + schema_ + " CASCADE");
}

PoolOptions Database::options() const {
    return {.url = url(), .connections_max = 16, .schema = schema_, .application_name = schema_};
}

Rows Database::exec(std::string_view sql, const Params& params) {
    return must(pool_->exec(soon(), sql, params));
}

std::string Database::value(std::string_view sql, const Params& params) {
    const auto rows = exec(sql, params);
    if (rows.empty()) {
        throw std::runtime_error("no row");
    }
    return rows[0].string(0);
}

}  // namespace syncline::postgres::testing
