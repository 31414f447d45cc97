// One connection, without pqxx in sight: driver.cpp is the only file that knows pqxx and the differences of its versions.
#pragma once

#include <syncline/core/error.h>
#include <syncline/postgres/params.h>
#include <syncline/postgres/rows.h>
#include <memory>
#include <string>
#include <string_view>

namespace syncline::postgres {

// Not thread-safe but for cut(). Once lost() it stays lost: pqxx 6.4 would reconnect by itself, without search_path, time-outs
// and the transaction (LIBRARY-FAULTS §3, #205); that is switched off here and a lost connection is never used again.
class Connection {
public:
    // Blocks for connect_timeout at most.
    [[nodiscard]] static core::Result<std::unique_ptr<Connection>> open(const std::string& conninfo);
    ~Connection();
    Connection(const Connection&) = delete;
    Connection& operator=(const Connection&) = delete;

    // One or several statements, no parameters; the rows of the last.
    [[nodiscard]] core::Result<Rows> script(const std::string& sql);
    [[nodiscard]] core::Result<Rows> exec(const std::string& sql, const Params& params);
    // A lost connection is commit_in_doubt: pqxx's in_doubt_error is no broken_connection, so COMMIT is sent by us.
    [[nodiscard]] core::Result<void> commit();
    [[nodiscard]] core::Result<void> rollback();
    [[nodiscard]] bool lost() const;
    // Breaks the connection under whoever waits on it. Any thread.
    void cut();

private:
    struct State;
    explicit Connection(std::unique_ptr<State> state);
    template <typename Call>
    core::Result<Rows> guarded(const Call& call);
    std::unique_ptr<State> state_;
};

// What Rows and Row ask of a result.
[[nodiscard]] std::size_t row_count(const Rows::Held& held);
[[nodiscard]] std::int64_t affected_rows(const Rows::Held& held);
[[nodiscard]] int column_count(const Rows::Held& held);
[[nodiscard]] bool is_null(const Rows::Held& held, std::size_t row, int column);
[[nodiscard]] std::string_view text(const Rows::Held& held, std::size_t row, int column);

}  // namespace syncline::postgres
