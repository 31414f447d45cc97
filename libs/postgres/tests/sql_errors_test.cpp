#include "src/sql_errors.h"

#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>
#include <catch2/matchers/catch_matchers_string.hpp>

using Catch::Matchers::ContainsSubstring;
using syncline::core::ErrorKind;
using syncline::postgres::connection_lost;
using syncline::postgres::error_from_sqlstate;

TEST_CASE("postgres: an error's text keeps the constraint's name and drops the data", "[postgres-errors][unit]") {
    const auto error = error_from_sqlstate("23505",
                                           "ERROR:  duplicate key value violates unique constraint \"customers_email\"\n"
                                           "DETAIL:  Key (email)=(ada@example.com) already exists.\n");
    CHECK(error.code == "unique_violation");
    CHECK_THAT(error.message, ContainsSubstring("customers_email"));
    CHECK_THAT(error.message, !ContainsSubstring("ada"));
    CHECK_THAT(error_from_sqlstate("22P02", "ERROR:  invalid input syntax for type bigint: \"Ada Lovelace\"").message,
               !ContainsSubstring("Ada"));
}

TEST_CASE("postgres: each SQLSTATE has the kind its cure needs", "[postgres-errors][unit]") {
    struct Row {
        const char* state;
        ErrorKind kind;
        const char* code;
    };
    const auto row = GENERATE(
        Row{"40001", ErrorKind::conflict, "serialization_failure"}, Row{"40P01", ErrorKind::conflict, "deadlock"},
        Row{"55P03", ErrorKind::conflict, "lock_timeout"}, Row{"57014", ErrorKind::conflict, "statement_timeout"},
        Row{"23502", ErrorKind::rejected, "constraint_violation"}, Row{"22001", ErrorKind::rejected, "data_exception"},
        Row{"28P01", ErrorKind::unauthorized, "postgres_unauthorized"},
        Row{"42501", ErrorKind::unauthorized, "postgres_unauthorized"},
        Row{"53100", ErrorKind::transient, "postgres_unavailable"}, Row{"57P01", ErrorKind::transient, "postgres_unavailable"},
        Row{"25006", ErrorKind::transient, "postgres_unavailable"}, Row{"08006", ErrorKind::transient, "postgres_unavailable"},
        Row{"08P01", ErrorKind::bug, "postgres_statement"}, Row{"42P01", ErrorKind::bug, "postgres_statement"},
        Row{"XX000", ErrorKind::bug, "postgres_statement"});
    const auto error = error_from_sqlstate(row.state, "ERROR:  something");
    CAPTURE(row.state);
    CHECK(error.kind == row.kind);
    CHECK(error.code == row.code);
}

TEST_CASE("postgres: a lost connection is transient and says why in one line", "[postgres-errors][unit]") {
    const auto error =
        connection_lost("connection to server at \"127.0.0.1\", port 1 failed: Connection refused\n\tIs the server running?");
    CHECK(error.kind == ErrorKind::transient);
    CHECK(error.message.find('\n') == std::string::npos);
}
