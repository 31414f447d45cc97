#include "src/sql_errors.h"

#include <fmt/format.h>

namespace syncline::postgres {
namespace {

using core::Error;
using core::ErrorKind;

std::string_view first_line(std::string_view text) {
    auto line = text.substr(0, text.find('\n'));
    if (line.starts_with("ERROR:")) {
        line.remove_prefix(6);
    }
    while (line.starts_with(' ')) {
        line.remove_prefix(1);
    }
    return line;
}

// `… violates unique constraint "orders_pkey"` → orders_pkey
std::string_view constraint_name(std::string_view text) {
    constexpr std::string_view kMark = "constraint \"";
    const auto line = first_line(text);
    const auto at = line.find(kMark);
    if (at == std::string_view::npos) {
        return {};
    }
    const auto begin = at + kMark.size();
    const auto end = line.find('"', begin);
    return end == std::string_view::npos ? std::string_view{} : line.substr(begin, end - begin);
}

Error make(ErrorKind kind, std::string code, std::string message, std::string hint = {}) {
    return {.kind = kind, .code = std::move(code), .message = std::move(message), .hint = std::move(hint)};
}

}  // namespace

Error connection_lost(std::string_view reason) {
    return make(ErrorKind::transient, "postgres_unavailable", fmt::format("no connection to PostgreSQL: {}", first_line(reason)));
}

Error error_from_sqlstate(std::string_view sqlstate, std::string_view server_text) {
    const auto class_of = sqlstate.substr(0, 2);
    const auto said = [&](std::string_view what) {
        return fmt::format("PostgreSQL: {} (SQLSTATE {})", what, sqlstate);
    };

    if (sqlstate == "40001") {
        return make(ErrorKind::conflict, "serialization_failure", said("serialization failure"));
    }
    if (sqlstate == "40P01") {
        return make(ErrorKind::conflict, "deadlock", said("deadlock"));
    }
    if (class_of == "40") {
        return make(ErrorKind::conflict, "serialization_failure", said("transaction rolled back"));
    }
    if (sqlstate == "55P03") {
        return make(ErrorKind::conflict, "lock_timeout", said("a lock was not free in time"));
    }
    if (sqlstate == "57014") {
        return make(ErrorKind::conflict, "statement_timeout", said("the statement ran out of time"));
    }
    if (sqlstate == "23505") {
        return make(ErrorKind::rejected, "unique_violation",
                    said(fmt::format("unique constraint {}", constraint_name(server_text))));
    }
    if (class_of == "23") {
        return make(ErrorKind::rejected, "constraint_violation",
                    said(fmt::format("constraint {}", constraint_name(server_text))));
    }
    if (class_of == "22") {
        return make(ErrorKind::rejected, "data_exception", said("a value does not fit its column"));
    }
    if (class_of == "28" || sqlstate == "42501") {
        return make(ErrorKind::unauthorized, "postgres_unauthorized", said("user, password or rights refused"),
                    "check the user and its grants on the schema");
    }
    // 08 connection, 53 resources (disk full, too many connections), 57 shutdown, 58 system, 25006 a stand-by after a failover,
    // 3D000 the database is (not yet) there.
    if (sqlstate != "08P01" && (class_of == "08" || class_of == "53" || class_of == "57" || class_of == "58" ||
                                sqlstate == "25006" || sqlstate == "3D000")) {
        return make(ErrorKind::transient, "postgres_unavailable", said("the server cannot serve now"));
    }
    if (class_of == "42" || class_of == "08" || class_of == "3F") {
        return make(ErrorKind::bug, "postgres_statement", said(first_line(server_text)),
                    "a statement of ours does not fit the schema; have the migrations run?");
    }
    return make(ErrorKind::bug, "postgres_statement", said("unexpected error"));
}

}  // namespace syncline::postgres
