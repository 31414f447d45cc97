#include "src/driver.h"

#include "src/sql_errors.h"

#include <sys/socket.h>
#include <atomic>
#include <optional>
#include <pqxx/pqxx>
#include <vector>

namespace syncline::postgres {

#if PQXX_VERSION_MAJOR < 7
namespace {

using Quiet = pqxx::quiet_errorhandler;

void never_reconnect(pqxx::connection& connection) {
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wdeprecated-declarations"
    connection.inhibit_reactivation(true);
#pragma GCC diagnostic pop
}

pqxx::result run_with_params(pqxx::nontransaction& tx, const std::string& sql, const Params& params) {
    std::vector<const char*> values;
    values.reserve(params.size());
    for (const auto& value : params.values()) {
        values.push_back(value ? value->c_str() : nullptr);
    }
    return tx.exec_params(sql, pqxx::prepare::make_dynamic_params(values.begin(), values.end()));
}

}  // namespace
#else
namespace {

// pqxx 7 takes a function instead of a handler object and never reconnects.
struct Quiet {
    explicit Quiet(pqxx::connection& connection) {
        connection.set_notice_handler([](pqxx::zview) noexcept {});
    }
};

void never_reconnect(pqxx::connection&) {}

pqxx::result run_with_params(pqxx::nontransaction& tx, const std::string& sql, const Params& params) {
    pqxx::params values;
    values.reserve(params.size());
    for (const auto& value : params.values()) {
        if (value) {
            values.append(pqxx::zview(value->c_str(), value->size()));
        } else {
            values.append();
        }
    }
#if PQXX_VERSION_MAJOR > 7 || PQXX_VERSION_MINOR >= 10
    return tx.exec(sql, values);
#else
    return tx.exec_params(sql, values);
#endif
}

}  // namespace
#endif

struct Rows::Held {
    pqxx::result result;
};

std::size_t row_count(const Rows::Held& held) {
    return static_cast<std::size_t>(held.result.size());
}
std::int64_t affected_rows(const Rows::Held& held) {
    return static_cast<std::int64_t>(held.result.affected_rows());
}
int column_count(const Rows::Held& held) {
    return static_cast<int>(held.result.columns());
}

namespace {

pqxx::field field_at(const Rows::Held& held, std::size_t row, int column) {
    return held.result[static_cast<pqxx::result::size_type>(row)][static_cast<pqxx::row::size_type>(column)];
}

}  // namespace

bool is_null(const Rows::Held& held, std::size_t row, int column) {
    return field_at(held, row, column).is_null();
}
std::string_view text(const Rows::Held& held, std::size_t row, int column) {
    const auto field = field_at(held, row, column);
    return {field.c_str(), field.size()};
}

struct Connection::State {
    explicit State(const std::string& conninfo) : connection(conninfo) {
        quiet.emplace(connection);
        never_reconnect(connection);
        socket = connection.sock();
    }
    pqxx::connection connection;
    std::optional<Quiet> quiet;  // After the connection: it unregisters itself there.
    int socket = -1;
    std::atomic<bool> lost = false;
};

Connection::Connection(std::unique_ptr<State> state) : state_(std::move(state)) {}
Connection::~Connection() = default;

core::Result<std::unique_ptr<Connection>> Connection::open(const std::string& conninfo) {
    try {
        return std::unique_ptr<Connection>(new Connection(std::make_unique<State>(conninfo)));
    } catch (const std::exception& error) {
        // libpq gives no SQLSTATE for a refused start-up, only text.
        const std::string_view said = error.what();
        for (const std::string_view mark :
             {"password authentication failed", "no password supplied", "no pg_hba.conf entry", "role \""}) {
            if (said.find(mark) != std::string_view::npos) {
                return std::unexpected(error_from_sqlstate("28000", {}));
            }
        }
        return std::unexpected(connection_lost(said));
    }
}

template <typename Call>
core::Result<Rows> Connection::guarded(const Call& call) {
    if (lost()) {
        return std::unexpected(connection_lost("it broke before this statement"));
    }
    try {
        pqxx::nontransaction tx{state_->connection};
        return Rows(std::make_shared<Rows::Held>(Rows::Held{call(tx)}));
    } catch (const std::exception& error) {
        // A network loss may come as any of these (LIBRARY-FAULTS §3, #280): the connection itself is asked first.
        if (!state_->connection.is_open()) {
            state_->lost = true;
            return std::unexpected(connection_lost("it broke during a statement"));
        }
        if (dynamic_cast<const pqxx::serialization_failure*>(&error) != nullptr) {
            return std::unexpected(error_from_sqlstate("40001", {}));
        }
        if (dynamic_cast<const pqxx::deadlock_detected*>(&error) != nullptr) {
            return std::unexpected(error_from_sqlstate("40P01", {}));
        }
        if (dynamic_cast<const pqxx::transaction_rollback*>(&error) != nullptr) {
            return std::unexpected(error_from_sqlstate("40000", {}));
        }
        if (const auto* sql = dynamic_cast<const pqxx::sql_error*>(&error); sql != nullptr) {
            return std::unexpected(error_from_sqlstate(sql->sqlstate(), sql->what()));
        }
        // A wrong number of parameters is a broken_connection to pqxx (#287, #686) though the connection lives: our own fault,
        // not the network's. What else comes this way leaves a connection nobody should use again.
        state_->lost = true;
        if (dynamic_cast<const pqxx::broken_connection*>(&error) != nullptr) {
            const std::string_view said = error.what();
            const bool ours = said.find("bind message") != std::string_view::npos;
            return std::unexpected(ours ? error_from_sqlstate("08P01", said) : connection_lost("pqxx calls it broken"));
        }
        return core::fail(core::ErrorKind::bug, "postgres_exception", "pqxx refused a statement before it was sent");
    }
}

core::Result<Rows> Connection::script(const std::string& sql) {
    return guarded([&](pqxx::nontransaction& tx) { return tx.exec(sql); });
}

core::Result<Rows> Connection::exec(const std::string& sql, const Params& params) {
    return guarded([&](pqxx::nontransaction& tx) { return run_with_params(tx, sql, params); });
}

core::Result<void> Connection::commit() {
    auto done = script("COMMIT");
    if (done) {
        return {};
    }
    if (lost()) {
        return core::fail(core::ErrorKind::unknown_outcome, "commit_in_doubt",
                          "the connection to PostgreSQL broke during COMMIT; the transaction may have been committed",
                          "look for its rows before doing it again");
    }
    return std::unexpected(std::move(done.error()));
}

core::Result<void> Connection::rollback() {
    auto done = script("ROLLBACK");
    if (!done) {
        return std::unexpected(std::move(done.error()));
    }
    return {};
}

bool Connection::lost() const {
    return state_->lost;
}

void Connection::cut() {
    state_->lost = true;
    ::shutdown(state_->socket, SHUT_RDWR);
}

}  // namespace syncline::postgres
