// Connections to PostgreSQL and the one way to use them: a function that runs inside one transaction.
//
//   auto count = pool.run(deadline, [&](postgres::Transaction& tx) -> core::Result<std::int64_t> {
//       auto rows = tx.exec("SELECT count(*) FROM inbox WHERE grp = $1", postgres::Params{}.add(group));
//       if (!rows) { return std::unexpected(rows.error()); }
//       return (*rows)[0].int64(0);
//   });
//
// A Pool lives as long as its service. At most `connections_max` connections are open; who finds none waits its turn, first
// come first served, until the deadline. A connection on which anything broke is thrown away with everything that was idle
// beside it, never silently reconnected; new ones get the whole session (search_path, time-outs) from the connection string.
//
// Threads: any thread may call run(); it blocks its caller for the whole transaction, by the deadline: what still runs a second
// after it is cut off by closing the socket. What is left of the deadline is read once, at the start, and then measured in real
// time, so that a test that moves its clock does not cut transactions. Transaction and Rows belong to the thread that runs the
// function.
//
// Errors (code, kind):
//   postgres_unavailable     transient        no connection, connection lost before commit, server shutting down, disk full,
//   read-only postgres_busy            transient        no connection of the pool became free by the deadline commit_in_doubt
//   unknown_outcome  the connection broke at COMMIT: look before doing it again serialization_failure, deadlock, lock_timeout,
//   statement_timeout   conflict   rolled back; may be tried again unique_violation, constraint_violation, data_exception
//   rejected   rolled back; this data is refused nul_byte                 malformed        a text parameter holds a NUL byte;
//   nothing was sent postgres_unauthorized    unauthorized     wrong user, password or rights postgres_statement,
//   postgres_exception    bug       the statement itself is wrong, or the function threw
// Messages carry SQLSTATE and the name of a constraint, never values.
#pragma once

#include <syncline/core/clock.h>
#include <syncline/core/error.h>
#include <syncline/postgres/params.h>
#include <syncline/postgres/rows.h>
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

namespace syncline::postgres {

struct PoolOptions {
    std::string url;  // postgresql://user@host:port/database?sslmode=… or "host=… dbname=…". A secret: never logged.
    int connections_max = 16;
    std::string schema;  // search_path; empty leaves the server's default. [a-z_][a-z0-9_]*.
    std::string application_name = "syncline";
    std::chrono::milliseconds statement_timeout{30'000};  // Upper bound; the deadline of run() lowers it.
    std::chrono::milliseconds lock_timeout{10'000};
    std::chrono::milliseconds idle_in_transaction_timeout{60'000};
    std::chrono::seconds connect_timeout{5};
};

enum class Isolation : std::uint8_t { read_committed, repeatable_read, serializable };

struct TransactionOptions {
    Isolation isolation = Isolation::read_committed;
    bool read_only = false;
};

class Connection;  // libs/postgres/src only.

// One open transaction; lives for one call of the function given to Pool::run. There are no savepoints on purpose: the first
// error ends the transaction, every later exec returns that error and nothing is committed.
class Transaction {
public:
    // Blocks for one round trip. One statement; parameters are $1, $2, …
    [[nodiscard]] core::Result<Rows> exec(std::string_view sql, const Params& params = {});
    // Several statements separated by semicolons, without parameters (migrations).
    [[nodiscard]] core::Result<void> exec_script(std::string_view sql);
    [[nodiscard]] const core::Deadline& deadline() const { return deadline_; }

    Transaction(const Transaction&) = delete;
    Transaction& operator=(const Transaction&) = delete;

private:
    friend class Pool;
    Transaction(Connection& connection, const core::Deadline& deadline, std::chrono::steady_clock::time_point until)
        : connection_(connection), deadline_(deadline), until_(until) {}
    // The error of an earlier statement, or that there is no time left.
    [[nodiscard]] std::optional<core::Error> refusal() const;

    Connection& connection_;
    core::Deadline deadline_;
    std::chrono::steady_clock::time_point until_;
    std::optional<core::Error> failed_;
};

struct PoolStats {
    int open = 0;
    int in_use = 0;
    int waiting = 0;
    std::uint64_t opened_total = 0;
    std::uint64_t discarded_total = 0;  // Thrown away because something broke on them.
    std::uint64_t cut_off_total = 0;    // Of these, closed by us because the server did not answer by the deadline.
};

class Pool {
public:
    // Connects lazily: never blocks, never fails for an unreachable server.
    // A url that cannot be read makes every run() fail with postgres_unavailable and a clear message; see check_url.
    explicit Pool(PoolOptions options);
    ~Pool();  // Waits for running transactions.
    Pool(const Pool&) = delete;
    Pool& operator=(const Pool&) = delete;

    // Runs `body` in one transaction and commits if it returned a value. `body` is Result<T>(Transaction&) and runs exactly
    // once, or not at all if no transaction could be begun. Never returns before commit or rollback is settled.
    template <typename Body>
    auto run(const core::Deadline& deadline, Body&& body, const TransactionOptions& options = {})
        -> std::invoke_result_t<Body&, Transaction&> {
        using Answer = std::invoke_result_t<Body&, Transaction&>;
        std::optional<Answer> answer;
        auto settled = run_transaction(deadline, options, [&](Transaction& tx) -> core::Result<void> {
            answer.emplace(body(tx));
            if (!answer->has_value()) {
                return std::unexpected(answer->error());
            }
            return {};
        });
        if (!settled) {
            return Answer(std::unexpected(std::move(settled.error())));
        }
        return std::move(*answer);
    }

    // One statement in a transaction of its own.
    [[nodiscard]] core::Result<Rows> exec(const core::Deadline& deadline, std::string_view sql, const Params& params = {});

    // Is the server there? One round trip.
    [[nodiscard]] core::Result<void> ping(const core::Deadline& deadline);

    // New connections use this url (a rotated password); idle ones are closed, those in use when they come back.
    void use_url(std::string url);

    [[nodiscard]] PoolStats stats() const;
    [[nodiscard]] const PoolOptions& options() const;

private:
    [[nodiscard]] core::Result<void> run_transaction(const core::Deadline& deadline, const TransactionOptions& options,
                                                     const std::function<core::Result<void>(Transaction&)>& body);
    struct State;
    std::unique_ptr<State> state_;
};

// Can libpq read this url? The error never quotes it.
[[nodiscard]] core::Result<void> check_url(const std::string& url);

}  // namespace syncline::postgres
